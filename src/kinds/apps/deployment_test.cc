// Deployments and replica sets: defaults by version, what is refused, what updates may change, the rows of kubectl.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/meta/test_documents.h"
#include "object/time.h"

namespace stead::kinds {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kDeployment = R"(
metadata: {name: web, namespace: ns}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: i}]}
)";

Value deployment() { return load("apps", "Deployment", "v1", kDeployment); }

std::vector<std::string> problems_with(std::initializer_list<std::string_view> path, Value value) {
  Value changed = deployment();
  changed.set(path, std::move(value));
  return problems("apps", "Deployment", changed);
}

TEST(DeploymentDefaults, OfTheCurrentVersion) {
  const Value made = deployment();
  const Value& spec = made.at("spec");
  EXPECT_EQ(spec.at("replicas").as_int(), 1);
  EXPECT_EQ(spec.at({"strategy", "type"}).as_string(), "RollingUpdate");
  EXPECT_EQ(spec.at({"strategy", "rollingUpdate", "maxSurge"}).as_string(), "25%");
  EXPECT_EQ(spec.at({"strategy", "rollingUpdate", "maxUnavailable"}).as_string(), "25%");
  EXPECT_EQ(spec.at("revisionHistoryLimit").as_int(), 10);
  EXPECT_EQ(spec.at("progressDeadlineSeconds").as_int(), 600);
  EXPECT_EQ(spec.at({"template", "spec", "restartPolicy"}).as_string(), "Always");
  EXPECT_THAT(problems("apps", "Deployment", made), IsEmpty());
}

TEST(DeploymentDefaults, RecreateHasNoRollingUpdate) {
  Value made = load("apps", "Deployment", "v1", R"(
metadata: {name: web, namespace: ns}
spec:
  strategy: {type: Recreate}
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}
)");
  EXPECT_TRUE(made.at({"spec", "strategy", "rollingUpdate"}).is_null());
  EXPECT_THAT(problems("apps", "Deployment", made), IsEmpty());
}

TEST(DeploymentDefaults, OfTheFirstVersion) {
  Value made = load("apps", "Deployment", "v1beta1", R"(
metadata: {name: web, namespace: ns}
spec:
  rollbackTo: {revision: 3}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}
)");
  EXPECT_EQ(made.at({"spec", "selector", "matchLabels", "app"}).as_string(), "web");
  EXPECT_EQ(made.at({"metadata", "labels", "app"}).as_string(), "web");
  EXPECT_EQ(made.at({"spec", "revisionHistoryLimit"}).as_int(), 2);
  EXPECT_EQ(made.at({"metadata", "annotations", "deprecated.deployment.rollback.to"}).as_string(), "3");
  EXPECT_THAT(problems("apps", "Deployment", made), IsEmpty());
}

TEST(DeploymentRules, TheExtensionsVersionMovesOnePodAtATime) {
  Value made = load("extensions", "Deployment", "v1beta1", R"(
apiVersion: extensions/v1beta1
kind: Deployment
metadata: {name: web, namespace: ns}
spec:
  rollbackTo: {revision: 3}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}
)");
  EXPECT_EQ(made.at({"spec", "replicas"}).as_int(), 1);
  EXPECT_EQ(made.at({"spec", "selector", "matchLabels", "app"}).as_string(), "web");
  EXPECT_EQ(made.at({"metadata", "labels", "app"}).as_string(), "web");
  EXPECT_EQ(made.at({"spec", "strategy", "rollingUpdate", "maxSurge"}).as_int(), 1);
  EXPECT_EQ(made.at({"spec", "strategy", "rollingUpdate", "maxUnavailable"}).as_int(), 1);
  EXPECT_EQ(made.at({"spec", "revisionHistoryLimit"}).as_int(), 2147483647);
  EXPECT_EQ(made.at({"spec", "progressDeadlineSeconds"}).as_int(), 2147483647);
  EXPECT_THAT(problems("extensions", "Deployment", made), IsEmpty());

  EXPECT_EQ(made.at({"metadata", "annotations", "deprecated.deployment.rollback.to"}).as_string(), "3");
  registry().find("extensions", "deployments")->version("extensions", "v1beta1")->from_hub(made);
  EXPECT_EQ(made.at({"spec", "rollbackTo", "revision"}).as_int(), 3);
  EXPECT_EQ(made.find({"metadata", "annotations", "deprecated.deployment.rollback.to"}), nullptr);
}

TEST(DeploymentRules, RejectWhatCannotWork) {
  EXPECT_THAT(problems_with({"spec", "replicas"}, -1),
              ElementsAre("spec.replicas: Invalid value: -1: must be greater than or equal to 0"));
  EXPECT_THAT(problems_with({"spec", "selector"}, Value::object()),
              ElementsAre("spec.selector: Invalid value: {}: empty selector is invalid for deployment"));
  EXPECT_THAT(problems_with({"spec", "template", "metadata", "labels", "app"}, "db"),
              ElementsAre(HasSubstr("`selector` does not match template `labels`")));
  EXPECT_THAT(problems_with({"spec", "strategy", "type"}, "Recreate"),
              ElementsAre("spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is "
                          "'Recreate'"));
  EXPECT_THAT(problems_with({"spec", "strategy", "type"}, "Blue"),
              ElementsAre("spec.strategy.type: Unsupported value: \"Blue\": supported values: \"Recreate\", "
                          "\"RollingUpdate\""));
  EXPECT_THAT(
      problems_with({"spec", "strategy", "rollingUpdate"}, Value::object({{"maxSurge", 0}, {"maxUnavailable", "0%"}})),
      ElementsAre("spec.strategy.rollingUpdate.maxUnavailable: Invalid value: \"0%\": may not be 0 when "
                  "`maxSurge` is 0"));
  EXPECT_THAT(problems_with({"spec", "strategy", "rollingUpdate", "maxUnavailable"}, "101%"),
              ElementsAre(HasSubstr("must not be greater than 100%")));
  EXPECT_THAT(problems_with({"spec", "strategy", "rollingUpdate", "maxSurge"}, "many"),
              ElementsAre(HasSubstr("a valid percent string must be")));
  EXPECT_THAT(problems_with({"spec", "progressDeadlineSeconds"}, 0),
              ElementsAre("spec.progressDeadlineSeconds: Invalid value: 0: must be greater than minReadySeconds"));
  EXPECT_THAT(problems_with({"spec", "template", "spec", "restartPolicy"}, "Never"),
              ElementsAre(HasSubstr("supported values: \"Always\"")));
}

TEST(DeploymentRules, TheSelectorStays) {
  Value changed = deployment();
  changed.set({"spec", "selector", "matchLabels"}, Value::object({{"app", "db"}}));
  changed.set({"spec", "template", "metadata", "labels", "app"}, "db");
  EXPECT_THAT(update_problems("apps", "Deployment", changed, deployment()),
              ElementsAre(HasSubstr("field is immutable")));
}

TEST(DeploymentRules, AnnotationsCountAsIntent) {
  Value old = deployment();
  old.set({"metadata", "generation"}, 4);
  Value changed = old;
  const Rules& rules = registry().find("apps", "deployments")->rules;
  rules.prepare_update(changed, old);
  EXPECT_EQ(changed.at({"metadata", "generation"}).as_int(), 4);
  changed.set({"metadata", "annotations", "a"}, "b");
  rules.prepare_update(changed, old);
  EXPECT_EQ(changed.at({"metadata", "generation"}).as_int(), 5);
}

TEST(DeploymentRow, ShowsCounts) {
  Value made = deployment();
  made.set({"metadata", "creationTimestamp"}, "2026-01-01T00:00:00Z");
  made.set({"status"}, Value::object({{"readyReplicas", 2}, {"updatedReplicas", 1}, {"availableReplicas", 2}}));
  made.set({"spec", "replicas"}, 3);
  EXPECT_THAT(row("apps", "Deployment", made, *object::parse_time("2026-01-01T00:00:05Z")),
              ElementsAre("web", "2/3", "1", "2", "5s", "c", "i", "app=web"));
}

TEST(ReplicaSetRules, TheExtensionsVersionSelectsByTheTemplate) {
  Value made = load("extensions", "ReplicaSet", "v1beta1", R"(
apiVersion: extensions/v1beta1
kind: ReplicaSet
metadata: {name: web, namespace: ns}
spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}}
)");
  EXPECT_EQ(made.at({"spec", "replicas"}).as_int(), 1);
  EXPECT_EQ(made.at({"spec", "selector", "matchLabels", "app"}).as_string(), "web");
  EXPECT_THAT(problems("extensions", "ReplicaSet", made), IsEmpty());
}

TEST(ReplicaSetRow, ShowsCounts) {
  Value made = load("apps", "ReplicaSet", "v1", kDeployment);
  EXPECT_THAT(problems("apps", "ReplicaSet", made), IsEmpty());
  made.set({"metadata", "creationTimestamp"}, "2026-01-01T00:00:00Z");
  made.set({"status"}, Value::object({{"replicas", 1}, {"readyReplicas", 1}}));
  EXPECT_THAT(row("apps", "ReplicaSet", made, *object::parse_time("2026-01-01T00:00:05Z")),
              ElementsAre("web", "1", "1", "1", "5s", "c", "i", "app=web"));
}

}  // namespace
}  // namespace stead::kinds
