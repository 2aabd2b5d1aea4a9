#include "apiserver/usage/usage_history.h"

#include <algorithm>

namespace stead::apiserver {
namespace {

using object::Value;

// Shorter ones tell more of the measuring than of the load.
constexpr Duration kWindowMin = std::chrono::milliseconds(100);

std::string key_of(std::string_view pod_uid, std::string_view container) {
  return std::string(pod_uid) + "/" + std::string(container);
}

}  // namespace

void UsageHistory::add(const std::string& node, const Value& summary, WallTime now) {
  Sample sample;
  sample.at = now;
  for (const Value& pod : summary.at("pods").items()) {
    std::string_view uid = pod.at({"podRef", "uid"}).as_string();
    for (const Value& container : pod.at("containers").items()) {
      sample.containers[key_of(uid, container.at("name").as_string())] = {
          container.at({"cpu", "usageCoreNanoSeconds"}).as_int(), container.at({"memory", "workingSetBytes"}).as_int()};
    }
  }
  auto [entry, added] = nodes_.try_emplace(node);
  if (!added) entry->second.before = std::move(entry->second.last);
  entry->second.last = std::move(sample);
}

std::vector<std::string> UsageHistory::nodes() const {
  std::vector<std::string> names;
  for (const auto& [name, node] : nodes_) names.push_back(name);
  return names;
}

std::optional<WallTime> UsageHistory::last_read(const std::string& node) const {
  auto found = nodes_.find(node);
  if (found == nodes_.end()) return std::nullopt;
  return found->second.last.at;
}

std::optional<ContainerRate> UsageHistory::rate(const std::string& node, const std::string& pod_uid,
                                                const std::string& container, std::optional<WallTime> started) const {
  auto found = nodes_.find(node);
  if (found == nodes_.end()) return std::nullopt;
  const Sample& last = found->second.last;
  std::string key = key_of(pod_uid, container);
  auto now = last.containers.find(key);
  if (now == last.containers.end()) return std::nullopt;
  int64_t used = now->second.cpu_nanoseconds;
  WallTime since = started.value_or(last.at);
  if (found->second.before) {
    const Sample& before = *found->second.before;
    auto then = before.containers.find(key);
    // An instance that has used less than was used before is another one.
    bool same = then != before.containers.end() && then->second.cpu_nanoseconds <= used && before.at >= since;
    if (same) {
      used -= then->second.cpu_nanoseconds;
      since = before.at;
    }
  }
  Duration window = std::chrono::duration_cast<Duration>(last.at - since);
  if (window < kWindowMin) return std::nullopt;
  double seconds = std::chrono::duration<double>(window).count();
  return ContainerRate{static_cast<int64_t>(static_cast<double>(used) / seconds), now->second.memory_bytes, last.at,
                       window};
}

}  // namespace stead::apiserver
