#include "cel/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "object/codec.h"

namespace stead::cel {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// A schema such as a CustomResourceDefinition's.
class WidgetType final : public ObjectType {
 public:
  std::string name() const override { return "Widget"; }
  std::optional<Type> field(std::string_view name) const override {
    if (name == "replicas" || name == "max-size") return Type::int64();
    if (name == "name" || name == "namespace") return Type::string().with_max_size(63);
    if (name == "since") return Type::timestamp();
    if (name == "timeout") return Type::duration();
    if (name == "data") return Type::bytes();
    if (name == "ratio") return Type::float64();
    if (name == "any") return Type();
    if (name == "tags") return Type::list(Type::string(), ListSemantics::kSet).with_max_size(10);
    if (name == "words") return Type::list(Type::string().with_max_size(20)).with_max_size(10);
    if (name == "ports") {
      return Type::list(Type::map(Type::string(), Type()), ListSemantics::kMap, {"port"}).with_max_size(10);
    }
    if (name == "labels") return Type::map(Type::string(), Type::string());
    if (name == "child") return Type::object(*this);
    return std::nullopt;
  }
};
const WidgetType kWidget;

constexpr std::string_view kDocument = R"({
  "replicas": 3, "max-size": 7, "namespace": "here", "name": "w", "since": "2026-01-02T03:04:05Z", "timeout": "1h30m",
  "data": "aGVsbG8=", "ratio": 2, "any": {"x": [1, "two", null]}, "tags": ["a", "b"], "words": ["one", "two"],
  "ports": [{"port": 80, "name": "http"}, {"port": 443, "name": "https"}], "labels": {"app": "db", "x-y": "z"},
  "child": {"replicas": 1}, "undeclared": true})";

Environment environment() {
  Environment environment;
  environment.declare("self", Type::object(kWidget));
  environment.declare("object", Type());
  environment.declare("request.kind", Type::string());
  return environment;
}

Evaluation evaluate(std::string_view expression, uint64_t cost_limit = kCostLimitPerCall) {
  Compilation compiled = environment().compile(expression);
  if (!compiled.ok()) return {.value = Value::error(compiled.error_text())};
  static const object::Value document = object::parse_json(kDocument).value();
  Activation activation;
  activation.bind("self", Value::document(document, Type::object(kWidget)));
  activation.bind("object", Value::document(document));
  activation.bind("request.kind", Value::string("Pod"));
  return compiled.program->evaluate(activation, cost_limit);
}

std::string text_of(std::string_view expression) {
  Evaluation evaluation = evaluate(expression);
  if (!evaluation.ok()) return "error: " + evaluation.value.error_message();
  auto document = evaluation.value.to_document();
  return document.ok() ? object::to_json(document.value()) : evaluation.value.type().name();
}

struct Case {
  std::string_view expression;
  std::string_view expected;  // JSON, or "error: …"
};

class Evaluates : public ::testing::TestWithParam<Case> {};

TEST_P(Evaluates, To) { EXPECT_EQ(text_of(GetParam().expression), GetParam().expected) << GetParam().expression; }

INSTANTIATE_TEST_SUITE_P(Literals, Evaluates,
                         ::testing::Values(Case{"-0x1F", "-31"}, Case{"18446744073709551615u > 1u", "true"},
                                           Case{"r'a\\n' + '''b\nc''' + \"\\u00e9\\101\"", R"("a\\nb\ncéA")"},
                                           Case{"b'\\xff' == bytes('x')", "false"}, Case{"1e3 // comment", "1000"},
                                           Case{"[1, 2,]", "[1,2]"}, Case{"{'a': 1, 'b': 2}.b", "2"},
                                           Case{"--3 + 2", "5"}, Case{"!!true", "true"}));

INSTANTIATE_TEST_SUITE_P(Logic, Evaluates,
                         ::testing::Values(Case{"1 / 0 == 1 || true", "true"}, Case{"false && 1 / 0 == 1", "false"},
                                           Case{"1 / 0 == 1 && false", "false"},
                                           Case{"1 / 0 == 1 || false", "error: division by zero"},
                                           Case{"true ? 1 : 1 / 0", "1"}, Case{"1 < 2 ? 'a' : 'b'", "\"a\""}));

INSTANTIATE_TEST_SUITE_P(
    Arithmetic, Evaluates,
    ::testing::Values(Case{"9223372036854775807 + 1", "error: integer overflow"},
                      Case{"1u - 2u", "error: unsigned integer overflow"}, Case{"-7 / 2", "-3"}, Case{"-7 % 3", "-1"},
                      Case{"1 % 0", "error: modulus by zero"}, Case{"dyn(1) == 1.0", "true"}, Case{"1 < 1.5", "true"},
                      Case{"dyn(1) + 'a' == 'x'", "error: no such overload"}, Case{"2u in [1u, 2u]", "true"},
                      Case{"timestamp('2026-01-01T00:00:00Z') + duration('36h')", "\"2026-01-02T12:00:00Z\""},
                      Case{"timestamp('2026-01-02T00:00:00Z') - timestamp('2026-01-01T00:00:00.5Z')", "\"86399.5s\""}));

INSTANTIATE_TEST_SUITE_P(
    Documents, Evaluates,
    ::testing::Values(Case{"self.replicas", "3"}, Case{"self.max__dash__size", "7"},
                      Case{"self.__namespace__", "\"here\""}, Case{"object.namespace", "\"here\""},
                      Case{"self.since.getFullYear('+01:00')", "2026"}, Case{"self.timeout > duration('1h')", "true"},
                      Case{"string(self.data)", "\"hello\""}, Case{"self.ratio / 4.0", "0.5"},
                      Case{"self.any.x[1]", "\"two\""}, Case{"has(self.any.y)", "false"},
                      Case{"has(self.child.replicas) && !has(self.child.name)", "true"},
                      Case{"self.child.name", "error: no such key: name"},
                      Case{"self.any.x[3]", "error: index out of bounds: 3"}, Case{"self.labels['x-y']", "\"z\""},
                      Case{"'app' in self.labels", "true"}, Case{"has(object.name.x)", "false"},
                      Case{"object.name.x", "error: no such key: x"}, Case{"object.?name.?x.hasValue()", "false"},
                      Case{"object.replicas[0]", "error: no such key: 0"},
                      Case{"has(object.words.x)", "error: unsupported index type 'string' in list"},
                      Case{"has(object.x.y)", "error: no such key: x"}, Case{"request.kind", "\"Pod\""},
                      Case{"object.?a.?b.orValue(5)", "5"}, Case{"object.?replicas.optMap(x, x + 1).orValue(0)", "4"}));

INSTANTIATE_TEST_SUITE_P(
    Lists, Evaluates,
    ::testing::Values(Case{"self.tags == ['b', 'a']", "true"}, Case{"['b', 'a'] == self.tags", "false"},
                      Case{"self.tags + ['b', 'c']", R"(["a","b","c"])"},
                      Case{"self.words + ['two']", R"(["one","two","two"])"},
                      Case{"(self.ports + [{'port': dyn(80), 'name': dyn('web')}]).map(p, p.name)",
                           R"(["web","https"])"},
                      Case{"[3, 1, 2].isSorted()", "false"}, Case{"[3, 1, 2].sum()", "6"}, Case{"[3, 1, 2].max()", "3"},
                      Case{"['a', 'b', 'a'].lastIndexOf('a')", "2"}, Case{"sets.contains([1, 2, 3], [2])", "true"},
                      Case{"sets.equivalent([1, 1, 2], [2, 1])", "true"}, Case{"sets.intersects([1], [2])", "false"}));

INSTANTIATE_TEST_SUITE_P(
    Macros, Evaluates,
    ::testing::Values(Case{"[1, 2, 3].all(x, x > 0)", "true"}, Case{"[1, 0].exists(x, 1 / x == 1)", "true"},
                      Case{"[0, 1].all(x, 1 / x == 1)", "error: division by zero"},
                      Case{"[1, 2, 2].exists_one(x, x == 2)", "false"},
                      Case{"[1, 2, 3].filter(x, x % 2 == 1)", "[1,3]"}, Case{"[1, 2, 3].map(x, x > 1, x * x)", "[4,9]"},
                      Case{"{'a': 1}.map(k, k)", R"(["a"])"}, Case{"[5, 6].transformList(i, v, i + v)", "[5,7]"},
                      Case{"{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v * 10)", R"({"b":20})"},
                      Case{"['x', 'y'].transformMapEntry(i, v, {v: i})", R"({"x":0,"y":1})"},
                      Case{"{'a': 1}.all(k, v, k == 'a' && v == 1)", "true"},
                      Case{"[[1], [2, 3]].map(l, l.map(x, x + size(l)))", "[[2],[4,5]]"}));

INSTANTIATE_TEST_SUITE_P(
    Texts, Evaluates,
    ::testing::Values(Case{"'a,b,c'.split(',', 2)", R"(["a","b,c"])"}, Case{"'héllo'.charAt(1)", "\"é\""},
                      Case{"'héllo'.size()", "5"}, Case{"'tacocat'.substring(0, 4)", "\"taco\""},
                      Case{"'tacocat'.substring(9)", "error: index out of range: 9"},
                      Case{"'abab'.replace('a', 'x', 1)", "\"xbab\""}, Case{"['a', 'b'].join('-')", "\"a-b\""},
                      Case{"' a '.trim() + 'Ab'.lowerAscii()", "\"aab\""},
                      Case{"'%s is %d, %.2f, %x, %s'.format(['a', 7, 1234.5, 255, ['q', 1.0]])",
                           R"("a is 7, 1,234.50, ff, [\"q\", 1.000000]")"},
                      Case{"'abc 123 45'.findAll('[0-9]+')", R"(["123","45"])"}, Case{"'abc'.find('[0-9]+')", "\"\""},
                      Case{"'k8s-pod'.matches('^[a-z0-9-]+$')", "true"}, Case{"'abc'.reverse()", "\"cba\""},
                      Case{"strings.quote('a\"b')", R"("\"a\\\"b\"")"},
                      Case{"string(1.5e6) + string(3u)", "\"1.5e+063\""},
                      Case{"int('x')", "error: type conversion error from 'string' to 'int'"},
                      Case{"type(1) == int && type([]) == list && type(null) == null_type", "true"}));

TEST(Compile, ErrorsAreThoseClientsKnow) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"foo", "ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n | foo\n | ^"},
      {"self.nope", "ERROR: <input>:1:5: undefined field 'nope'\n | self.nope\n | ....^"},
      {"self.namespace", "ERROR: <input>:1:5: undefined field 'namespace'\n | self.namespace\n | ....^"},
      {"1 + 'a'",
       "ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'\n | 1 + 'a'\n | ..^"},
      {"self.name.size",
       "ERROR: <input>:1:10: type 'string' does not support field selection\n | self.name.size\n | .........^"},
      {"self.name.startsWith(1)",
       "ERROR: <input>:1:21: found no matching overload for 'startsWith' applied to 'string.(int)'\n"
       " | self.name.startsWith(1)\n | ....................^"},
      {"true &&\n  bar", "ERROR: <input>:2:3: undeclared reference to 'bar' (in container '')\n |   bar\n | ..^"},
      {"[1, 'a']", "ERROR: <input>:1:5: expected type 'int' but found 'string'\n | [1, 'a']\n | ....^"},
      {"duration('x') > duration('1s')",
       "ERROR: <input>:1:10: invalid duration argument\n | duration('x') > duration('1s')\n | .........^"},
      {"namespace", "ERROR: <input>:1:1: reserved identifier: namespace\n | namespace\n | ^"},
  };
  for (const auto& [expression, expected] : cases) EXPECT_EQ(environment().compile(expression).error_text(), expected);
  EXPECT_THAT(environment().compile("1 +").error_text(), HasSubstr("Syntax error: mismatched input '<EOF>' expecting"));
  EXPECT_THAT(environment().compile("a b").error_text(), HasSubstr("Syntax error: extraneous input 'b'"));
  EXPECT_THAT(environment().compile("'a\\q'").error_text(), HasSubstr("Syntax error: token recognition error"));
}

TEST(Compile, NestingAndSizeAreBounded) {
  EXPECT_THAT(environment().compile(std::string(400, '(') + "1" + std::string(400, ')')).error_text(),
              HasSubstr("recursion limit exceeded"));
  std::string sum = "1";
  for (int i = 0; i < 2000; ++i) sum += " + 1";
  EXPECT_THAT(environment().compile(sum).error_text(), HasSubstr("recursion limit exceeded"));
  EXPECT_THAT(environment().compile(std::string(100'001, ' ')).error_text(), HasSubstr("exceeds limit"));
  std::string chain = "true";
  for (int i = 0; i < 2000; ++i) chain += " && true";
  EXPECT_EQ(text_of(chain), "true");
}

TEST(Compile, TypesAndVariables) {
  Compilation compiled = environment().compile("self.words.map(w, size(w))");
  ASSERT_TRUE(compiled.ok());
  EXPECT_EQ(compiled.program->result_type(), Type::list(Type::int64()));
  EXPECT_TRUE(compiled.program->uses("self"));
  EXPECT_FALSE(compiled.program->uses("object"));
  EXPECT_FALSE(environment().compile("[1].all(object, object > 0)").program->uses("object"));
}

TEST(Cost, CountsAndLimits) {
  const std::pair<std::string_view, uint64_t> cases[] = {
      {"1 + 2", 1},
      {"self.replicas > 1", 3},   // the variable, its field, the comparison
      {"has(self.replicas)", 0},  // presence is free
      {"'a' in ['a', 'b']", 0},   // looked up
      {"self.words.all(w, w != '')", 2 + 2 * (3 + 1) + 1},
      {"[self.replicas, 1].map(x, x)", 2 + 10 + 2 * (12 + 1) + 1},
      {"'0123456789012345678901'.contains('abc')", 3},
      {"self.name + 'x'", 3},
  };
  for (const auto& [expression, cost] : cases) EXPECT_EQ(evaluate(expression).cost, cost) << expression;
  Evaluation over = evaluate("[1, 2, 3].all(a, [1, 2, 3].all(b, [1, 2, 3].all(c, a + b + c > 0)))", 50);
  EXPECT_TRUE(over.over_limit);
  EXPECT_EQ(over.value.error_message(), "operation cancelled: actual cost limit exceeded");
  EXPECT_TRUE(evaluate("[1].all(a, [1, 2, 3].all(b, a + b > 0)) || true", 5).over_limit);
}

TEST(Cost, RepeatedDoublingStaysBounded) {
  std::string expression = "[[1]]";
  for (int i = 0; i < 60; ++i) expression += ".map(x, x + x)";
  EXPECT_EQ(text_of(expression), "error: list is too large");
}

TEST(Cost, TextsThatFunctionsMakeAreBounded) {
  std::string expression = "'0123456789'";
  for (int i = 0; i < 9; ++i) expression += ".replace('', '0123456789')";
  EXPECT_EQ(text_of(expression), "error: text is too long");
  Environment with_text;
  with_text.declare("big", Type::string());
  Compilation compiled = with_text.compile("[1, 2, 3, 4, 5, 6, 7, 8, 9].all(i, 'a'.replace('', big) != big)");
  ASSERT_TRUE(compiled.ok());
  Activation activation;
  activation.bind("big", Value::string(std::string(4'500'000, 'x')));
  EXPECT_EQ(compiled.program->evaluate(activation, kCostBudget).value.error_message(), "texts are too long");
}

TEST(Cost, LargeMapsAndSetsAreLookedUp) {
  object::Value numbers = object::Value::array();
  for (int i = 0; i < 60'000; ++i) numbers.append(i);
  Environment with_set;
  with_set.declare("set", Type::list(Type::int64(), ListSemantics::kSet));
  Compilation compiled =
      with_set.compile("set == set + set && size(set.transformMapEntry(i, v, {v: i})) == size(set + [60000]) - 1");
  ASSERT_TRUE(compiled.ok()) << compiled.error_text();
  Activation activation;
  activation.bind("set", Value::document(numbers, Type::list(Type::int64(), ListSemantics::kSet)));
  // Comparing each with each would take minutes.
  EXPECT_TRUE(compiled.program->evaluate(activation, kCostBudget).value.equals(Value::boolean(true)));
}

TEST(Cost, EstimatesFollowDeclaredSizes) {
  auto estimate = [](std::string_view expression) {
    Compilation compiled = environment().compile(expression);
    EXPECT_TRUE(compiled.ok()) << compiled.error_text();
    return compiled.program->estimate_cost();
  };
  EXPECT_EQ(estimate("self.name.startsWith('ab')").max, 3u);
  // Ten words of twenty characters: two for the range; per word 2 + 1, the word, and the comparison with a text.
  EXPECT_EQ(estimate("self.words.all(w, w != 'ab')").max, 2u + 10 * (3 + 2) + 1);
  EXPECT_EQ(estimate("object.x.all(a, a.all(b, b == a))").max, Type::kUnbounded);
  EXPECT_LE(estimate("self.words.all(w, self.words.exists(v, v == w))").max, 10u * (10 * 10 + 10));
}

TEST(Values, OutliveTheirActivation) {
  Value kept;
  {
    object::Value document = object::parse_json(R"({"a": ["a text that is long enough for the heap"]})").value();
    kept = Value::owned_document(document).as_map().field("a")->as_list().at(0);
  }
  EXPECT_THAT(std::string(kept.as_string()), StartsWith("a text"));
}

}  // namespace
}  // namespace stead::cel
