// Defaults are for good: a document that has them gets no others when it is sent again.

#include <gtest/gtest.h>

#include "kinds/meta/test_documents.h"
#include "object/codec.h"

namespace stead::kinds {
namespace {

struct Example {
  std::string_view group;
  std::string_view kind;
  std::string_view version;
  std::string_view yaml;
};

class Defaults : public testing::TestWithParam<Example> {};

TEST_P(Defaults, AddNothingTheSecondTime) {
  const Example& example = GetParam();
  Value once = load(example.group, example.kind, example.version, example.yaml);
  Value twice = load(example.group, example.kind, example.version, object::to_json(once));
  EXPECT_EQ(object::to_json(once), object::to_json(twice));
}

constexpr std::string_view kTemplate =
    "{selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: "
    "i}]}}}";

INSTANTIATE_TEST_SUITE_P(
    Kinds, Defaults,
    testing::Values(
        Example{"", "Service", "v1",
                "{metadata: {name: s}, spec: {type: LoadBalancer, sessionAffinity: ClientIP, ports: [{port: 80}]}, "
                "status: {loadBalancer: {ingress: [{ip: 1.2.3.4}]}}}"},
        Example{"", "LimitRange", "v1", "{spec: {limits: [{type: Container, max: {cpu: 1}, min: {memory: 1Mi}}]}}"},
        Example{"", "PersistentVolume", "v1", "{spec: {hostPath: {path: /p}, capacity: {storage: 1Gi}}}"},
        Example{"", "PersistentVolumeClaim", "v1", "{spec: {accessModes: [ReadWriteOnce]}}"},
        Example{"", "Secret", "v1", "{metadata: {name: s}, stringData: {a: b}}"},
        Example{"", "Endpoints", "v1", "{subsets: [{addresses: [{ip: 10.0.0.1}], ports: [{port: 80}]}]}"},
        Example{"", "ReplicationController", "v1",
                "{spec: {template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}}"},
        Example{"discovery.k8s.io", "EndpointSlice", "v1", "{addressType: IPv4, ports: [{port: 80}]}"},
        Example{"autoscaling", "HorizontalPodAutoscaler", "v2",
                "{spec: {scaleTargetRef: {kind: D, name: w}, maxReplicas: 2, behavior: {scaleUp: {}}}}"},
        Example{"networking.k8s.io", "NetworkPolicy", "v1",
                "{spec: {podSelector: {}, egress: [{ports: [{port: 53}]}]}}"},
        Example{"rbac.authorization.k8s.io", "RoleBinding", "v1",
                "{roleRef: {kind: Role, name: r}, subjects: [{kind: User, name: u}]}"},
        Example{"storage.k8s.io", "CSIDriver", "v1", "{metadata: {name: d}, spec: {}}"},
        Example{"scheduling.k8s.io", "PriorityClass", "v1", "{value: 5}"}));

INSTANTIATE_TEST_SUITE_P(
    Workloads, Defaults, testing::ValuesIn([] {
      static const std::string kSet = "{metadata: {name: w}, spec: " + std::string(kTemplate) + "}";
      static const std::string kJob =
          "{metadata: {name: w}, spec: {podFailurePolicy: {rules: [{action: Ignore, onPodConditions: "
          "[{type: X}]}]}, template: {spec: {restartPolicy: Never, containers: [{name: c, image: "
          "i}]}}}}";
      static const std::string kCron =
          "{metadata: {name: w}, spec: {schedule: '* * * * *', jobTemplate: {spec: {template: {spec: "
          "{containers: [{name: c, image: i}]}}}}}}";
      std::vector<Example> all{{"batch", "Job", "v1", kJob}, {"batch", "CronJob", "v1", kCron}};
      for (std::string_view kind : {"Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"}) {
        all.push_back({"apps", kind, "v1", kSet});
      }
      for (std::string_view kind : {"Deployment", "StatefulSet"}) {
        all.push_back({"apps", kind, "v1beta2", kSet});
      }
      return all;
    }()));

}  // namespace
}  // namespace stead::kinds
