#include "controllers/job/failure_policy.h"

#include <algorithm>

#include "controllers/pod_state.h"

namespace stead::controllers::job {
namespace {

// The status of the first container whose end the rule is about; nullptr if there is none.
const Value* match_exit_codes(const Value& requirement, const Object& pod) {
  std::string_view wanted = requirement.at("containerName").as_string();
  bool in = requirement.at("operator").as_string() == "In";
  auto values = requirement.at("values").items();
  for (std::string_view list : {"containerStatuses", "initContainerStatuses"}) {
    for (const Value& status : pod.status().at(list).items()) {
      const Value* ended = status.find({"state", "terminated"});
      int64_t code = ended == nullptr ? 0 : ended->at("exitCode").as_int();
      // Success is no failure to judge, whatever NotIn says.
      if (code == 0) continue;
      if (!wanted.empty() && status.at("name").as_string() != wanted) continue;
      bool listed =
          std::any_of(values.begin(), values.end(), [&](const Value& value) { return value.as_int() == code; });
      if (listed == in) return &status;
    }
  }
  return nullptr;
}

const Value* match_conditions(const Value& patterns, const Object& pod) {
  for (const Value& pattern : patterns.items()) {
    const Value* condition = find_condition(pod, pattern.at("type").as_string());
    if (condition != nullptr && condition->at("status") == pattern.at("status")) return condition;
  }
  return nullptr;
}

std::string full_name(const Object& pod) { return std::string(pod.ns()) + "/" + std::string(pod.name()); }

std::string rule_text(const Value& rule, size_t index) {
  return " matching " + std::string(rule.at("action").as_string()) + " rule at index " + std::to_string(index);
}

FailureAction action_of(const Value& rule) {
  std::string_view action = rule.at("action").as_string();
  if (action == "Ignore") return FailureAction::kIgnore;
  if (action == "FailIndex") return FailureAction::kFailIndex;
  if (action == "FailJob") return FailureAction::kFailJob;
  return FailureAction::kCount;
}

}  // namespace

FailureVerdict judge_failure(const Object& job, const Object& pod) {
  auto rules = job.spec().at({"podFailurePolicy", "rules"}).items();
  for (size_t i = 0; i < rules.size(); ++i) {
    const Value& rule = rules[i];
    if (const Value* codes = rule.find("onExitCodes")) {
      const Value* status = match_exit_codes(*codes, pod);
      if (status == nullptr) continue;
      return {action_of(rule), "Container " + std::string(status->at("name").as_string()) + " for pod " +
                                   full_name(pod) + " failed with exit code " +
                                   std::to_string(status->at({"state", "terminated", "exitCode"}).as_int()) +
                                   rule_text(rule, i)};
    }
    const Value* condition = match_conditions(rule.at("onPodConditions"), pod);
    if (condition == nullptr) continue;
    return {action_of(rule), "Pod " + full_name(pod) + " has condition " +
                                 std::string(condition->at("type").as_string()) + rule_text(rule, i)};
  }
  return {};
}

}  // namespace stead::controllers::job
