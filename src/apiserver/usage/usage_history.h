#pragma once

// The last two samples of each node's containers, and the rates between them. Holds what the last reads brought:
// bounded by the containers of the nodes that are there. Not thread-safe.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "object/value.h"

namespace stead::apiserver {

struct ContainerRate {
  int64_t cpu_nano_cores = 0;
  int64_t memory_bytes = 0;
  WallTime at;
  Duration window{};  // that the CPU was measured over
};

class UsageHistory {
 public:
  // Takes in a node's Summary, read at `now`.
  void add(const std::string& node, const object::Value& summary, WallTime now);
  void forget(const std::string& node) { nodes_.erase(node); }
  // Those it holds samples of.
  std::vector<std::string> nodes() const;
  // When the node was last read; nullopt: never.
  std::optional<WallTime> last_read(const std::string& node) const;
  // Since the sample before, or since `started` if there was none of this instance. nullopt: nothing is known of it.
  std::optional<ContainerRate> rate(const std::string& node, const std::string& pod_uid, const std::string& container,
                                    std::optional<WallTime> started) const;

 private:
  struct Amount {
    int64_t cpu_nanoseconds = 0;
    int64_t memory_bytes = 0;
  };
  struct Sample {
    WallTime at;
    std::map<std::string, Amount> containers;  // by "uid/name"
  };
  struct Node {
    Sample last;
    std::optional<Sample> before;
  };
  std::map<std::string, Node> nodes_;
};

}  // namespace stead::apiserver
