#pragma once

// Who may do what. Members of system:masters may do everything, nodes what they need for their pods, and everybody what
// RBAC grants them. API loop only.

#include "apiserver/authorization/node_access.h"
#include "apiserver/authorization/rbac_index.h"

namespace stead::apiserver {

inline constexpr std::string_view kMasters = "system:masters";

class Authorizer {
 public:
  // References outlive this.
  Authorizer(cache::Cache& cache, loop::Loop& loop) : nodes_(cache), rbac_(cache, loop) {}

  struct Decision {
    bool allowed = false;
    std::string reason;  // why, where there is more to say than yes or no
  };
  Decision decide(const client::Identity& identity, const Attributes& attributes) const;
  bool allows(const client::Identity& identity, const Attributes& attributes) const {
    return decide(identity, attributes).allowed;
  }
  // kForbidden with the sentence clients know.
  Result<void> authorize(const client::Identity& identity, const Attributes& attributes) const;
  Result<void> authorize(const client::Identity& identity, const client::Request& request) const;

  // Every rule that holds for `identity` in `ns` and everywhere. `errors`, where given, gets what could not be read.
  PolicyRules rules_for(const client::Identity& identity, std::string_view ns,
                        std::vector<std::string>* errors = nullptr) const;

 private:
  NodeAccess nodes_;
  RbacIndex rbac_;
};

}  // namespace stead::apiserver
