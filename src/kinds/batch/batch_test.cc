// Jobs and cron jobs: defaults, what is refused, what updates may change, the rows of kubectl.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/meta/test_documents.h"
#include "object/time.h"

namespace stead::kinds {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kJob = R"(
metadata: {name: sum, namespace: ns, uid: u1}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: c, image: i}]}
)";

const Rules& job_rules_of() { return registry().find("batch", "jobs")->rules; }

Value job(std::initializer_list<std::pair<std::string_view, Value>> spec = {}) {
  Value made = load("batch", "Job", "v1", kJob);
  for (const auto& [name, value] : spec) {
    made["spec"].set(name, value);
    if (value.is_null()) made["spec"].erase(name);
  }
  job_rules_of().prepare_create(made);
  return made;
}

std::vector<std::string> job_problems(std::initializer_list<std::pair<std::string_view, Value>> spec) {
  return problems("batch", "Job", job(spec));
}

TEST(JobDefaults, OnePodThatMustSucceed) {
  const Value made = job();
  const Value& spec = made.at("spec");
  EXPECT_EQ(spec.at("parallelism").as_int(), 1);
  EXPECT_EQ(spec.at("completions").as_int(), 1);
  EXPECT_EQ(spec.at("backoffLimit").as_int(), 6);
  EXPECT_EQ(spec.at("completionMode").as_string(), "NonIndexed");
  EXPECT_EQ(spec.at("podReplacementPolicy").as_string(), "TerminatingOrFailed");
  EXPECT_FALSE(spec.at("suspend").as_bool(true));
  EXPECT_EQ(spec.at({"selector", "matchLabels", "batch.kubernetes.io/controller-uid"}).as_string(), "u1");
  const Value& labels = spec.at({"template", "metadata", "labels"});
  EXPECT_EQ(labels.at("job-name").as_string(), "sum");
  EXPECT_EQ(labels.at("batch.kubernetes.io/job-name").as_string(), "sum");
  EXPECT_EQ(labels.at("controller-uid").as_string(), "u1");
  EXPECT_THAT(problems("batch", "Job", made), IsEmpty());
}

TEST(JobDefaults, ParallelismAloneIsAWorkQueue) {
  Value made = load("batch", "Job", "v1", "{metadata: {name: q, namespace: ns}, spec: {parallelism: 3}}");
  EXPECT_EQ(made.at("spec").find("completions"), nullptr);
}

TEST(JobRules, RejectWhatCannotWork) {
  EXPECT_THAT(job_problems({{"parallelism", -1}}),
              ElementsAre("spec.parallelism: Invalid value: -1: must be greater than or equal to 0"));
  EXPECT_THAT(job_problems({{"completionMode", "Indexed"}, {"completions", Value()}}),
              ElementsAre("spec.completions: Required value: when completion mode is Indexed"));
  EXPECT_THAT(job_problems({{"backoffLimitPerIndex", 1}}),
              ElementsAre("spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"));
  EXPECT_THAT(job_problems({{"podReplacementPolicy", "Sometimes"}}),
              ElementsAre(HasSubstr("spec.podReplacementPolicy: Unsupported value: \"Sometimes\"")));
  Value always = load("batch", "Job", "v1", R"(
metadata: {name: sum, namespace: ns, uid: u1}
spec: {template: {spec: {containers: [{name: c, image: i}]}}}
)");
  job_rules_of().prepare_create(always);
  EXPECT_THAT(problems("batch", "Job", always),
              ElementsAre("spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\""));
  Value wrong_label = job();
  wrong_label.set({"spec", "template", "metadata", "labels", "job-name"}, "other");
  EXPECT_THAT(problems("batch", "Job", wrong_label),
              ElementsAre(HasSubstr("spec.template.metadata.labels[job-name]: Invalid value")));
}

TEST(JobRules, FailurePolicy) {
  auto policy = [](Value rule) { return Value::object({{"rules", Value::array({std::move(rule)})}}); };
  Value codes = Value::object({{"operator", "In"}, {"values", Value::array({3, 1, 0})}, {"containerName", "x"}});
  EXPECT_THAT(
      job_problems({{"podFailurePolicy", policy(Value::object({{"action", "FailJob"}, {"onExitCodes", codes}}))},
                    {"podReplacementPolicy", "Failed"}}),
      ElementsAre("spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: \"x\": must be one of the "
                  "container or initContainer names in the pod template",
                  "spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Invalid value: 0: must not be 0 for the In "
                  "operator",
                  "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [3,1,0]: must be ordered"));
  EXPECT_THAT(job_problems({{"podFailurePolicy", policy(Value::object({{"action", "FailIndex"}}))},
                            {"podReplacementPolicy", "Failed"}}),
              ElementsAre(HasSubstr("requires the backoffLimitPerIndex to be set"),
                          HasSubstr("specifying one of OnExitCodes and OnPodConditions is required")));
}

TEST(JobRules, SuccessPolicy) {
  auto with = [](Value rule) {
    return job_problems({{"completionMode", "Indexed"},
                         {"completions", 4},
                         {"successPolicy", Value::object({{"rules", Value::array({std::move(rule)})}})}});
  };
  EXPECT_THAT(with(Value::object({{"succeededIndexes", "0-2"}, {"succeededCount", 2}})), IsEmpty());
  EXPECT_THAT(with(Value::object({{"succeededIndexes", "0-9"}})), ElementsAre(HasSubstr("too large index: \"9\"")));
  EXPECT_THAT(with(Value::object({{"succeededCount", 5}})),
              ElementsAre(HasSubstr("must be less than or equal to 4 (the number of specified completions)")));
  EXPECT_THAT(with(Value::object()), ElementsAre(HasSubstr("at least one of succeededCount or succeededIndexes")));
}

TEST(JobUpdate, TheTemplateStays) {
  Value old = job();
  Value changed = old;
  changed["spec"]["template"]["spec"]["containers"].mutable_items()[0].set("image", "other");
  EXPECT_THAT(update_problems("batch", "Job", changed, old), ElementsAre(HasSubstr("spec.template: Invalid value")));
  changed = old;
  changed.set({"spec", "completions"}, 3);
  EXPECT_THAT(update_problems("batch", "Job", changed, old),
              ElementsAre("spec.completions: Invalid value: 3: field is immutable"));
  changed = old;
  changed.set({"spec", "parallelism"}, 5);
  changed.set({"spec", "suspend"}, true);
  EXPECT_THAT(update_problems("batch", "Job", changed, old), IsEmpty());
}

TEST(JobUpdate, ASuspendedJobMayBeSteered) {
  Value old = job({{"suspend", true}});
  Value changed = old;
  changed.set({"spec", "template", "spec", "nodeSelector"}, Value::object({{"zone", "a"}}));
  EXPECT_THAT(update_problems("batch", "Job", changed, old), IsEmpty());
  old.set({"status", "startTime"}, "2026-01-01T00:00:00Z");
  EXPECT_THAT(update_problems("batch", "Job", changed, old), ElementsAre(HasSubstr("field is immutable")));
}

TEST(JobUpdate, IndexedJobsAreElastic) {
  Value old = job({{"completionMode", "Indexed"}, {"completions", 2}, {"parallelism", 2}});
  Value changed = old;
  changed.set({"spec", "completions"}, 3);
  EXPECT_THAT(update_problems("batch", "Job", changed, old),
              ElementsAre(HasSubstr("can only be modified in tandem with spec.parallelism")));
  changed.set({"spec", "parallelism"}, 3);
  EXPECT_THAT(update_problems("batch", "Job", changed, old), IsEmpty());
}

TEST(JobRow, SaysHowItStands) {
  WallTime now = *object::parse_time("2026-01-01T00:01:00Z");
  Value made = job();
  made.set({"metadata", "creationTimestamp"}, "2026-01-01T00:00:00Z");
  made.set({"status", "startTime"}, "2026-01-01T00:00:10Z");
  EXPECT_THAT(row("batch", "Job", made, now),
              ElementsAre("sum", "Running", "0/1", "50s", "60s", "c", "i", "batch.kubernetes.io/controller-uid=u1"));
  made.set({"status", "completionTime"}, "2026-01-01T00:00:14Z");
  made.set({"status", "succeeded"}, 1);
  made.set({"status", "conditions"}, Value::array({Value::object({{"type", "Complete"}, {"status", "True"}})}));
  EXPECT_THAT(row("batch", "Job", made, now),
              ElementsAre("sum", "Complete", "1/1", "4s", "60s", "c", "i", HasSubstr("u1")));
}

constexpr std::string_view kCronJob = R"(
metadata: {name: nightly, namespace: ns}
spec:
  schedule: "0 3 * * *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: OnFailure, containers: [{name: c, image: i}]}}}}
)";

std::vector<std::string> cron_problems(std::initializer_list<std::string_view> path, Value value) {
  Value made = load("batch", "CronJob", "v1", kCronJob);
  made.set(path, std::move(value));
  return problems("batch", "CronJob", made);
}

TEST(CronJobDefaults, OfBothVersions) {
  for (std::string_view version : {"v1", "v1beta1"}) {
    Value made = load("batch", "CronJob", version, kCronJob);
    EXPECT_EQ(made.at({"spec", "concurrencyPolicy"}).as_string(), "Allow");
    EXPECT_EQ(made.at({"spec", "successfulJobsHistoryLimit"}).as_int(), 3);
    EXPECT_EQ(made.at({"spec", "failedJobsHistoryLimit"}).as_int(), 1);
    EXPECT_EQ(made.at({"spec", "jobTemplate", "spec"}).find("backoffLimit"), nullptr) << "a job's default, not ours";
    EXPECT_THAT(problems("batch", "CronJob", made), IsEmpty());
  }
}

TEST(CronJobRules, RejectWhatCannotWork) {
  EXPECT_THAT(cron_problems({"spec", "schedule"}, "61 * * * *"),
              ElementsAre("spec.schedule: Invalid value: \"61 * * * *\": end of range (61) above maximum (59): 61"));
  EXPECT_THAT(cron_problems({"spec", "schedule"}, "TZ=UTC 1 * * * *"),
              ElementsAre(HasSubstr("cannot use TZ or CRON_TZ in schedule, use timeZone field instead")));
  EXPECT_THAT(cron_problems({"spec", "timeZone"}, "Mars/Base"),
              ElementsAre("spec.timeZone: Invalid value: \"Mars/Base\": unknown time zone Mars/Base"));
  EXPECT_THAT(cron_problems({"spec", "timeZone"}, "Local"), ElementsAre(HasSubstr("explicit time zone")));
  EXPECT_THAT(cron_problems({"spec", "timeZone"}, "Europe/Berlin"), IsEmpty());
  EXPECT_THAT(cron_problems({"spec", "concurrencyPolicy"}, "Maybe"),
              ElementsAre("spec.concurrencyPolicy: Unsupported value: \"Maybe\": supported values: \"Allow\", "
                          "\"Forbid\", \"Replace\""));
  EXPECT_THAT(cron_problems({"metadata", "name"}, std::string(53, 'a')),
              ElementsAre(HasSubstr("must be no more than 52 characters")));
  EXPECT_THAT(cron_problems({"spec", "jobTemplate", "spec", "template", "spec", "restartPolicy"}, "Always"),
              ElementsAre(HasSubstr("spec.jobTemplate.spec.template.spec.restartPolicy: Required value")));
}

TEST(CronJobRow, ShowsWhenItRan) {
  WallTime now = *object::parse_time("2026-01-01T00:01:00Z");
  Value made = load("batch", "CronJob", "v1", kCronJob);
  made.set({"metadata", "creationTimestamp"}, "2026-01-01T00:00:00Z");
  EXPECT_THAT(row("batch", "CronJob", made, now),
              ElementsAre("nightly", "0 3 * * *", "<none>", "False", "0", "<none>", "60s", "c", "i", "<none>"));
}

}  // namespace
}  // namespace stead::kinds
