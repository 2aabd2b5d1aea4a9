#pragma once

// PodShape: what the node part's decisions need of a pod's document, read once per version of the object.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "object/object.h"

namespace stead::node {

enum class ContainerKind : uint8_t {
  kInit,     // runs to completion before the next starts
  kSidecar,  // init container with restartPolicy Always (KEP-753): started in order, ends after the main ones
  kMain,
  kEphemeral,  // added to a running pod, to look into it: started once, beside the others (KEP-277)
};
enum class RestartPolicy : uint8_t { kAlways, kOnFailure, kNever };

struct ContainerShape {
  std::string name;
  ContainerKind kind = ContainerKind::kMain;
  RestartPolicy restart_policy = RestartPolicy::kAlways;
  // KEP-5307: exit codes that restart whatever the policy says.
  struct Rule {
    bool in = true;  // operator In; false: NotIn
    std::vector<int64_t> exit_codes;
  };
  std::vector<Rule> restart_rules;
  std::string hash;                         // changes when the running container no longer fits (name and image)
  const object::Value* document = nullptr;  // lives as long as PodShape::pod
  // What was allocated to it, while the spec asks for something else (pod_resize.h).
  std::optional<object::Value> allocated;
  const object::Value& resources() const { return allocated ? *allocated : document->at("resources"); }

  // Whether an instance that ended with `exit_code` is followed by another one.
  bool restarts_after(int32_t exit_code) const;
};

struct PodShape {
  object::ObjectPtr pod;
  std::string ns, name, uid;
  // Init containers and sidecars in order, then main ones in order, then ephemeral ones.
  std::vector<ContainerShape> containers;
  RestartPolicy restart_policy = RestartPolicy::kAlways;
  std::chrono::seconds grace{30};  // deletionGracePeriodSeconds where deleted, else terminationGracePeriodSeconds
  std::optional<std::chrono::seconds> active_deadline;
  bool host_network = false;

  const ContainerShape* find(std::string_view container) const;
  bool has_init_containers() const;
  const object::Value& spec() const { return pod->spec(); }
};

// The ephemeral containers that `before` has too come in its order, ahead of new ones: indexes stay what they were.
PodShape read_pod_shape(object::ObjectPtr pod, const PodShape* before = nullptr);

// "Guaranteed", "Burstable", "BestEffort" (docs: configure-quality-service-pod).
std::string qos_class(const object::Value& pod_spec);

}  // namespace stead::node
