#include "controllers/autoscaling/resource_replicas.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "kinds/meta/conditions.h"
#include "object/quantity.h"
#include "object/time.h"

namespace stead::controllers::autoscaling {
namespace {

// CPU of a pod that has just begun says little (--horizontal-pod-autoscaler-cpu-initialization-period and
// -initial-readiness-delay).
constexpr Duration kCpuInitialization = std::chrono::minutes(5);
constexpr Duration kReadinessDelay = std::chrono::seconds(30);

using Amounts = std::map<std::string, int64_t>;  // by pod, in thousandths

int64_t milli_of(const Value& amount) {
  auto parsed = object::Quantity::parse(amount.as_string());
  return parsed.ok() ? parsed->milli_value() : 0;
}

struct Measured {
  int64_t milli = 0;
  WallTime at;
  Duration window{};
};

std::map<std::string, Measured> read_metrics(const ResourceTarget& target, const std::vector<ObjectPtr>& metrics) {
  std::map<std::string, Measured> all;
  for (const ObjectPtr& one : metrics) {
    const Value& document = one->document();
    Measured measured;
    bool complete = !document.at("containers").empty();
    bool found = target.container.empty();
    for (const Value& container : document.at("containers").items()) {
      bool wanted = target.container.empty() || container.at("name").as_string() == target.container;
      if (!wanted) continue;
      const Value* usage = container.find({"usage", target.resource});
      if (usage == nullptr) complete = false;
      if (usage != nullptr) measured.milli += milli_of(*usage);
      found = true;
    }
    if (!complete || !found) continue;
    if (auto at = object::parse_time(document.at("timestamp").as_string())) measured.at = *at;
    if (auto window = object::parse_duration(document.at("window").as_string())) measured.window = *window;
    all.emplace(one->name(), measured);
  }
  return all;
}

// Whether what a pod's CPU shows is not yet, or no longer, its share of the load.
bool cpu_says_little(const object::Object& pod, const Measured& measured, WallTime now) {
  const Value* ready = kinds::find_condition(pod.status(), "Ready");
  auto started = object::parse_time(pod.status().at("startTime").as_string());
  if (ready == nullptr || !started) return true;
  bool is_unready = ready->at("status").as_string() == "False";
  auto changed = object::parse_time(ready->at("lastTransitionTime").as_string()).value_or(*started);
  if (*started + kCpuInitialization > now) {
    return is_unready || measured.at < changed + std::chrono::duration_cast<WallTime::duration>(measured.window);
  }
  return is_unready && *started + kReadinessDelay > changed;
}

struct Groups {
  Amounts ready;
  std::set<std::string> unready;
  std::set<std::string> missing;
};

Groups group_pods(const ResourceTarget& target, const std::vector<ObjectPtr>& pods,
                  const std::map<std::string, Measured>& metrics, WallTime now) {
  Groups groups;
  for (const ObjectPtr& pod : pods) {
    std::string name(pod->name());
    std::string_view phase = pod->status().at("phase").as_string();
    if (pod->deleting() || phase == "Failed") continue;
    auto found = metrics.find(name);
    const bool measured = found != metrics.end();
    if (phase == "Pending" || (measured && target.resource == "cpu" && cpu_says_little(*pod, found->second, now))) {
      groups.unready.insert(name);
    } else if (!measured) {
      groups.missing.insert(name);
    } else {
      groups.ready.emplace(name, found->second.milli);
    }
  }
  return groups;
}

Result<Amounts> read_requests(const ResourceTarget& target, const std::vector<ObjectPtr>& pods) {
  Amounts requests;
  for (const ObjectPtr& pod : pods) {
    int64_t sum = 0;
    bool found = false;
    for (const Value& container : pod->spec().at("containers").items()) {
      std::string_view name = container.at("name").as_string();
      if (!target.container.empty() && name != target.container) continue;
      found = true;
      const Value* request = container.find({"resources", "requests", target.resource});
      if (request == nullptr) {
        return make_error(Reason::kInvalid, fmt::format("missing request for {} in container {} of Pod {}",
                                                        target.resource, name, pod->name()));
      }
      sum += milli_of(*request);
    }
    if (!found) {
      return make_error(Reason::kInvalid,
                        fmt::format("container {} not found in Pod {}", target.container, pod->name()));
    }
    requests.emplace(pod->name(), sum);
  }
  return requests;
}

struct Load {
  double ratio = 0;  // to the target
  std::optional<int64_t> utilization;
  int64_t average_milli = 0;
};

Result<Load> measure(const ResourceTarget& target, const Amounts& used, const Amounts& requests) {
  int64_t used_sum = 0;
  int64_t requested_sum = 0;
  for (const auto& [name, amount] : used) {
    used_sum += amount;
    if (auto request = requests.find(name); request != requests.end()) requested_sum += request->second;
  }
  Load load;
  load.average_milli = used_sum / static_cast<int64_t>(used.size());
  if (!target.utilization) {
    load.ratio = target.average_milli > 0
                     ? static_cast<double>(load.average_milli) / static_cast<double>(target.average_milli)
                     : 0;
    return load;
  }
  if (requested_sum == 0) return make_error(Reason::kInvalid, "no metrics returned matched known pods");
  load.utilization = used_sum * 100 / requested_sum;
  load.ratio = static_cast<double>(*load.utilization) / static_cast<double>(*target.utilization);
  return load;
}

bool within(Tolerance tolerance, double ratio) { return ratio >= 1 - tolerance.down && ratio <= 1 + tolerance.up; }

// Pods of which nothing is known count as what holds the change back.
void fill_in(const ResourceTarget& target, const Groups& groups, const Amounts& requests, double ratio, Amounts& used) {
  for (const std::string& name : groups.missing) {
    if (ratio > 1) used[name] = 0;
    if (ratio >= 1) continue;
    auto request = requests.find(name);
    int64_t asked = request == requests.end() ? 0 : request->second;
    used[name] = target.utilization ? asked * std::max<int64_t>(100, *target.utilization) / 100 : target.average_milli;
  }
  if (ratio <= 1) return;
  for (const std::string& name : groups.unready) used[name] = 0;
}

}  // namespace

Result<ReplicaCount> count_replicas(const ResourceTarget& target, Tolerance tolerance, int64_t current,
                                    const std::vector<ObjectPtr>& pods, const std::vector<ObjectPtr>& metrics,
                                    WallTime now) {
  std::map<std::string, Measured> measured = read_metrics(target, metrics);
  if (measured.empty()) {
    return make_error(
        Reason::kUnavailable,
        fmt::format("unable to get metrics for resource {}: no metrics returned from resource metrics API",
                    target.resource));
  }
  if (pods.empty()) {
    return make_error(Reason::kInvalid, "no pods returned by selector while calculating replica count");
  }
  Groups groups = group_pods(target, pods, measured, now);
  if (groups.ready.empty()) {
    return make_error(Reason::kUnavailable, "did not receive metrics for targeted pods (pods might be unready)");
  }
  Amounts requests;
  if (target.utilization) {
    STEAD_TRY(read, read_requests(target, pods));
    requests = std::move(read);
  }
  STEAD_TRY(load, measure(target, groups.ready, requests));
  ReplicaCount count{current, load.utilization, load.average_milli};
  bool all_known = groups.missing.empty() && (groups.unready.empty() || load.ratio <= 1);
  if (all_known) {
    if (within(tolerance, load.ratio)) return count;
    count.replicas = static_cast<int64_t>(std::ceil(load.ratio * static_cast<double>(groups.ready.size())));
    return count;
  }
  Amounts used = groups.ready;
  fill_in(target, groups, requests, load.ratio, used);
  STEAD_TRY(damped, measure(target, used, requests));
  bool turned = (load.ratio < 1 && damped.ratio > 1) || (load.ratio > 1 && damped.ratio < 1);
  if (within(tolerance, damped.ratio) || turned) return count;
  auto wanted = static_cast<int64_t>(std::ceil(damped.ratio * static_cast<double>(used.size())));
  bool wrong_way = (damped.ratio < 1 && wanted > current) || (damped.ratio > 1 && wanted < current);
  if (!wrong_way) count.replicas = wanted;
  return count;
}

}  // namespace stead::controllers::autoscaling
