#include <gtest/gtest.h>

#include "kinds/registry.h"

namespace stead::kinds {
namespace {

TEST(PriorityClass, ValueAndPreemptionPolicyStayWhatTheyWere) {
  const Resource* classes = registry().find("scheduling.k8s.io", "priorityclasses");
  ASSERT_NE(classes, nullptr);
  Value old = Value::object(
      {{"metadata", Value::object({{"name", "gold"}})}, {"value", 10}, {"preemptionPolicy", "PreemptLowerPriority"}});
  auto refused = [&](std::string_view field, const Value& value) {
    Value document = old;
    document.set(field, value);
    FieldErrors errors;
    classes->rules.validate_update(document, old, errors);
    return errors.empty() ? "" : errors.to_error("", "PriorityClass", "gold").message;
  };
  EXPECT_EQ(refused("description", "shiny"), "");
  EXPECT_NE(refused("value", 11).find("value: Forbidden: may not be changed"), std::string::npos);
  EXPECT_NE(refused("preemptionPolicy", "Never").find("preemptionPolicy: "), std::string::npos);
}

}  // namespace
}  // namespace stead::kinds
