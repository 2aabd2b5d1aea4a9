#include "kinds/core/pod_warnings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/meta/test_documents.h"

namespace stead::kinds {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> pod_warnings(std::string_view spec, std::string_view metadata = "name: p") {
  return warnings_of(
      "", "Pod",
      load("", "Pod", "v1", "metadata: {namespace: ns, " + std::string(metadata) + "}\nspec: " + std::string(spec)));
}

TEST(PodWarnings, SayNothingOfPlainPods) {
  EXPECT_THAT(
      pod_warnings("{containers: [{name: c, image: i, env: [{name: A, value: x}, {name: B, value: $(A)}], ports: "
                   "[{containerPort: 80}, {containerPort: 81}]}]}"),
      IsEmpty());
}

TEST(PodWarnings, NameWhatIsHardlyMeant) {
  EXPECT_THAT(
      pod_warnings("{containers: [{name: c, image: i}]}", "name: a.b"),
      ElementsAre("metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a "
                  "DNS label is recommended: [must not contain dots]"));
  EXPECT_THAT(
      pod_warnings("{containers: [{name: c, image: i, env: [{name: A, value: x}, {name: A, value: z}, {name: A, "
                   "value: $(A)z}]}]}"),
      ElementsAre("spec.containers[0].env[1]: hides previous definition of \"A\", which may be dropped when "
                  "using apply"));
  EXPECT_THAT(pod_warnings("{nodeSelector: {beta.kubernetes.io/os: linux}, containers: [{name: c, image: i}]}"),
              ElementsAre("spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "
                          "\"kubernetes.io/os\" instead"));
  EXPECT_THAT(
      pod_warnings("{containers: [{name: c, image: i, ports: [{containerPort: 80}]}, {name: d, image: i, ports: "
                   "[{containerPort: 80}]}]}"),
      ElementsAre("spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]"));
  EXPECT_THAT(
      pod_warnings("{containers: [{name: c, image: i, resources: {limits: {memory: 100m}}}]}"),
      ElementsAre("spec.containers[0].resources.limits[memory]: fractional byte value \"100m\" is invalid, must "
                  "be an integer",
                  "spec.containers[0].resources.requests[memory]: fractional byte value \"100m\" is invalid, "
                  "must be an integer"));
  EXPECT_THAT(
      pod_warnings("{volumes: [{name: v, rbd: {monitors: [m], image: i}}, {name: w, configMap: {name: m, items: "
                   "[{key: a, path: d}, {key: b, path: d/e}]}}], containers: [{name: c, image: i}]}"),
      ElementsAre("spec.volumes[0].rbd: deprecated in v1.28, non-functional in v1.31+",
                  "volume \"w\" (ConfigMap \"m\"): overlapping paths: \"d/e\" with \"d\""));
  EXPECT_THAT(pod_warnings("{terminationGracePeriodSeconds: -1, imagePullSecrets: [{name: a}, {name: a}], containers: "
                           "[{name: c, image: i}]}"),
              ElementsAre("spec.imagePullSecrets[1].name: duplicate name \"a\"",
                          "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be "
                          "treated as 1"));
}

TEST(WorkloadWarnings, NameThePathInTheTemplate) {
  Value made = load("apps", "Deployment", "v1",
                    "{metadata: {name: d, namespace: ns}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: "
                    "{labels: {a: b}, annotations: {scheduler.alpha.kubernetes.io/critical-pod: ''}}, spec: "
                    "{containers: [{name: c, image: i}]}}}}");
  auto found = warnings_of("apps", "Deployment", made);
  EXPECT_THAT(found, ElementsAre("spec.template.metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: "
                                 "non-functional in v1.16+; use the \"priorityClassName\" field instead"));
  EXPECT_THAT(warnings_of("apps", "Deployment", made, &made), IsEmpty());
}

TEST(OtherWarnings, SayWhatIsIgnoredOrOld) {
  auto of = [](std::string_view group, std::string_view kind, std::string_view yaml) {
    return warnings_of(group, kind, load(group, kind, "v1", yaml));
  };
  EXPECT_THAT(of("", "Service", "{spec: {clusterIP: None, sessionAffinity: ClientIP, ports: [{port: 80}]}}"),
              ElementsAre("spec.SessionAffinity is ignored for headless services"));
  EXPECT_THAT(of("networking.k8s.io", "Ingress", "{metadata: {annotations: {kubernetes.io/ingress.class: a}}}"),
              ElementsAre(HasSubstr("annotation \"kubernetes.io/ingress.class\" is deprecated")));
  EXPECT_THAT(of("", "Secret", "{type: kubernetes.io/tls, data: {tls.crt: '', tls.key: ''}}"),
              ElementsAre("tls: failed to find any PEM data in certificate input"));
  EXPECT_THAT(of("", "PersistentVolume", "{spec: {persistentVolumeReclaimPolicy: Recycle, cephfs: {monitors: [m]}}}"),
              ElementsAre(HasSubstr("The Recycle reclaim policy is deprecated"),
                          "spec.cephfs: deprecated in v1.28, non-functional in v1.31+"));
}

}  // namespace
}  // namespace stead::kinds
