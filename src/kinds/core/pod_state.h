#pragma once

// What a pod document says, for every room that has to ask: readiness, names, containers, ports (what it requests of
// a node is in kinds/semantics/pod_requests.h). `pod` is a v1 Pod in hub form. Pure; returned views and pointers live
// as long as `pod`.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "object/value.h"

namespace stead::kinds {

using object::Value;

std::string_view pod_phase(const Value& pod);
bool is_pod_ready(const Value& pod);
// Succeeded or Failed: nothing of it will run again.
bool is_pod_terminated(const Value& pod);

// Its own name as containers see it: spec.hostname, or metadata.name cut to a host name's 63 bytes.
std::string pod_hostname(const Value& pod);

// Among containers, init containers and ephemeral containers; nullptr where there is none.
const Value* find_container(const Value& pod, std::string_view name);
// An init container that keeps running (restartPolicy Always, KEP-753).
bool is_sidecar(const Value& init_container);

// "Guaranteed", "Burstable" or "BestEffort".
std::string_view pod_qos_class(const Value& pod);

// How long its containers get to stop: the deletion's own period, or the spec's.
std::chrono::seconds effective_grace_period(const Value& pod);

// The number behind a port that is a number or the name of a container port, as services and probes use it; nullopt
// where no container (or, given one, not that one) has a port of the name and protocol. An empty protocol fits any.
std::optional<int> resolve_port(const Value& pod, const Value& port, std::string_view protocol = {});
std::optional<int> resolve_container_port(const Value& container, const Value& port, std::string_view protocol = {});

}  // namespace stead::kinds
