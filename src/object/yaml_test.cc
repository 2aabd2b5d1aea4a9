#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "object/codec.h"

namespace stead::object {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string read(std::string_view text) {
  auto value = parse_yaml(text);
  return value.ok() ? to_json(*value) : "error: " + value.error().message;
}

TEST(Yaml, ScalarsAsGoYamlReadsThem) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "null"},
      {"~", "null"},
      {"null", "null"},
      {"nUll", "\"nUll\""},
      {"true", "true"},
      {"yes", "true"},
      {"Off", "false"},
      {"'yes'", "\"yes\""},
      {"\"1\"", "\"1\""},
      {"1", "1"},
      {"-5", "-5"},
      {"+5", "5"},
      {"0x10", "16"},
      {"0o17", "15"},
      {"017", "15"},
      {"0b11", "3"},
      {"08", "8"},
      {"1_000", "1000"},
      {"1e3", "1000"},
      {"1.50", "1.5"},
      {".5", "0.5"},
      {"1.", "1"},
      {"1.2.3", "\"1.2.3\""},
      {"-", "error"},
      {"2026-01-02", "\"2026-01-02\""},
      {"12:30:45", "\"12:30:45\""},
      {"1Gi", "\"1Gi\""},
      {"500m", "\"500m\""},
      {"!!str 5", "\"5\""},
      {"!!int 5", "5"},
      {"18446744073709551615", "18446744073709552000"},
      {"9223372036854775807", "9223372036854775807"},
      {"0x", "\"0x\""},
      {"a b", "\"a b\""},
      {"e5", "\"e5\""},
  };
  for (const auto& [text, expected] : cases) {
    if (expected == "error") continue;
    EXPECT_EQ(read(text), expected) << text;
  }
  EXPECT_THAT(read(".inf"), HasSubstr("unsupported value"));
  EXPECT_THAT(read("!!int x"), HasSubstr("cannot decode `x` as a !!int"));
}

TEST(Yaml, CollectionsBlocksAndMergeKeys) {
  EXPECT_EQ(read("a:\n- 1\n- b: |\n    x\n    y\n  c: >-\n    d\n    e\n"), R"({"a":[1,{"b":"x\ny\n","c":"d e"}]})");
  EXPECT_EQ(read("a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n"), R"({"a":{"b":1,"c":2},"d":{"b":1,"c":3}})");
  EXPECT_EQ(read("<<: [{a: 1}, {a: 2, b: 2}]\n"), R"({"a":1,"b":2})");
  EXPECT_EQ(read("1: a\ntrue: b\n1.5: c\n"), R"({"1":"a","true":"b","1.5":"c"})");
  EXPECT_EQ(read("{\"a\": \"\\ud83d\\ude00\"}"), "{\"a\":\"\xf0\x9f\x98\x80\"}");
  EXPECT_EQ(read("--- \na: 1\n---\nb: 2\n"), R"({"a":1})");
}

TEST(Yaml, ErrorsSayWhere) {
  EXPECT_THAT(read("a: [1, 2\nb: 3\n"), HasSubstr("yaml: line 2"));
  EXPECT_THAT(read("a: \xff\n"), HasSubstr("yaml: invalid leading UTF-8 octet"));
  EXPECT_THAT(read("a: \x01\n"), HasSubstr("yaml: control characters are not allowed"));
  EXPECT_THAT(read("? [a]\n: b\n"), HasSubstr("unsupported map key"));
  EXPECT_THAT(read("a: *nowhere\n"), HasSubstr("line 1"));
}

TEST(Yaml, DuplicatesAreReported) {
  StrictErrors strict;
  auto value = parse_yaml("a: 1\nb:\n  c: 1\n  c: 2\na: 2\n", &strict);
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(to_json(*value), R"({"a":2,"b":{"c":2}})");
  EXPECT_THAT(strict,
              ElementsAre("yaml: unmarshal errors:\n  line 4: key \"c\" already set in map\n  line 5: key \"a\" "
                          "already set in map"));
}

TEST(Yaml, BombsAreRefused) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int j = 0; j < 9; ++j) bomb += ", " + last;
    bomb += "]\n";
  }
  EXPECT_THAT(read(bomb), HasSubstr("excessive aliasing"));
  EXPECT_THAT(read("a: &a [*a]\n"), HasSubstr("error"));
  EXPECT_THAT(read(std::string(200, '[') + std::string(200, ']')), HasSubstr("depth"));
  EXPECT_THAT(read(std::string(20000, '[')), HasSubstr("error"));
}

std::string write(std::string_view json) { return to_yaml(*parse_json(json)); }

TEST(Yaml, WritesAsKubectlPrints) {
  EXPECT_EQ(write(R"({"spec":{"b":[],"a":{},"list":[{"name":"x","args":["-c","a: b"]},["p","q"],3]},"kind":"K"})"),
            "kind: K\n"
            "spec:\n"
            "  a: {}\n"
            "  b: []\n"
            "  list:\n"
            "  - args:\n"
            "    - -c\n"
            "    - 'a: b'\n"
            "    name: x\n"
            "  - - p\n"
            "    - q\n"
            "  - 3\n");
  EXPECT_EQ(write(R"(["a",{"b":1}])"), "- a\n- b: 1\n");
  EXPECT_EQ(write(R"({"a10":1,"a2":1,"A":1,"_":1,"a":1})"), "_: 1\nA: 1\na: 1\na2: 1\na10: 1\n");
  EXPECT_EQ(write(R"("x")"), "x\n");
}

TEST(Yaml, QuotesWhatWouldReadAsSomethingElse) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "\"\""},
      {"true", "\"true\""},
      {"yes", "\"yes\""},
      {"y", "\"y\""},
      {"null", "\"null\""},
      {"~", "\"~\""},
      {"1", "\"1\""},
      {"1.5", "\"1.5\""},
      {"0x1", "\"0x1\""},
      {"1e3", "\"1e3\""},
      {"12:30", "\"12:30\""},
      {"2026-01-02T03:04:05Z", "\"2026-01-02T03:04:05Z\""},
      {"1Gi", "1Gi"},
      {"500m", "500m"},
      {"a#b", "a#b"},
      {"a #b", "'a #b'"},
      {"a: b", "'a: b'"},
      {"a:b", "a:b"},
      {"*x", "'*x'"},
      {"it's", "it's"},
      {"'x", "'''x'"},
      {"- x", "'- x'"},
      {"-x", "-x"},
      {" x", "' x'"},
      {"x ", "'x '"},
      {"a\tb", "\"a\\tb\""},
      {"@x", "'@x'"},
      {"{x", "'{x'"},
      {"a,b", "a,b"},
      {"---", "'---'"},
      {"\xc3\xa9", "\xc3\xa9"},
      {"\xf0\x9f\x98\x80", "\"\\U0001F600\""},
      {"<<", "\"<<\""},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(to_yaml(Value(text)), std::string(expected) + "\n") << text;
    EXPECT_EQ(read(to_yaml(Value(text))), to_json(Value(text))) << text;
  }
}

TEST(Yaml, BlockTextsReadBack) {
  EXPECT_EQ(write(R"({"a":"x\ny\n"})"), "a: |\n  x\n  y\n");
  EXPECT_EQ(write(R"({"a":"x\ny"})"), "a: |-\n  x\n  y\n");
  EXPECT_EQ(write(R"([["x\n\n"]])"), "- - |+\n    x\n\n");
  for (std::string_view text : {"x\ny", "x\n", "x\n\n", "\n", "\nx", " x\ny", "x\n y\n", "x \ny", "a\n\n\nb", "a\tb\nc",
                                "\n\n", "- a\n- b\n", "# x\n", "x\r\ny"}) {
    Value value = Value::object({{"k", Value::object({{"l", text}, {"m", Value::array({text, "z"})}})}});
    std::string yaml = to_yaml(value);
    EXPECT_EQ(read(yaml), to_json(value)) << yaml;
    EXPECT_EQ(read(to_yaml(Value(text))), to_json(Value(text))) << to_yaml(Value(text));
  }
}

}  // namespace
}  // namespace stead::object
