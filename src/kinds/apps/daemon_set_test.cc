// Daemon sets: defaults by version, what is refused, the count of templates, the row of kubectl.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/meta/test_documents.h"
#include "object/time.h"

namespace stead::kinds {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kSet = R"(
metadata: {name: agent, namespace: ns}
spec:
  selector: {matchLabels: {app: agent}}
  template: {metadata: {labels: {app: agent}}, spec: {nodeSelector: {disk: ssd}, containers: [{name: c, image: i}]}}
)";

std::vector<std::string> problems_with(std::initializer_list<std::string_view> path, Value value) {
  Value made = load("apps", "DaemonSet", "v1", kSet);
  made.set(path, std::move(value));
  return problems("apps", "DaemonSet", made);
}

TEST(DaemonSetDefaults, OfTheCurrentVersions) {
  for (std::string_view version : {"v1", "v1beta2"}) {
    Value made = load("apps", "DaemonSet", version, kSet);
    EXPECT_EQ(made.at({"spec", "updateStrategy", "type"}).as_string(), "RollingUpdate");
    EXPECT_EQ(made.at({"spec", "updateStrategy", "rollingUpdate", "maxUnavailable"}).as_int(), 1);
    EXPECT_EQ(made.at({"spec", "updateStrategy", "rollingUpdate", "maxSurge"}).as_int(-1), 0);
    EXPECT_EQ(made.at({"spec", "revisionHistoryLimit"}).as_int(), 10);
    EXPECT_THAT(problems("apps", "DaemonSet", made), IsEmpty());
  }
}

TEST(DaemonSetRules, RejectWhatCannotWork) {
  EXPECT_THAT(problems_with({"spec", "selector"}, Value::object()),
              ElementsAre("spec.selector: Invalid value: {}: empty selector is invalid for daemonset"));
  EXPECT_THAT(problems_with({"spec", "template", "spec", "activeDeadlineSeconds"}, 5),
              ElementsAre(HasSubstr("activeDeadlineSeconds in DaemonSet is not Supported")));
  EXPECT_THAT(problems_with({"spec", "updateStrategy", "rollingUpdate", "maxSurge"}, 1),
              ElementsAre("spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when "
                          "maxUnavailable is non-zero"));
  EXPECT_THAT(problems_with({"spec", "updateStrategy", "rollingUpdate", "maxUnavailable"}, 0),
              ElementsAre("spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge "
                          "is 0"));
  EXPECT_THAT(problems_with({"spec", "updateStrategy", "type"}, "Never"),
              ElementsAre(HasSubstr("supported values: \"RollingUpdate\", \"OnDelete\"")));
}

TEST(DaemonSetRules, CountsTemplates) {
  const Rules& rules = registry().find("apps", "daemonsets")->rules;
  Value old = load("apps", "DaemonSet", "v1", kSet);
  rules.prepare_create(old);
  constexpr std::string_view kAnnotation = "deprecated.daemonset.template.generation";
  EXPECT_EQ(old.at({"metadata", "annotations", kAnnotation}).as_string(), "1");
  Value changed = old;
  changed.set({"metadata", "annotations", kAnnotation}, "77");
  rules.prepare_update(changed, old);
  EXPECT_EQ(changed.at({"metadata", "annotations", kAnnotation}).as_string(), "1");
  changed.set({"spec", "template", "spec", "hostNetwork"}, true);
  rules.prepare_update(changed, old);
  EXPECT_EQ(changed.at({"metadata", "annotations", kAnnotation}).as_string(), "2");
}

TEST(DaemonSetRow, ShowsCounts) {
  Value made = load("apps", "DaemonSet", "v1", kSet);
  made.set({"metadata", "creationTimestamp"}, "2026-01-01T00:00:00Z");
  made.set({"status"}, Value::object({{"desiredNumberScheduled", 3},
                                      {"currentNumberScheduled", 2},
                                      {"numberReady", 1},
                                      {"updatedNumberScheduled", 2},
                                      {"numberAvailable", 1}}));
  EXPECT_THAT(row("apps", "DaemonSet", made, *object::parse_time("2026-01-01T00:00:05Z")),
              ElementsAre("agent", "3", "2", "1", "2", "1", "disk=ssd", "5s", "c", "i", "app=agent"));
}

}  // namespace
}  // namespace stead::kinds
