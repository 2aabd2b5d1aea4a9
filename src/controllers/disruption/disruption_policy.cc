#include "controllers/disruption/disruption_policy.h"

#include <algorithm>
#include <map>

#include "controllers/daemonset/daemonset_policy.h"
#include "controllers/pod_state.h"
#include "object/time.h"

namespace stead::controllers::disruption {
namespace {

// An eviction whose pod still lives after this is taken for one that will not happen.
constexpr Duration kDeletionTimeout = std::chrono::minutes(2);
constexpr std::string_view kCondition = "DisruptionAllowed";

struct Counts {
  int64_t expected = 0;
  int64_t desired = 0;
};

void set_condition(Value& status, bool allowed, std::string_view reason, std::string_view message, int64_t generation,
                   WallTime now) {
  Value condition = Value::object({{"type", kCondition},
                                   {"status", allowed ? "True" : "False"},
                                   {"observedGeneration", generation},
                                   {"lastTransitionTime", object::format_time(now)},
                                   {"reason", reason},
                                   {"message", message}});
  std::vector<Value>& conditions = status["conditions"].mutable_items();
  for (Value& known : conditions) {
    if (known.at("type").as_string() != kCondition) continue;
    if (known.at("status") == condition.at("status")) {
      condition.set("lastTransitionTime", known.at("lastTransitionTime"));
    }
    known = std::move(condition);
    return;
  }
  conditions.push_back(std::move(condition));
}

class Decider {
 public:
  Decider(const Observed& observed, WallTime now)
      : observed_(observed), budget_(*observed.budget), spec_(budget_.spec()), now_(now) {}

  Decision run() {
    decision_.status = budget_.status().is_null() ? Value::object() : budget_.status();
    int64_t generation = budget_.metadata().at("generation").as_int();
    Result<Counts> counts = count();
    if (!counts.ok()) {
      decision_.failure = counts.error().message;
      decision_.status.set("disruptionsAllowed", 0);
      set_condition(decision_.status, false, "SyncFailed", counts.error().message, generation, now_);
      return std::move(decision_);
    }
    keep_disrupted();
    int64_t healthy = count_healthy();
    int64_t allowed = counts->expected <= 0 ? 0 : std::max<int64_t>(0, healthy - counts->desired);
    Value& status = decision_.status;
    status.set("observedGeneration", generation);
    status.set("disruptionsAllowed", allowed);
    status.set("currentHealthy", healthy);
    status.set("desiredHealthy", counts->desired);
    status.set("expectedPods", counts->expected);
    set_condition(status, allowed > 0, allowed > 0 ? "SufficientPods" : "InsufficientPods", "", generation, now_);
    return std::move(decision_);
  }

 private:
  Result<Counts> count() {
    if (const Value* unavailable = spec_.find("maxUnavailable")) {
      STEAD_TRY(expected, expected_by_owners());
      return Counts{expected, std::max<int64_t>(0, expected - daemonset::scaled(*unavailable, expected))};
    }
    const Value* available = spec_.find("minAvailable");
    if (available == nullptr) return Counts{};
    if (available->is_int()) return Counts{static_cast<int64_t>(observed_.pods.size()), available->as_int()};
    STEAD_TRY(expected, expected_by_owners());
    return Counts{expected, daemonset::scaled(*available, expected)};
  }

  // Pods that are not there yet count too, so the owners are asked, each once.
  Result<int64_t> expected_by_owners() {
    std::map<std::string, int64_t> replicas;
    for (const ObjectPtr& pod : observed_.pods) {
      STEAD_TRY(scale, observed_.scale_of(*pod));
      if (scale) {
        replicas[scale->uid] = scale->replicas;
      } else {
        decision_.unmanaged.emplace_back(pod->name());
      }
    }
    int64_t sum = 0;
    for (const auto& [uid, count] : replicas) sum += count;
    return sum;
  }

  const ObjectPtr* find_pod(std::string_view name) const {
    for (const ObjectPtr& pod : observed_.pods) {
      if (pod->name() == name) return &pod;
    }
    return nullptr;
  }

  // Evictions that have been granted and are not carried out yet.
  void keep_disrupted() {
    Value kept = Value::object();
    for (const object::Member& entry : budget_.status().at("disruptedPods").members()) {
      const ObjectPtr* pod = find_pod(entry.name());
      auto since = object::parse_time(entry.value.as_string());
      if (pod == nullptr || (*pod)->deleting() || !since) continue;
      Duration left = *since + kDeletionTimeout - now_;
      if (left <= Duration::zero()) continue;
      kept.set(entry.name(), entry.value);
      decision_.look_again = std::min(left, decision_.look_again.value_or(left));
    }
    if (kept.empty()) {
      decision_.status.erase("disruptedPods");
    } else {
      decision_.status.set("disruptedPods", std::move(kept));
    }
  }

  int64_t count_healthy() const {
    const Value& disrupted = decision_.status.at("disruptedPods");
    return std::count_if(observed_.pods.begin(), observed_.pods.end(), [&](const ObjectPtr& pod) {
      return !pod->deleting() && disrupted.find(pod->name()) == nullptr && is_ready(*pod);
    });
  }

  const Observed& observed_;
  const Object& budget_;
  const Value& spec_;
  const WallTime now_;
  Decision decision_;
};

}  // namespace

Decision decide(const Observed& observed, WallTime now) { return Decider(observed, now).run(); }

}  // namespace stead::controllers::disruption
