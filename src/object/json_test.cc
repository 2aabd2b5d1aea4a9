#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "object/codec.h"

namespace stead::object {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string round(std::string_view text) {
  auto value = parse_json(text);
  return value.ok() ? to_json(*value) : "error: " + value.error().message;
}

TEST(Json, RoundTrips) {
  for (std::string_view text :
       {"null", "true", "0", "-9223372036854775808", "9223372036854775807", "\"\"", "[]", "{}", "[1,[2,{}]]",
        R"({"a":{"b":[null,false,"a string longer than fifteen bytes"]},"":1})", R"("\"\\\n\r\t\b\f\u0001/<>&")",
        "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"", "\"\\u2028\"", "1.5", "-0.000001", "1e-7", "1e+21",
        "1234567890123456.8", "1.25e+100"}) {
    EXPECT_EQ(round(text), text);
  }
}

TEST(Json, ReadsWhatGoReads) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {" [ 1 , 2 ]\n", "[1,2]"},
      {"1.0", "1"},
      {"100000000000000000000", "100000000000000000000"},
      {"9223372036854775808", "9223372036854776000"},
      {"1000000000000000000000000", "1e+24"},
      {"[-1234567890123456789012]", "[-1.2345678901234568e+21]"},
      {R"("\u00e9\ud83d\ude00")", "\"\xc3\xa9\xf0\x9f\x98\x80\""},
      {R"("a\ud800b")",
       "\"a\xef\xbf\xbd"
       "b\""},
      {R"("\ud800\u0041\udc00")",
       "\"\xef\xbf\xbd"
       "A\xef\xbf\xbd\""},
      {"[9223372036854775807,100000000000000000000]", "[9223372036854775807,100000000000000000000]"},
      {"-0.0", "0"},
      {"\"\xff\"", "\"\xef\xbf\xbd\""},
      {R"(["\ud800","\ud83d\ude00\u0007\u0022"])", "[\"\xef\xbf\xbd\",\"\xf0\x9f\x98\x80\\u0007\\\"\"]"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(round(text), expected) << text;
}

TEST(Json, WriterReplacesInvalidUtf8) {
  EXPECT_EQ(to_json(Value("a\xc0\xaf\xed\xa0\x80")),
            "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST(Json, NamesTheFirstWrongByte) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "unexpected end of JSON input"},
      {"{", "unexpected end of JSON input"},
      {"{\"a\"", "unexpected end of JSON input"},
      {"hello", "invalid character 'h' looking for beginning of value (at byte offset 0)"},
      {"{a:1}", "invalid character 'a' looking for beginning of object key string (at byte offset 1)"},
      {"{\"a\" 1}", "invalid character '1' after object key (at byte offset 5)"},
      {"{\"a\":1 \"b\"}", "invalid character '\"' after object key:value pair (at byte offset 7)"},
      {"[1 2]", "invalid character '2' after array element (at byte offset 3)"},
      {"[1,]", "invalid character ']' looking for beginning of value (at byte offset 3)"},
      {"1 2", "invalid character '2' after top-level value (at byte offset 2)"},
      {"tru!", "invalid character '!' in literal true (at byte offset 3)"},
      {"\"\\x\"", "invalid character 'x' in string escape code (at byte offset 2)"},
      {"\"a\nb\"", "invalid character '\\n' in string literal (at byte offset 2)"},
      {"01", "invalid character '1' after top-level value (at byte offset 1)"},
      {"-", "unexpected end of JSON input"},
      {"1.x", "invalid character 'x' after decimal point in numeric literal (at byte offset 2)"},
  };
  for (const auto& [text, expected] : cases) {
    auto value = parse_json(text);
    ASSERT_FALSE(value.ok()) << text;
    EXPECT_EQ(value.error().reason, Reason::kBadRequest);
    EXPECT_EQ(value.error().message, expected) << text;
  }
}

TEST(Json, ReportsDuplicatesWithTheirPathAndKeepsTheLast) {
  StrictErrors strict;
  auto value = parse_json(
      R"({"spec":{"x":1,"x":2,"x":3,"template":{"spec":{"containers":[{},{"name":"a","image":"i","name":"b"}]}}},"kind":1,"kind":2})",
      &strict);
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(value->at({"spec", "x"}).as_int(), 3);
  EXPECT_EQ(value->at("kind").as_int(), 2);
  EXPECT_THAT(strict,
              ElementsAre("duplicate field \"spec.x\"", "duplicate field \"spec.template.spec.containers[1].name\"",
                          "duplicate field \"kind\""));
}

TEST(Json, ReportsDuplicatesInLargeObjects) {
  std::string text = "{";
  for (int i = 0; i < 40; ++i) text += "\"k" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  text += "\"k7\":100}";
  StrictErrors strict;
  auto value = parse_json(text, &strict);
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(value->size(), 40u);
  EXPECT_EQ(value->at("k7").as_int(), 100);
  EXPECT_THAT(strict, ElementsAre("duplicate field \"k7\""));
}

TEST(Json, KeepsToItsLimits) {
  DecodeLimits limits;
  limits.depth_max = 3;
  limits.bytes_max = 20;
  StrictErrors strict;
  EXPECT_TRUE(parse_json("[[[1]]]", &strict, limits).ok());
  EXPECT_EQ(parse_json("[[[[1]]]]", &strict, limits).error().message, "exceeded max depth");
  EXPECT_EQ(parse_json(std::string(21, '1'), &strict, limits).error().reason, Reason::kRequestEntityTooLarge);
  EXPECT_EQ(parse_json(std::string(5000, '[')).error().message, "exceeded max depth");
  EXPECT_THAT(strict, IsEmpty());
}

}  // namespace
}  // namespace stead::object
