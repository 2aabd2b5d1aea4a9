#include "object/field_error.h"

#include <gtest/gtest.h>

#include "object/quote.h"

namespace stead::object {
namespace {

TEST(FieldErrors, SayWhatClientsMatchOn) {
  Path spec("spec");
  FieldErrors errors;
  Path replicas = spec.child("replicas");
  errors.invalid(replicas, -1, "must be greater than or equal to 0");
  errors.required(spec.child("selector"));
  errors.required(spec.child("name"), "name or generateName is required");
  const std::string_view kSupported[] = {"a", "b"};
  errors.not_supported(spec.child("x"), "y", kSupported);
  errors.forbidden(spec, "no");
  Path containers = spec.child("containers");
  Path second = containers.index(1);
  errors.duplicate(second.child("name"), "c\"");
  errors.too_long(spec.child("l").key("k"), "…", 63);
  errors.too_many(spec, 5, 3);
  errors.invalid(spec, Value::object({{"a", Value::array({1, true})}}), "");
  const std::pair<std::string_view, std::string_view> expected[] = {
      {"spec.replicas", "Invalid value: -1: must be greater than or equal to 0"},
      {"spec.selector", "Required value"},
      {"spec.name", "Required value: name or generateName is required"},
      {"spec.x", "Unsupported value: \"y\": supported values: \"a\", \"b\""},
      {"spec", "Forbidden: no"},
      {"spec.containers[1].name", "Duplicate value: \"c\\\"\""},
      {"spec.l[k]", "Too long: may not be more than 63 bytes"},
      {"spec", "Too many: 5: must have at most 3 items"},
      {"spec", "Invalid value: {\"a\":[1,true]}"},
  };
  ASSERT_EQ(errors.size(), std::size(expected));
  for (size_t i = 0; i < errors.size(); ++i) {
    EXPECT_EQ(errors.causes()[i].field, expected[i].first);
    EXPECT_EQ(errors.causes()[i].message, expected[i].second);
  }
  EXPECT_EQ(errors.causes()[0].reason, "FieldValueInvalid");
}

TEST(FieldErrors, StatusTextBracketsSeveralAndListsEachOnce) {
  FieldErrors errors;
  EXPECT_EQ(errors.to_error("", "Pod", "x").message, "Pod \"x\" is invalid");
  errors.required(Path("a"));
  EXPECT_EQ(errors.to_error("apps", "StatefulSet", "x").message,
            "StatefulSet.apps \"x\" is invalid: a: Required value");
  errors.required(Path("b"));
  errors.required(Path("a"));
  Error error = errors.to_error("", "Pod", "x");
  EXPECT_EQ(error.message, "Pod \"x\" is invalid: [a: Required value, b: Required value]");
  EXPECT_EQ(error.causes.size(), 3u);
  EXPECT_EQ(error.reason, Reason::kInvalid);
  EXPECT_EQ(error.name, "x");
}

TEST(Quote, EscapesAsGo) {
  EXPECT_EQ(quote("a\n\x01\x7f\xff\"\\\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80"),
            "\"a\\n\\x01\\x7f\\xff\\\"\\\\\xc3\xa9\\u2028\xf0\x9f\x98\x80\"");
}

}  // namespace
}  // namespace stead::object
