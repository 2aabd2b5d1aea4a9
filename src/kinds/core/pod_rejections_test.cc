// What pods are refused for, beyond pod_test.cc: each case is a spec and all that is said of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/meta/test_documents.h"

namespace stead::kinds {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;

Value pod(std::string_view spec) {
  return load("", "Pod", "v1", "metadata: {name: p, namespace: ns, labels: {app: a}}\nspec: " + std::string(spec));
}

struct Case {
  std::string spec;  // without containers: one is added
  std::vector<std::string> problems;
};

std::string with_container(const std::string& spec) {
  if (spec.find("containers: [{name: c") != std::string::npos) return "{" + spec + "}";
  return "{containers: [{name: c, image: i}]" + (spec.empty() ? "" : ", " + spec) + "}";
}

class PodSpecCase : public testing::TestWithParam<Case> {};

TEST_P(PodSpecCase, SaysAllThatIsWrong) {
  EXPECT_THAT(problems("", "Pod", pod(with_container(GetParam().spec))), ElementsAreArray(GetParam().problems));
}

std::string volume(const std::string& source) { return "volumes: [{name: v, " + source + "}]"; }

INSTANTIATE_TEST_SUITE_P(
    Volumes, PodSpecCase,
    testing::Values(
        Case{volume("iscsi: {targetPortal: p, iqn: 'iqn.2001-04.com.example:storage.kube.sys1.xyz', lun: 0}"), {}},
        Case{volume("iscsi: {targetPortal: p, iqn: iqn-bad, lun: 256}"),
             {"spec.volumes[0].iscsi.iqn: Invalid value: \"iqn-bad\": must be valid format",
              "spec.volumes[0].iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive"}},
        Case{volume("iscsi: {targetPortal: p, iqn: 'eui.0123456789abcdef', lun: 0, chapAuthSession: true}"),
             {"spec.volumes[0].iscsi.secretRef: Required value"}},
        Case{volume("csi: {driver: Com.Example.Driver}"), {}},
        Case{volume("csi: {driver: com_example, nodePublishSecretRef: {name: ''}}"),
             {"spec.volumes[0].csi.driver: Invalid value: \"com_example\": a lowercase RFC 1123 subdomain must consist "
              "of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric "
              "character (e.g. 'example.com', regex used for validation is "
              "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
              "spec.volumes[0].csi.nodePublishSecretRef.name: Required value"}},
        Case{volume("flexVolume: {driver: d, options: {a.k8s.io/b: c}}"),
             {"spec.volumes[0].flexVolume.options[a.k8s.io/b]: Invalid value: \"a.k8s.io/b\": kubernetes.io and k8s.io "
              "namespaces are reserved"}},
        Case{volume("azureDisk: {diskName: d, diskURI: 'ftp://x', kind: Managed, cachingMode: Odd}"),
             {"spec.volumes[0].azureDisk.cachingMode: Unsupported value: \"Odd\": supported values: \"None\", "
              "\"ReadOnly\", \"ReadWrite\"",
              "spec.volumes[0].azureDisk.diskURI: Unsupported value: \"ftp://x\": supported values: "
              "\"/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}\""}},
        Case{volume("quobyte: {registry: 'a:1,b', volume: x}"),
             {"spec.volumes[0].quobyte.registry: Invalid value: \"a:1,b\": must be a host:port pair or multiple pairs "
              "separated by commas"}},
        Case{volume("gcePersistentDisk: {partition: 256}"),
             {"spec.volumes[0].persistentDisk.pdName: Required value",
              "spec.volumes[0].persistentDisk.partition: Invalid value: 256: must be between 1 and 255, inclusive"}},
        Case{volume("downwardAPI: {items: [{path: ../x}]}"),
             {"spec.volumes[0].downwardAPI.path: Invalid value: \"../x\": must not contain '..'",
              "spec.volumes[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required"}},
        Case{volume("configMap: {name: a, items: [{key: k, path: ..data}]}"),
             {"spec.volumes[0].configMap.items[0].path: Invalid value: \"..data\": must not start with '..'"}},
        Case{volume("projected: {sources: [{configMap: {name: a, items: [{key: k, path: p}]}}, {secret: {name: b, "
                    "items: [{key: k, path: p}]}}]}"),
             {"spec.volumes[0].projected: Invalid value: \"b\": conflicting duplicate paths"}},
        Case{volume("ephemeral: {volumeClaimTemplate: {metadata: {name: x, labels: {a: b}}, spec: {accessModes: "
                    "[ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}"),
             {"spec.volumes[0].ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set"}},
        Case{volume("image: {reference: ''}"), {"spec.volumes[0].image.reference: Required value"}}));

std::string container(const std::string& fields) { return "containers: [{name: c, image: i, " + fields + "}]"; }

INSTANTIATE_TEST_SUITE_P(
    Containers, PodSpecCase,
    testing::Values(
        Case{container("restartPolicy: Never, restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: "
                       "[42]}}]"),
             {}},
        Case{
            container("restartPolicyRules: [{action: Stop}]"),
            {"spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used",
             "spec.containers[0].restartPolicyRules[0].action: Unsupported value: \"Stop\": supported values: "
             "\"Restart\"",
             "spec.containers[0].restartPolicyRules[0].exitCodes: Required value: must be specified"}},
        Case{container("resources: {claims: [{name: gpu}]}"),
             {"spec.containers[0].resources.claims[0]: Not found: \"gpu\": must be one of the names in "
              "pod.spec.resourceClaims which is empty"}},
        Case{"resourceClaims: [{name: gpu, resourceClaimName: g}], " +
                 container("resources: {claims: [{name: gpu}, {name: gpu}]}"),
             {"spec.containers[0].resources.claims[1]: Duplicate value: \"gpu\""}},
        Case{"resourceClaims: [{name: gpu}]",
             {"spec.resourceClaims[0]: Invalid value: {\"name\":\"gpu\"}: must specify one of: `resourceClaimName`, "
              "`resourceClaimTemplateName`"}},
        Case{container("resources: {limits: {hugepages-2Mi: 3Mi, cpu: 1}}"),
             {"spec.containers[0].resources.limits[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not positive integer "
              "multiple of hugepages-2Mi",
              "spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not positive "
              "integer multiple of hugepages-2Mi"}},
        Case{container("resources: {limits: {pods: 1}}"),
             {"spec.containers[0].resources.limits[pods]: Invalid value: \"pods\": must be a standard resource for "
              "containers",
              "spec.containers[0].resources.requests[pods]: Invalid value: \"pods\": must be a standard resource for "
              "containers"}},
        Case{
            "resources: {limits: {cpu: 1}}, " + container("resources: {limits: {cpu: 2}}"),
            {"spec.resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1",
             "spec.resources.containers[0][cpu].limits: Invalid value: \"2\": must be less than or equal to pod limits "
             "of 1"}},
        Case{"resources: {requests: {ephemeral-storage: 1Gi}}",
             {"spec.resources.requests[ephemeral-storage]: Unsupported value: \"ephemeral-storage\": supported values: "
              "\"cpu\", \"hugepages-\", \"memory\""}},
        Case{"overhead: {memory: -1}",
             {"spec.overhead.limits[memory]: Invalid value: \"-1\": must be greater than or "
              "equal to 0"}},
        Case{container("ports: [{containerPort: 80, name: Not_A_Port_Name_At_All}]"),
             {"spec.containers[0].ports[0].name: Invalid value: \"Not_A_Port_Name_At_All\": must be no more than 15 "
              "characters",
              "spec.containers[0].ports[0].name: Invalid value: \"Not_A_Port_Name_At_All\": must contain only "
              "alpha-numeric characters (a-z, 0-9), and hyphens (-)"}}));

constexpr std::string_view kTerm =
    "{topologyKey: host, labelSelector: {matchExpressions: [{key: app, operator: Exists}]}";

INSTANTIATE_TEST_SUITE_P(
    Specs, PodSpecCase,
    testing::Values(
        Case{"os: {name: linux}, securityContext: {windowsOptions: {}}",
             {"spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod"}},
        Case{"os: {name: windows}, hostPID: true, securityContext: {runAsUser: 1}",
             {"spec.securityContext.runAsUser: Forbidden: cannot be set for a windows pod",
              "spec.hostPID: Forbidden: cannot be set for a windows pod"}},
        Case{
            "hostNetwork: true, hostnameOverride: a_b",
            {"spec.hostnameOverride: Invalid value: \"a_b\": a lowercase RFC 1123 subdomain must consist of lower case "
             "alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. "
             "'example.com', regex used for validation is "
             "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
             "spec.hostnameOverride: Forbidden: may not be specified when hostNetwork is true"}},
        Case{"os: {name: plan9}", {"spec.os: Unsupported value: \"plan9\": supported values: \"linux\", \"windows\""}},
        Case{"hostNetwork: true, securityContext: {sysctls: [{name: net/core/somaxconn, value: '1'}]}",
             {"spec.securityContext.sysctls[0].name: Invalid value: \"net/core/somaxconn\": may not be specified when "
              "'hostNetwork' is true"}},
        Case{
            "topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: DoNotSchedule, labelSelector: "
            "{matchLabels: {app: a}}, matchLabelKeys: [app]}, {maxSkew: 2, topologyKey: z, whenUnsatisfiable: "
            "DoNotSchedule}]",
            {"spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: \"{z, "
             "DoNotSchedule}\"",
             "spec.topologySpreadConstraints[0].matchLabelKeys[0]: Invalid value: \"app\": exists in both "
             "matchLabelKeys and labelSelector"}},
        Case{"affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [" + std::string(kTerm) +
                 ", matchLabelKeys: [a], mismatchLabelKeys: [a]}]}}",
             {"spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys[0]: Invalid "
              "value: \"a\": exists in both matchLabelKeys and mismatchLabelKeys"}},
        Case{"affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}}}",
             {"spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required "
              "value: must have at least one node selector term"}}));

TEST(PodAffinity, LabelKeysBecomePartOfTheSelector) {
  Value made = prepared("", "Pod",
                        pod(with_container("affinity: {podAntiAffinity: "
                                           "{requiredDuringSchedulingIgnoredDuringExecution: "
                                           "[{topologyKey: host, labelSelector: {}, matchLabelKeys: "
                                           "[app, other]}]}}")));
  const Value& term =
      made.at({"spec", "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution"}).items()[0];
  EXPECT_EQ(term.at({"labelSelector", "matchExpressions"}),
            Value::array({Value::object({{"key", "app"}, {"operator", "In"}, {"values", Value::array({"a"})}})}));
  EXPECT_THAT(problems("", "Pod", made), IsEmpty());
}

TEST(PodDefaults, PodLevelRequestsComeFromContainersOrLimits) {
  Value made =
      pod("{resources: {limits: {cpu: 2, memory: 1Gi}}, containers: [{name: c, image: i, resources: {requests: "
          "{cpu: 250m}}}, {name: d, image: i, resources: {requests: {cpu: 250m}}}]}");
  EXPECT_EQ(made.at({"spec", "resources", "requests"}), Value::object({{"cpu", "500m"}, {"memory", "1Gi"}}));
  EXPECT_EQ(pod(with_container(volume("image: {reference: 'i:latest'}")))
                .at({"spec", "volumes"})
                .items()[0]
                .at({"image", "pullPolicy"})
                .as_string(),
            "Always");
}

constexpr std::string_view kGated = "{schedulingGates: [{name: g}], containers: [{name: c, image: i}]";

TEST(PodUpdate, GatedPodsMayBeNarrowed) {
  auto gated = [](std::string_view affinity) {
    return pod(std::string(kGated) + (affinity.empty() ? "}" : ", affinity: " + std::string(affinity) + "}"));
  };
  auto requiring = [](std::string_view expressions) {
    return "{nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [" +
           std::string(expressions) + "]}]}}}";
  };
  std::string one = requiring("{key: a, operator: Exists}");
  std::string two = requiring("{key: a, operator: Exists}, {key: b, operator: Exists}");
  EXPECT_THAT(update_problems("", "Pod", gated(one), gated("")), IsEmpty());
  EXPECT_THAT(update_problems("", "Pod", gated(two), gated(one)), IsEmpty());
  EXPECT_THAT(update_problems("", "Pod", gated(one), gated(two)),
              ElementsAre(HasSubstr("nodeSelectorTerms[0]: Invalid value: {\"matchExpressions\"")));
  EXPECT_THAT(update_problems("", "Pod", gated(""), gated(one)),
              ElementsAre(HasSubstr("nodeSelectorTerms: Invalid value: []: no additions/deletions to non-empty "
                                    "NodeSelectorTerms list are allowed")));
  EXPECT_THAT(update_problems("", "Pod", gated("{podAffinity: {}}"), gated("")),
              ElementsAre(HasSubstr("spec: Forbidden: pod updates may not change fields other than")));
}

TEST(PodUpdate, KeepsMirrorAnnotation) {
  Value old = pod(with_container(""));
  Value marked = old;
  marked.set({"metadata", "annotations", "kubernetes.io/config.mirror"}, "x");
  EXPECT_THAT(update_problems("", "Pod", marked, old),
              ElementsAre("metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not add mirror pod "
                          "annotation"));
}

TEST(PodStatus, AddressesAndConditionsAreChecked) {
  Value old = pod(with_container(""));
  Value now = old;
  now.set({"status", "podIPs"},
          Value::array({Value::object({{"ip", "10.0.0.1"}}), Value::object({{"ip", "10.0.0.1"}})}));
  now.set({"status", "hostIPs"}, Value::array({Value::object({{"ip", "10.0.0.2"}})}));
  now.set({"status", "conditions"}, Value::array({Value::object({{"type", "not a name"}, {"status", "True"}})}));
  EXPECT_THAT(status_problems("", "Pod", now, old),
              ElementsAre(HasSubstr("metadata.conditions[0].Type: Invalid value: \"not a name\": name part"),
                          HasSubstr("status.podIPs[1]: Duplicate value"), HasSubstr("status.podIPs: Invalid value"),
                          "status.hostIPs[0].ip: Invalid value: \"10.0.0.2\": must be equal to `hostIP`"));
}

}  // namespace
}  // namespace stead::kinds
