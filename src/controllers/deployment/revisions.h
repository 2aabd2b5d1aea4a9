#pragma once

// The replica sets of a deployment as its revisions: which one is of its template, how a new one is made, and the
// annotations that `kubectl rollout history` and `undo` read. Pure.

#include <string>
#include <vector>

#include "client/transport.h"
#include "object/object.h"

namespace stead::controllers::deployment {

using client::ObjectPtr;
using object::Object;
using object::Value;

inline constexpr std::string_view kRevision = "deployment.kubernetes.io/revision";
inline constexpr std::string_view kRevisionHistory = "deployment.kubernetes.io/revision-history";
inline constexpr std::string_view kDesiredReplicas = "deployment.kubernetes.io/desired-replicas";
inline constexpr std::string_view kMaxReplicas = "deployment.kubernetes.io/max-replicas";
inline constexpr std::string_view kRollbackTo = "deprecated.deployment.rollback.to";
inline constexpr std::string_view kTemplateHash = "pod-template-hash";

// Whether two pod templates are the same but for the hash label.
bool same_template(const Value& a, const Value& b);
Value without_hash(Value pod_template);

// An annotation that holds a number; 0 where it does not.
int64_t number_annotation(const Value& metadata, std::string_view name);

// Whether replica sets get this annotation of their deployment.
bool is_handed_down(std::string_view annotation);

// Oldest first; equal ages by name.
void sort_by_age(std::vector<ObjectPtr>& sets);

// The oldest set with the deployment's template; nullptr if there is none.
ObjectPtr find_new_set(const Object& deployment, const std::vector<ObjectPtr>& sets);

// A replica set for the deployment's template, named by its hash; without pods and without annotations.
Value make_set(const Object& deployment, std::string_view hash);
std::string hash_of(const Object& deployment, int64_t collision_count);

// Hands the deployment's annotations down to `set`, and says which revision it is: the one after `max_old`, unless it
// has a higher number already.
void annotate_set(const Object& deployment, int64_t max_old, Value& set);
// Notes for which size of the deployment `set` was scaled.
void annotate_size(const Object& deployment, Value& set);

}  // namespace stead::controllers::deployment
