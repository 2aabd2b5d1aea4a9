#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/meta/test_documents.h"
#include "object/codec.h"
#include "object/time.h"

namespace stead::kinds {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kSet = R"(
metadata: {name: web, namespace: ns}
spec:
  serviceName: web
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: c, image: i, volumeMounts: [{name: data, mountPath: /data}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
)";

Value changed(std::initializer_list<std::string_view> path, Value value) {
  Value set = load("apps", "StatefulSet", "v1", kSet);
  set.set(path, std::move(value));
  return set;
}

std::vector<std::string> set_problems(const Value& set) { return problems("apps", "StatefulSet", set); }

TEST(StatefulSetDefaults, OfTheCurrentVersion) {
  Value set = load("apps", "StatefulSet", "v1", kSet);
  const Value& spec = set.at("spec");
  EXPECT_EQ(spec.at("replicas").as_int(), 1);
  EXPECT_EQ(spec.at({"updateStrategy", "type"}).as_string(), "RollingUpdate");
  EXPECT_EQ(spec.at({"updateStrategy", "rollingUpdate", "partition"}).as_int(-1), 0);
  EXPECT_EQ(spec.at({"persistentVolumeClaimRetentionPolicy", "whenScaled"}).as_string(), "Retain");
  const Value& claim = spec.at("volumeClaimTemplates").items()[0];
  EXPECT_EQ(claim.at("kind").as_string(), "PersistentVolumeClaim");
  EXPECT_EQ(claim.at({"status", "phase"}).as_string(), "Pending");
  EXPECT_EQ(claim.at({"spec", "volumeMode"}).as_string(), "Filesystem");
  EXPECT_EQ(spec.at({"template", "spec", "restartPolicy"}).as_string(), "Always");
  // Only a pod gets this one, not a template.
  EXPECT_TRUE(spec.at({"template", "spec", "enableServiceLinks"}).is_null());
  EXPECT_THAT(set_problems(set), IsEmpty());
}

TEST(StatefulSetDefaults, OfTheFirstVersion) {
  Value set = load("apps", "StatefulSet", "v1beta1", R"(
metadata: {name: web, namespace: ns}
spec: {serviceName: web, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}})");
  EXPECT_EQ(set.at({"spec", "selector", "matchLabels", "app"}).as_string(), "web");
  EXPECT_EQ(set.at({"spec", "updateStrategy", "type"}).as_string(), "OnDelete");
  EXPECT_EQ(set.at({"metadata", "labels", "app"}).as_string(), "web");
  EXPECT_TRUE(set.at({"spec", "updateStrategy", "rollingUpdate"}).is_null());
  EXPECT_THAT(set_problems(set), IsEmpty());
}

TEST(StatefulSetRules, RejectWhatCannotWork) {
  Value no_selector = load("apps", "StatefulSet", "v1", kSet);
  no_selector.erase({"spec", "selector"});
  EXPECT_THAT(set_problems(no_selector), ElementsAre("spec.selector: Required value"));
  EXPECT_THAT(set_problems(changed({"spec", "template", "metadata", "labels", "app"}, "other")),
              ElementsAre("spec.template.metadata.labels: Invalid value: {\"app\":\"other\"}: `selector` does not "
                          "match template `labels`"));
  EXPECT_THAT(set_problems(changed({"spec", "replicas"}, -1)),
              ElementsAre("spec.replicas: Invalid value: -1: must be greater than or equal to 0"));
  EXPECT_THAT(set_problems(changed({"spec", "template", "spec", "restartPolicy"}, "Never")),
              ElementsAre("spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: "
                          "\"Always\""));
  EXPECT_THAT(set_problems(changed({"spec", "podManagementPolicy"}, "Any")),
              ElementsAre("spec.podManagementPolicy: Invalid value: \"Any\": must be 'OrderedReady' or 'Parallel'"));
  EXPECT_THAT(set_problems(changed({"spec", "updateStrategy", "rollingUpdate", "partition"}, -2)),
              ElementsAre(HasSubstr("spec.updateStrategy.rollingUpdate.partition: Invalid value: -2")));
  EXPECT_THAT(set_problems(changed({"spec", "ordinals", "start"}, -1)),
              ElementsAre(HasSubstr("spec.ordinals.start: Invalid value: -1")));
  EXPECT_THAT(set_problems(changed({"spec", "volumeClaimTemplates"}, Value::array())),
              ElementsAre("spec.template.spec.containers[0].volumeMounts[0].name: Not found: \"data\""));
}

TEST(StatefulSetRules, KeepIdentityAcrossUpdates) {
  Value old = load("apps", "StatefulSet", "v1", kSet);
  Value scaled = changed({"spec", "replicas"}, 3);
  scaled.set({"spec", "template", "metadata", "annotations", "a"}, "b");
  scaled.set({"spec", "minReadySeconds"}, 5);
  EXPECT_THAT(update_problems("apps", "StatefulSet", scaled, old), IsEmpty());
  EXPECT_THAT(update_problems("apps", "StatefulSet", changed({"spec", "serviceName"}, "other"), old),
              ElementsAre("spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', "
                          "'template', 'updateStrategy', 'revisionHistoryLimit', "
                          "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"));
}

TEST(StatefulSetRow, ShowsReadyOfWanted) {
  Value set = load("apps", "StatefulSet", "v1", kSet);
  set.set({"metadata", "creationTimestamp"}, "2026-01-01T00:00:00Z");
  set.set({"status", "readyReplicas"}, 2);
  set.set({"spec", "replicas"}, 3);
  EXPECT_THAT(row("apps", "StatefulSet", set, *object::parse_time("2026-01-01T00:00:05Z")),
              ElementsAre("web", "2/3", "5s", "c", "i"));
}

}  // namespace
}  // namespace stead::kinds
