#pragma once

// What a node may do by being one (Kubernetes' node authorizer): the rules of the role system:node, and of what belongs
// to others only what the pods assigned to it need: their secrets, config maps, claims, volumes and tokens, found by
// walking those pods. API loop only.

#include <optional>
#include <string>

#include "apiserver/authorization/policy_rule.h"
#include "cache/cache.h"
#include "client/transport.h"

namespace stead::apiserver {

inline constexpr std::string_view kNodesGroup = "system:nodes";

// The name behind "system:node:" of a member of system:nodes; nullopt for everybody else.
std::optional<std::string_view> node_of(const client::Identity& identity);

// The pods assigned to a node, from the cache's index.
cache::Snapshot pods_of_node(cache::Cache& cache, std::string_view node);

class NodeAccess {
 public:
  // `cache` outlives this.
  explicit NodeAccess(cache::Cache& cache);

  // nullopt: allowed. Else why not, or "" where there is nothing to say about this resource.
  std::optional<std::string> refusal(std::string_view node, const Attributes& attributes) const;

 private:
  bool refers(const object::Object& pod, const Attributes& attributes) const;
  std::optional<std::string> refusal_of_pods_needs(std::string_view node, const Attributes& attributes) const;
  std::optional<std::string> refusal_to_read_pods(std::string_view node, const Attributes& attributes) const;
  std::optional<std::string> related(std::string_view node, const Attributes& attributes) const;

  cache::Cache& cache_;
  PolicyRules rules_;
};

}  // namespace stead::apiserver
