#include "kinds/core/pod_resize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/meta/test_documents.h"
#include "kinds/semantics/pod_requests.h"
#include "object/codec.h"

namespace stead::kinds {
namespace {

Value pod(std::string_view containers) {
  return load("", "Pod", "v1", "metadata: {name: p, namespace: ns}\nspec: " + std::string(containers));
}

std::vector<std::string> resize_problems(const Value& asked, const Value& old) {
  Value narrowed = asked;
  narrow_pod_resize(narrowed, old);
  FieldErrors errors;
  validate_pod_resize(narrowed, old, errors);
  std::vector<std::string> texts;
  for (const auto& cause : errors.causes()) texts.push_back(cause.field + ": " + cause.message);
  return texts;
}

struct Case {
  std::string_view name, old, asked;
  std::vector<std::string_view> problems;
};

TEST(PodResize, AllowsCpuAndMemoryOfWhatRuns) {
  const Case cases[] = {
      {"grows",
       "{containers: [{name: c, image: i, resources: {requests: {cpu: 1}}}]}",
       "{containers: [{name: c, image: i, resources: {requests: {cpu: 2, memory: 1Mi}}}]}",
       {}},
      {"other fields are not taken",
       "{containers: [{name: c, image: i, resources: {requests: {cpu: 1}}}]}",
       "{hostNetwork: true, containers: [{name: c, image: j, resources: {requests: {cpu: 2}}}]}",
       {}},
      {"another quality",
       "{containers: [{name: c, image: i}]}",
       "{containers: [{name: c, image: i, resources: {requests: {cpu: 2}}}]}",
       {"Pod QOS Class may not change as a result of resizing"}},
      {"a request taken away",
       "{containers: [{name: c, image: i, resources: {requests: {cpu: 1, memory: 1Mi}}}]}",
       "{containers: [{name: c, image: i, resources: {requests: {cpu: 1}}}]}",
       {"resource requests cannot be removed"}},
      {"a limit taken away",
       "{containers: [{name: c, image: i, resources: {requests: {cpu: 1}, limits: {cpu: 2, memory: 1Mi}}}]}",
       "{containers: [{name: c, image: i, resources: {requests: {cpu: 1, memory: 1Mi}, limits: {cpu: 2}}}]}",
       {"resource limits cannot be removed"}},
      {"storage",
       "{containers: [{name: c, image: i, resources: {requests: {cpu: 1}}}]}",
       "{containers: [{name: c, image: i, resources: {requests: {cpu: 1, ephemeral-storage: 1}}}]}",
       {"only cpu and memory resources are mutable"}},
      {"the policy",
       "{containers: [{name: c, image: i, resources: {requests: {cpu: 1}}}]}",
       "{containers: [{name: c, image: i, resources: {requests: {cpu: 1}}, resizePolicy: [{resourceName: cpu, "
       "restartPolicy: NotRequired}]}]}",
       {"only cpu and memory resources are mutable"}},
      {"one more",
       "{containers: [{name: c, image: i}]}",
       "{containers: [{name: c, image: i}, {name: d, image: i}]}",
       {"containers may not be added or removed on resize"}},
      {"another order",
       "{containers: [{name: c, image: i}, {name: d, image: i}]}",
       "{containers: [{name: d, image: i}, {name: c, image: i}]}",
       {"containers may not be renamed or reordered on resize",
        "containers may not be renamed or reordered on resize"}},
      {"what has run",
       "{initContainers: [{name: i, image: i, resources: {requests: {cpu: 1}}}], containers: [{name: c, image: i}]}",
       "{initContainers: [{name: i, image: i, resources: {requests: {cpu: 2}}}], containers: [{name: c, image: i}]}",
       {"resources for non-sidecar init containers are immutable"}},
      {"a sidecar",
       "{initContainers: [{name: i, image: i, restartPolicy: Always, resources: {requests: {cpu: 1}}}], containers: "
       "[{name: c, image: i}]}",
       "{initContainers: [{name: i, image: i, restartPolicy: Always, resources: {requests: {cpu: 2}}}], containers: "
       "[{name: c, image: i}]}",
       {}},
  };
  for (const Case& each : cases) {
    std::vector<std::string> found = resize_problems(pod(each.asked), pod(each.old));
    ASSERT_EQ(found.size(), each.problems.size()) << each.name << ": " << testing::PrintToString(found);
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_THAT(found[i], testing::HasSubstr(std::string(each.problems[i]))) << each.name;
    }
  }
}

TEST(PodResize, WhatIsHeldIsTheMostOfWantedAllocatedAndActual) {
  Value made = pod("{containers: [{name: c, image: i, resources: {requests: {cpu: 1}}}]}");
  EXPECT_EQ(pod_requests_held(made).cpu_milli, 1000);
  made.set("status", *object::parse_json(R"({"containerStatuses":[{"name":"c","allocatedResources":{"cpu":"2"},)"
                                         R"("resources":{"requests":{"cpu":"3"}}}]})"));
  EXPECT_EQ(pod_requests_held(made).cpu_milli, 3000);
  made["spec"]["containers"].mutable_items()[0].set({"resources", "requests", "cpu"}, "8");
  EXPECT_EQ(pod_requests_held(made).cpu_milli, 8000);
  made.set({"status", "conditions"},
           *object::parse_json(R"([{"type":"PodResizePending","status":"True","reason":"Infeasible"}])"));
  EXPECT_EQ(pod_requests_held(made).cpu_milli, 3000);
}

}  // namespace
}  // namespace stead::kinds
