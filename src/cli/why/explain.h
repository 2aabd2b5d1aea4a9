#pragma once

// Why an object is not as wanted. Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/why/cause.h"
#include "cli/why/cluster_view.h"

namespace stead::cli::why {

// The plural of a kind as people write it ("sts", "Pod", "claims"); nullopt for one that nothing is known of.
std::optional<std::string> plural_of(std::string_view kind);
// What may be asked about, for messages.
std::string known_kinds();

// The object's state and its chain of causes; without causes all is well.
Cause explain(const ClusterView& view, std::string_view plural, const object::Object& object);

// For the name of a pod that is not there though a StatefulSet is to make it: why that has not come to it. nullopt
// where no set has such a pod.
std::optional<Cause> explain_absent_pod(const ClusterView& view, std::string_view ns, std::string_view name);

// The same by topic, for explanations that lead to one another.
Cause explain_pod(const ClusterView& view, const object::Object& pod);
Cause explain_claim(const ClusterView& view, const object::Object& claim);
Cause explain_volume(const ClusterView& view, const object::Object& volume);
Cause explain_stateful_set(const ClusterView& view, const object::Object& set);
Cause explain_deployment(const ClusterView& view, const object::Object& deployment);
// ReplicaSet, ReplicationController, DaemonSet or Job: `wanted` pods.
Cause explain_pod_owner(const ClusterView& view, std::string_view kind, const object::Object& owner, int64_t wanted);
Cause explain_service(const ClusterView& view, const object::Object& service);
Cause explain_ingress(const ClusterView& view, const object::Object& ingress);
Cause explain_node(const ClusterView& view, const object::Object& node);

// What keeps one container of a pod from being ready; nothing if it is. `init`: of spec.initContainers.
std::optional<Cause> container_cause(const ClusterView& view, const object::Object& pod, const Value& container,
                                     const Value& status, bool init);
// A claim's volume that only nodes reach which are gone or not Ready; nothing where another takes pods.
std::optional<Cause> lost_home_cause(const ClusterView& view, const object::Object& claim);
// ConfigMaps, Secrets, claims and the account that a pod names and that are not there or not usable.
std::vector<Cause> reference_causes(const ClusterView& view, const object::Object& pod);

}  // namespace stead::cli::why
