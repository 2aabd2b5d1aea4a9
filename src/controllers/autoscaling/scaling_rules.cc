#include "controllers/autoscaling/scaling_rules.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace stead::controllers::autoscaling {
namespace {

constexpr std::chrono::seconds kLongestWindow{3600};

enum class Direction { kUp, kDown };

struct Policy {
  bool percent = false;
  int64_t value = 0;
  std::chrono::seconds period{0};
};

struct Rules {
  std::chrono::seconds window{0};
  std::string_view select = "Max";
  std::vector<Policy> policies;
};

Rules read_rules(const Value& spec, Direction direction) {
  bool up = direction == Direction::kUp;
  const Value& given = spec.at({"behavior", up ? "scaleUp" : "scaleDown"});
  Rules rules;
  rules.window = std::chrono::seconds(given.at("stabilizationWindowSeconds").as_int(up ? 0 : 300));
  if (const Value* select = given.find("selectPolicy")) rules.select = select->as_string();
  for (const Value& policy : given.at("policies").items()) {
    rules.policies.push_back({policy.at("type").as_string() == "Percent", policy.at("value").as_int(),
                              std::chrono::seconds(policy.at("periodSeconds").as_int())});
  }
  if (rules.policies.empty()) {
    rules.policies.push_back({true, 100, std::chrono::seconds(15)});
    if (up) rules.policies.push_back({false, 4, std::chrono::seconds(15)});
  }
  return rules;
}

// The size at the beginning of a policy's period.
int64_t size_before(const History& history, int64_t current, std::chrono::seconds period, WallTime now) {
  int64_t size = current;
  for (const History::Change& change : history.changes) {
    if (change.at > now - period) size -= change.replicas;
  }
  return size;
}

int64_t furthest_up(const Rules& rules, const History& history, int64_t current, WallTime now) {
  if (rules.select == "Disabled") return current;
  bool least = rules.select == "Min";
  int64_t limit = least ? std::numeric_limits<int32_t>::max() : 0;
  for (const Policy& policy : rules.policies) {
    int64_t before = size_before(history, current, policy.period, now);
    int64_t proposed = policy.percent ? static_cast<int64_t>(std::ceil(static_cast<double>(before) *
                                                                       (1 + static_cast<double>(policy.value) / 100)))
                                      : before + policy.value;
    limit = least ? std::min(limit, proposed) : std::max(limit, proposed);
  }
  return std::max(limit, current);
}

int64_t furthest_down(const Rules& rules, const History& history, int64_t current, WallTime now) {
  if (rules.select == "Disabled") return current;
  bool least = rules.select == "Min";
  int64_t limit = least ? 0 : std::numeric_limits<int32_t>::max();
  for (const Policy& policy : rules.policies) {
    int64_t before = size_before(history, current, policy.period, now);
    int64_t proposed =
        policy.percent
            ? static_cast<int64_t>(static_cast<double>(before) * (1 - static_cast<double>(policy.value) / 100))
            : before - policy.value;
    limit = least ? std::max(limit, proposed) : std::min(limit, proposed);
  }
  return std::min(limit, current);
}

// Within its window the smallest recommendation holds for growing and the largest for shrinking.
int64_t stabilize(const Rules& up, const Rules& down, int64_t current, int64_t wanted, const History& history,
                  WallTime now) {
  int64_t low = wanted;
  int64_t high = wanted;
  for (const History::Recommendation& past : history.recommendations) {
    if (past.at > now - up.window) low = std::min(low, past.replicas);
    if (past.at > now - down.window) high = std::max(high, past.replicas);
  }
  return std::clamp(current, low, high);
}

Normalized limit(const Value& spec, const Rules& up, const Rules& down, int64_t current, int64_t wanted,
                 const History& history, WallTime now) {
  Normalized made;
  int64_t least = spec.at("minReplicas").as_int(1);
  int64_t most = spec.at("maxReplicas").as_int();
  if (wanted > current) {
    int64_t fastest = furthest_up(up, history, current, now);
    bool by_rate = fastest < most;
    made.replicas = std::min(wanted, std::min(fastest, most));
    if (made.replicas < wanted) {
      made.limited = by_rate ? Verdict{true, "ScaleUpLimit",
                                       "the desired replica count is increasing faster than the maximum scale rate"}
                             : Verdict{true, "TooManyReplicas",
                                       "the desired replica count is more than the maximum replica count"};
      return made;
    }
  } else if (wanted < current) {
    int64_t fastest = furthest_down(down, history, current, now);
    bool by_rate = fastest > least;
    made.replicas = std::max(wanted, std::max(fastest, least));
    if (made.replicas > wanted) {
      made.limited =
          by_rate ? Verdict{true, "ScaleDownLimit",
                            "the desired replica count is decreasing faster than the maximum scale rate"}
                  : Verdict{true, "TooFewReplicas", "the desired replica count is less than the minimum replica count"};
      return made;
    }
  }
  made.replicas = wanted;
  made.limited = {false, "DesiredWithinRange", "the desired count is within the acceptable range"};
  return made;
}

}  // namespace

Normalized normalize(const Value& spec, int64_t current, int64_t wanted, History& history, WallTime now) {
  Rules up = read_rules(spec, Direction::kUp);
  Rules down = read_rules(spec, Direction::kDown);
  std::erase_if(history.recommendations, [&](const auto& past) { return past.at <= now - kLongestWindow; });
  std::erase_if(history.changes, [&](const auto& past) { return past.at <= now - kLongestWindow; });
  history.recommendations.push_back({now, wanted});
  int64_t steady = stabilize(up, down, current, wanted, history, now);
  Normalized made = limit(spec, up, down, current, steady, history, now);
  if (steady == wanted) {
    made.able_to_scale = {true, "ReadyForNewScale", "recommended size matches current size"};
  } else if (wanted > current) {
    made.able_to_scale = {true, "ScaleUpStabilized",
                          "recent recommendations were lower than current one, applying the lowest recent "
                          "recommendation"};
  } else {
    made.able_to_scale = {true, "ScaleDownStabilized",
                          "recent recommendations were higher than current one, applying the highest recent "
                          "recommendation"};
  }
  return made;
}

}  // namespace stead::controllers::autoscaling
