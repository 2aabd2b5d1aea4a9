#include "object/selector.h"

#include <gtest/gtest.h>

#include "object/codec.h"

namespace stead::object {
namespace {

bool matches(std::string_view selector, std::string_view labels) {
  auto parsed = LabelSelector::parse(selector);
  EXPECT_TRUE(parsed.ok()) << selector;
  return parsed.ok() && parsed->matches(*parse_json(labels));
}

TEST(LabelSelector, Matches) {
  struct Case {
    std::string_view selector, labels;
    bool expected;
  };
  const Case cases[] = {
      {"", "{}", true},
      {"a=b", R"({"a":"b"})", true},
      {"a==b", R"({"a":"c"})", false},
      {"a=b", "{}", false},
      {"a!=b", "{}", true},
      {"a!=b", R"({"a":"b"})", false},
      {"a in (b,c)", R"({"a":"c"})", true},
      {" a in ( b , c ) , d ", R"({"a":"c"})", false},
      {"a notin (b,c)", R"({"a":"b"})", false},
      {"a notin (b,c)", "{}", true},
      {"a", R"({"a":""})", true},
      {"!a", R"({"a":""})", false},
      {"!a", "{}", true},
      {"a=", R"({"a":""})", true},
      {"a in ()", R"({"a":""})", true},
      {"a in (,b)", R"({"a":""})", true},
      {"a in (b,)", R"({"a":""})", true},
      {"a>5", R"({"a":"6"})", true},
      {"a>5", R"({"a":"5"})", false},
      {"a<5", R"({"a":"x"})", false},
      {"a<5,b=c", R"({"a":"-1","b":"c"})", true},
      {"in in (in,notin)", R"({"in":"notin"})", true},
      {"example.com/a=b", R"({"example.com/a":"b"})", true},
  };
  for (const Case& one : cases) EXPECT_EQ(matches(one.selector, one.labels), one.expected) << one.selector;
}

TEST(LabelSelector, ErrorsAreThoseOfKubernetes) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"=a", "found '=', expected: !, identifier, or 'end of string'"},
      {"a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"},
      {"a,", "found '', expected: identifier after ','"},
      {"a=b c", "found 'c', expected: ',' or 'end of string'"},
      {"!a=b", "found '=', expected: ',' or 'end of string'"},
      {"a in b", "unable to parse requirement: found 'b' expected: '('"},
      {"a in (b", "unable to parse requirement: found '', expected: ',' or ')'"},
      {"a=(", "unable to parse requirement: found '(', expected: identifier"},
      {"a>x",
       "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be "
       "an integer"},
      {"-a",
       "unable to parse requirement: <nil>: Invalid value: \"-a\": name part must consist of alphanumeric characters, "
       "'-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or "
       "'123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"},
  };
  for (const auto& [text, expected] : cases) {
    auto parsed = LabelSelector::parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().message, expected) << text;
    EXPECT_EQ(parsed.error().reason, Reason::kBadRequest);
  }
  auto value = LabelSelector::parse("a=-b");
  EXPECT_EQ(value.error().message.substr(0, 72),
            "unable to parse requirement: values[0][a]: Invalid value: \"-b\": a valid ");
}

TEST(LabelSelector, TextReadsBack) {
  for (std::string_view text : {"a=b", "a!=b", "a in (b,c)", "a notin (b,c)", "a", "!a", "a>1,b<2", "a=,b"}) {
    EXPECT_EQ(LabelSelector::parse(text)->str(), text);
  }
  EXPECT_EQ(LabelSelector::parse("c,a in (z,y,z),b==d")->str(), "a in (y,z),b=d,c");
}

TEST(LabelSelector, FromDocuments) {
  EXPECT_TRUE(LabelSelector::from_document(Value())->matches_nothing());
  EXPECT_TRUE(LabelSelector::from_document(Value::object())->matches_everything());
  auto selector = LabelSelector::from_document(*parse_json(
      R"({"matchLabels":{"a":"b"},"matchExpressions":[{"key":"c","operator":"NotIn","values":["e","d"]},{"key":"f","operator":"Exists"}]})"));
  ASSERT_TRUE(selector.ok());
  EXPECT_EQ(selector->str(), "a=b,c notin (d,e),f");
  EXPECT_TRUE(selector->matches(*parse_json(R"({"a":"b","f":""})")));
  EXPECT_FALSE(selector->matches(*parse_json(R"({"a":"b","f":"","c":"e"})")));
  const std::pair<std::string_view, std::string_view> bad[] = {
      {R"({"matchExpressions":[{"key":"a","operator":"Gt","values":["1"]}]})",
       "\"Gt\" is not a valid label selector operator"},
      {R"({"matchExpressions":[{"key":"a","operator":"In"}]})",
       "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty"},
      {R"({"matchExpressions":[{"key":"a","operator":"Exists","values":["x"]}]})",
       "values: Invalid value: [\"x\"]: values set must be empty for exists and does not exist"},
  };
  for (const auto& [text, expected] : bad) {
    EXPECT_EQ(LabelSelector::from_document(*parse_json(text)).error().message, expected);
  }
  EXPECT_TRUE(LabelSelector::from_map(Value::object()).matches_nothing());
  EXPECT_TRUE(LabelSelector::from_map(*parse_json(R"({"a":"b"})")).matches(*parse_json(R"({"a":"b","c":"d"})")));
}

TEST(FieldSelector, ReadsTermsAndEscapes) {
  auto selector = FieldSelector::parse("metadata.name=a\\,b\\=c\\\\,status.phase!=Running,x==y,");
  ASSERT_TRUE(selector.ok());
  ASSERT_EQ(selector->requirements().size(), 3u);
  EXPECT_EQ(selector->required_value("metadata.name"), "a,b=c\\");
  EXPECT_EQ(selector->required_value("x"), "y");
  EXPECT_EQ(selector->required_value("status.phase"), std::nullopt);
  auto object = [](std::string_view phase) {
    return [phase](std::string_view path) -> std::string {
      return path == "metadata.name" ? "a,b=c\\" : path == "x" ? "y" : std::string(phase);
    };
  };
  EXPECT_TRUE(selector->matches(object("Pending")));
  EXPECT_FALSE(selector->matches(object("Running")));
  EXPECT_TRUE(FieldSelector::parse("")->empty());
}

TEST(FieldSelector, ErrorsAreThoseOfKubernetes) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"a", "invalid selector: 'a'; can't understand 'a'"},
      {"a=b=c", "invalid field selector: unescaped character in value: 61"},
      {"a=\\x", "invalid field selector: invalid escape sequence: \\x"},
      {"a=b\\", "invalid field selector: invalid escape sequence: \\"},
  };
  for (const auto& [text, expected] : cases) {
    auto parsed = FieldSelector::parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().message, expected);
  }
}

}  // namespace
}  // namespace stead::object
