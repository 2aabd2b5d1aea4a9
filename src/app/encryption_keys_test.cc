#include "app/encryption_keys.h"

#include <gtest/gtest.h>

namespace stead::app {
namespace {

const std::string kZeros = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

std::string problem(const std::string& text) {
  auto keys = parse_encryption_keys(text);
  return keys.ok() ? "fine" : keys.error().message;
}

TEST(EncryptionKeys, AreReadInOrder) {
  auto keys = parse_encryption_keys("# new on top\nb " + kZeros + "\n\na " + kZeros + " # until rewritten\n");
  ASSERT_TRUE(keys.ok()) << keys.error().message;
  ASSERT_EQ(keys->size(), 2u);
  EXPECT_EQ(keys->front().name, "b");
  EXPECT_EQ(keys->front().bytes, std::string(32, '\0'));
  EXPECT_EQ(keys->back().name, "a");
}

TEST(EncryptionKeys, ProblemsNameTheLine) {
  EXPECT_EQ(problem(""), "holds no key");
  EXPECT_EQ(problem("\nb"), "line 2: must be a name and a key in base64");
  EXPECT_EQ(problem("b " + kZeros + " c"), "line 1: must be a name and a key in base64");
  EXPECT_EQ(problem("b c2hvcnQ="), "line 1: the key has 5 bytes, must have 32");
  EXPECT_EQ(problem("b !"), "line 1: illegal base64 data at input byte 0");
  EXPECT_EQ(problem("b " + kZeros + "\nb " + kZeros), "line 2: there is a key \"b\" already");
  EXPECT_EQ(problem("a:b " + kZeros), "line 1: a name must not contain \":\"");
}

}  // namespace
}  // namespace stead::app
