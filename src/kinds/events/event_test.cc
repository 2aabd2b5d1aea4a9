#include <gtest/gtest.h>

#include "kinds/registry.h"

namespace stead::kinds {
namespace {

TEST(Event, FieldsAreSelectedByTheNamesOfBothGroups) {
  const Resource* events = registry().find("", "events");
  ASSERT_NE(events, nullptr);
  Value event = Value::object({{"involvedObject", Value::object({{"kind", "Pod"}, {"name", "web-0"}})},
                               {"reportingComponent", "kubelet"},
                               {"type", "Warning"}});
  auto field = [&](std::string_view path) { return events->rules.field(event, path).value_or("none"); };
  for (std::string_view about : {"involvedObject", "regarding"}) {
    EXPECT_EQ(field(std::string(about) + ".name"), "web-0");
    EXPECT_EQ(field(std::string(about) + ".namespace"), "");
  }
  EXPECT_EQ(field("reportingComponent"), "kubelet");
  EXPECT_EQ(field("reportingController"), "kubelet");
  EXPECT_EQ(field("source"), "kubelet");
  EXPECT_EQ(field("message"), "none");
}

}  // namespace
}  // namespace stead::kinds
