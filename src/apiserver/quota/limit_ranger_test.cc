// LimitRanges: defaults filled in, and what is held against pods and claims.

#include "apiserver/quota/limit_ranger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "object/codec.h"

namespace stead::apiserver {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Value json(std::string_view text) {
  auto parsed = object::parse_json(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed.ok() ? *parsed : Value();
}

std::vector<ObjectPtr> ranges(std::string_view limits) {
  Value document = Value::object({{"metadata", Value::object({{"name", "l"}})}});
  document.set({"spec", "limits"}, json(limits));
  return {object::make_object(std::move(document), 1)};
}

Value pod(std::string_view resources) {
  return json(R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","resources":)" + std::string(resources) +
              "}]}}");
}

TEST(LimitRanger, FillsWhatIsLeftOut) {
  auto given = ranges(R"([{"type":"Container","default":{"cpu":"2"},"defaultRequest":{"cpu":"1","memory":"1Mi"}}])");
  Value made = pod(R"({"requests":{"cpu":"500m"}})");
  set_limit_defaults(given, made);
  const Value& resources = made.at({"spec", "containers"}).items()[0].at("resources");
  EXPECT_EQ(resources, json(R"({"requests":{"cpu":"500m","memory":"1Mi"},"limits":{"cpu":"2"}})"));
  EXPECT_EQ(made.at({"metadata", "annotations", "kubernetes.io/limit-ranger"}).as_string(),
            "LimitRanger plugin set: memory request for container c; cpu limit for container c");
}

TEST(LimitRanger, HoldsBounds) {
  struct Case {
    std::string_view limits, resources;
    std::vector<std::string> problems;
  };
  const Case cases[] = {
      {R"([{"type":"Container","min":{"cpu":"100m"}}])", R"({"requests":{"cpu":"100m"}})", {}},
      {R"([{"type":"Container","min":{"cpu":"100m"}}])",
       R"({"requests":{"cpu":"50m"}})",
       {"minimum cpu usage per Container is 100m, but request is 50m"}},
      {R"([{"type":"Container","min":{"cpu":"100m"}}])",
       "{}",
       {"minimum cpu usage per Container is 100m.  No request is specified"}},
      {R"([{"type":"Container","max":{"cpu":"1"}}])",
       R"({"limits":{"cpu":"2"}})",
       {"maximum cpu usage per Container is 1, but limit is 2"}},
      {R"([{"type":"Container","max":{"cpu":"1"}}])",
       "{}",
       {"maximum cpu usage per Container is 1.  No limit is specified"}},
      {R"([{"type":"Container","maxLimitRequestRatio":{"cpu":"2"}}])",
       R"({"requests":{"cpu":"1"},"limits":{"cpu":"3"}})",
       {"cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000"}},
      {R"([{"type":"Pod","max":{"memory":"1Gi"}}])",
       R"({"limits":{"memory":"2Gi"}})",
       {"maximum memory usage per Pod is 1Gi, but limit is 2147483648"}},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(limit_problems_of_pod(ranges(each.limits), pod(each.resources)), each.problems) << each.limits;
  }
}

TEST(LimitRanger, BoundsClaims) {
  auto given = ranges(R"([{"type":"PersistentVolumeClaim","min":{"storage":"1Gi"},"max":{"storage":"5Gi"}}])");
  auto claim = [](std::string_view size) {
    Value made;
    made.set({"spec", "resources", "requests", "storage"}, size);
    return made;
  };
  EXPECT_THAT(limit_problems_of_claim(given, claim("2Gi")), IsEmpty());
  EXPECT_THAT(limit_problems_of_claim(given, claim("6Gi")),
              ElementsAre("maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 6Gi"));
}

}  // namespace
}  // namespace stead::apiserver
