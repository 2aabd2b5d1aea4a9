#include "http/signing_key.h"

#include <gtest/gtest.h>

namespace stead::http {
namespace {

TEST(SigningKey, VerifiesItsOwnSignaturesAndNoOthers) {
  auto key = SigningKey::from_pem(*SigningKey::generate());
  auto other = SigningKey::from_pem(*SigningKey::generate());
  ASSERT_TRUE(key.ok() && other.ok());
  EXPECT_NE((*key)->id(), (*other)->id());
  EXPECT_EQ((*key)->x().size(), 32U);
  std::string signature = *(*key)->sign("text");
  EXPECT_TRUE((*key)->verify("text", signature));
  EXPECT_FALSE((*key)->verify("texts", signature));
  EXPECT_FALSE((*other)->verify("text", signature));
  EXPECT_FALSE((*key)->verify("text", ""));
  signature[10] = static_cast<char>(signature[10] ^ 1);
  EXPECT_FALSE((*key)->verify("text", signature));
  EXPECT_FALSE((*key)->verify("text", std::string(64, '\0')));
  EXPECT_FALSE(SigningKey::from_pem("nonsense").ok());
}

TEST(Base64Url, IsThatOfRfc4648) {
  EXPECT_EQ(encode_base64url("\xfb\xff"), "-_8");
  EXPECT_EQ(decode_base64url("-_8"), "\xfb\xff");
  EXPECT_EQ(decode_base64url("-_8="), "\xfb\xff");
  for (std::string text : {"", "f", "fo", "foo", "foob"}) EXPECT_EQ(decode_base64url(encode_base64url(text)), text);
  EXPECT_FALSE(decode_base64url("+/8").has_value());
  EXPECT_FALSE(decode_base64url("a").has_value());
}

}  // namespace
}  // namespace stead::http
