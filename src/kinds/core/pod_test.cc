#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/core/pod_defaults.h"
#include "kinds/core/pod_state.h"
#include "kinds/core/pod_update.h"
#include "kinds/meta/test_documents.h"
#include "object/codec.h"
#include "object/time.h"

namespace stead::kinds {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Value pod(std::string_view spec) {
  return load("", "Pod", "v1", "metadata: {name: p, namespace: ns}\nspec: " + std::string(spec));
}

std::vector<std::string> pod_problems(std::string_view spec) { return problems("", "Pod", pod(spec)); }

TEST(PodDefaults, PullPolicyFollowsTheTag) {
  EXPECT_EQ(default_pull_policy("nginx"), "Always");
  EXPECT_EQ(default_pull_policy("nginx:latest"), "Always");
  EXPECT_EQ(default_pull_policy("nginx:1.2"), "IfNotPresent");
  EXPECT_EQ(default_pull_policy("registry:5000/nginx"), "Always");
  EXPECT_EQ(default_pull_policy("nginx@sha256:0123"), "IfNotPresent");
}

TEST(PodDefaults, FillWhatDependsOnOtherFields) {
  Value made = pod(R"({hostNetwork: true, serviceAccount: sa, volumes: [{name: v}], containers: [{name: c, image: i:1,
    resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 500m}}, ports: [{containerPort: 80}],
    env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}], livenessProbe: {httpGet: {port: 80}}}]})");
  const Value& spec = made.at("spec");
  const Value& container = spec.at("containers").items()[0];
  EXPECT_EQ(object::to_json(container.at({"resources", "requests"})), R"({"cpu":"500m","memory":"1Gi"})");
  EXPECT_EQ(container.at("ports").items()[0].at("hostPort").as_int(), 80);
  EXPECT_EQ(container.at("env").items()[0].at({"valueFrom", "fieldRef", "apiVersion"}).as_string(), "v1");
  EXPECT_EQ(object::to_json(container.at({"livenessProbe", "httpGet"})), R"({"port":80,"path":"/","scheme":"HTTP"})");
  EXPECT_EQ(spec.at("serviceAccountName").as_string(), "sa");
  EXPECT_TRUE(spec.at("enableServiceLinks").as_bool());
  EXPECT_NE(spec.at("volumes").items()[0].find("emptyDir"), nullptr);
  EXPECT_NE(spec.find("securityContext"), nullptr);
  EXPECT_THAT(problems("", "Pod", made), IsEmpty());
}

struct Rejected {
  std::string_view spec;
  std::string_view problem;
};

class PodRejection : public testing::TestWithParam<Rejected> {};

TEST_P(PodRejection, SaysWhatIsWrong) {
  EXPECT_THAT(pod_problems(GetParam().spec), ElementsAre(HasSubstr(std::string(GetParam().problem))));
}

INSTANTIATE_TEST_SUITE_P(
    Specs, PodRejection,
    testing::Values(
        Rejected{"{}", "spec.containers: Required value"},
        Rejected{"{containers: [{name: c}]}", "spec.containers[0].image: Required value"},
        Rejected{"{containers: [{image: i}]}", "spec.containers[0].name: Required value"},
        Rejected{"{containers: [{name: C, image: i}]}",
                 "spec.containers[0].name: Invalid value: \"C\": a lowercase RFC 1123 label"},
        Rejected{"{containers: [{name: c, image: i}, {name: c, image: i}]}",
                 "spec.containers[1].name: Duplicate value: \"c\""},
        Rejected{
            "{containers: [{name: c, image: i, ports: [{containerPort: 70000}]}]}",
            "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"},
        Rejected{
            "{containers: [{name: c, image: i, ports: [{containerPort: 1, name: a}, {containerPort: 2, name: a}]}]}",
            "spec.containers[0].ports[1].name: Duplicate value: \"a\""},
        Rejected{"{containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /v}]}]}",
                 "spec.containers[0].volumeMounts[0].name: Not found: \"v\""},
        Rejected{"{volumes: [{name: v}], containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /v}, "
                 "{name: v, mountPath: /v}]}]}",
                 "spec.containers[0].volumeMounts[1].mountPath: Invalid value: \"/v\": must be unique"},
        Rejected{"{volumes: [{name: v, emptyDir: {}, hostPath: {path: /}}], containers: [{name: c, image: i}]}",
                 "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"},
        Rejected{"{volumes: [{name: v, persistentVolumeClaim: {}}], containers: [{name: c, image: i}]}",
                 "spec.volumes[0].persistentVolumeClaim.claimName: Required value"},
        Rejected{"{volumes: [{name: v, awsElasticBlockStore: {}}], containers: [{name: c, image: i}]}",
                 "spec.volumes[0].awsElasticBlockStore.volumeID: Required value"},
        Rejected{
            "{containers: [{name: c, image: i, env: [{name: A, value: x, valueFrom: {fieldRef: {fieldPath: "
            "metadata.name}}}]}]}",
            "spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty"},
        Rejected{
            "{containers: [{name: c, image: i, env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.nam}}}]}]}",
            "fieldPath: Invalid value: \"metadata.nam\": error converting fieldPath: field label not supported: "
            "metadata.nam"},
        Rejected{"{containers: [{name: c, image: i, livenessProbe: {}}]}",
                 "spec.containers[0].livenessProbe: Required value: must specify a handler type"},
        Rejected{"{containers: [{name: c, image: i, livenessProbe: {exec: {command: [a]}, successThreshold: 2}}]}",
                 "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"},
        Rejected{"{containers: [{name: c, image: i, readinessProbe: {exec: {command: [a]}, tcpSocket: {port: 1}}}]}",
                 "readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type"},
        Rejected{"{containers: [{name: c, image: i, resources: {limits: {cpu: 1}, requests: {cpu: 2}}}]}",
                 "spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit "
                 "of 1"},
        Rejected{"{restartPolicy: Sometimes, containers: [{name: c, image: i}]}",
                 "spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"OnFailure\", "
                 "\"Never\""},
        Rejected{"{activeDeadlineSeconds: 0, containers: [{name: c, image: i}]}",
                 "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"},
        Rejected{"{tolerations: [{key: a, operator: Exists, value: b}], containers: [{name: c, image: i}]}",
                 "spec.tolerations[0].operator: Invalid value: \"b\": value must be empty when `operator` is 'Exists'"},
        Rejected{"{initContainers: [{name: c, image: i}], containers: [{name: c, image: i}]}",
                 "spec.initContainers[0].name: Duplicate value: \"c\""},
        Rejected{"{initContainers: [{name: a, image: i, lifecycle: {}}], containers: [{name: c, image: i}]}",
                 "spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without "
                 "restartPolicy=Always"},
        Rejected{"{dnsPolicy: None, containers: [{name: c, image: i}]}",
                 "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"},
        Rejected{"{affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: host, "
                 "labelSelector: {matchExpressions: [{key: a, operator: In}]}}]}}, containers: [{name: c, image: i}]}",
                 "labelSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' "
                 "or 'NotIn'"},
        Rejected{"{ephemeralContainers: [{name: e, image: i}], containers: [{name: c, image: i}]}",
                 "spec.ephemeralContainers: Forbidden: cannot be set on create"},
        Rejected{"{containers: [{name: c, image: ' i'}]}",
                 "spec.containers[0].image: Invalid value: \" i\": must not have leading or trailing whitespace"}));

TEST(PodUpdate, AllowsImagesAndNewTolerationsOnly) {
  Value old = pod("{containers: [{name: c, image: i:1}]}");
  Value changed = old;
  changed["spec"]["containers"].mutable_items()[0].set("image", "i:2");
  changed["spec"]["tolerations"].append(Value::object({{"operator", "Exists"}}));
  changed.set({"metadata", "labels", "a"}, "b");
  EXPECT_THAT(update_problems("", "Pod", changed, old), IsEmpty());
  changed.set({"spec", "nodeName"}, "elsewhere");
  EXPECT_THAT(update_problems("", "Pod", changed, old),
              ElementsAre(HasSubstr("spec: Forbidden: pod updates may not change fields other than "
                                    "`spec.containers[*].image`")));
  Value other = old;
  other["spec"]["containers"].append(Value::object({{"name", "d"}}));
  EXPECT_THAT(update_problems("", "Pod", other, old),
              ElementsAre("spec.containers: Forbidden: pod updates may not add or remove containers"));
}

struct Shown {
  std::string_view status;
  std::string_view ready;
  std::string_view text;
  std::string_view restarts;
};

class PodRow : public testing::TestWithParam<Shown> {};

TEST_P(PodRow, SumsUpTheStatus) {
  Value document = load("", "Pod", "v1",
                        "metadata: {name: p, namespace: ns, creationTimestamp: '2026-01-01T00:00:00Z'}\n"
                        "spec: {nodeName: node, initContainers: [{name: i, image: i}], "
                        "containers: [{name: a, image: i}, {name: b, image: i}]}\nstatus: " +
                            std::string(GetParam().status));
  auto now = *object::parse_time("2026-01-01T00:10:00Z");
  auto cells = row("", "Pod", document, now);
  EXPECT_EQ(cells[1], GetParam().ready);
  EXPECT_EQ(cells[2], GetParam().text);
  EXPECT_EQ(cells[3], GetParam().restarts);
  EXPECT_EQ(cells[4], "10m");
  EXPECT_EQ(cells[6], "node");
}

INSTANTIATE_TEST_SUITE_P(
    Statuses, PodRow,
    testing::Values(
        Shown{"{phase: Pending}", "0/2", "Pending", "0"},
        Shown{"{phase: Pending, initContainerStatuses: [{name: i, state: {running: {}}}]}", "0/2", "Init:0/1", "0"},
        Shown{"{phase: Pending, initContainerStatuses: [{name: i, restartCount: 1, state: {waiting: {reason: "
              "CrashLoopBackOff}}}]}",
              "0/2", "Init:CrashLoopBackOff", "1"},
        Shown{"{phase: Pending, initContainerStatuses: [{name: i, state: {terminated: {exitCode: 3}}}]}", "0/2",
              "Init:ExitCode:3", "0"},
        Shown{"{phase: Pending, initContainerStatuses: [{name: i, state: {terminated: {exitCode: 0}}}], "
              "containerStatuses: [{name: a, state: {waiting: {reason: PodInitializing}}}]}",
              "0/2", "PodInitializing", "0"},
        Shown{"{phase: Running, containerStatuses: [{name: a, ready: true, state: {running: {}}}, {name: b, ready: "
              "true, restartCount: 2, state: {running: {}}, lastState: {terminated: {finishedAt: "
              "'2026-01-01T00:05:00Z'}}}]}",
              "2/2", "Running", "2 (5m ago)"},
        Shown{"{phase: Running, conditions: [{type: Ready, status: 'True'}], containerStatuses: [{name: a, state: "
              "{terminated: {reason: Completed}}}, {name: b, ready: true, state: {running: {}}}]}",
              "1/2", "Running", "0"},
        Shown{"{phase: Running, containerStatuses: [{name: a, state: {terminated: {signal: 9}}}]}", "0/2", "Signal:9",
              "0"},
        Shown{"{phase: Failed, reason: Evicted}", "0/2", "Evicted", "0"}));

TEST(PodRow, TerminatingAndLost) {
  Value document = load("", "Pod", "v1",
                        "metadata: {name: p, namespace: ns, deletionTimestamp: '2026-01-01T00:00:00Z'}\n"
                        "spec: {containers: [{name: a, image: i}]}\nstatus: {phase: Running}");
  auto now = *object::parse_time("2026-01-01T00:10:00Z");
  EXPECT_EQ(row("", "Pod", document, now)[2], "Terminating");
  document.set({"status", "reason"}, "NodeLost");
  EXPECT_EQ(row("", "Pod", document, now)[2], "Unknown");
}

TEST(PodState, ReadsNamesPortsAndQuality) {
  Value document = pod(R"({hostname: h, containers: [{name: c, image: i, ports: [{containerPort: 8080, name: web}],
    resources: {limits: {cpu: 1, memory: 1Gi}}}]})");
  EXPECT_EQ(pod_hostname(document), "h");
  EXPECT_EQ(resolve_port(document, "web"), 8080);
  EXPECT_EQ(resolve_port(document, Value(9)), 9);
  EXPECT_EQ(resolve_port(document, "web", "UDP"), std::nullopt);
  EXPECT_EQ(pod_qos_class(document), "Guaranteed");
  EXPECT_EQ(pod_qos_class(pod("{containers: [{name: c, image: i}]}")), "BestEffort");
  EXPECT_EQ(pod_qos_class(pod("{containers: [{name: c, image: i, resources: {requests: {cpu: 1}}}]}")), "Burstable");
  EXPECT_EQ(effective_grace_period(document), std::chrono::seconds(30));
  document.set({"metadata", "deletionGracePeriodSeconds"}, 0);
  EXPECT_EQ(effective_grace_period(document), std::chrono::seconds(0));
}

}  // namespace
}  // namespace stead::kinds
