#include "node/pods/pod_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "kinds/core/pod_state.h"
#include "object/quantity.h"

namespace stead::node {
namespace {

using object::Value;

RestartPolicy parse_policy(std::string_view text, RestartPolicy otherwise) {
  if (text == "Always") return RestartPolicy::kAlways;
  if (text == "OnFailure") return RestartPolicy::kOnFailure;
  if (text == "Never") return RestartPolicy::kNever;
  return otherwise;
}

// FNV-1a: stable over restarts and versions of this program, which std::hash is not.
std::string content_hash(std::string_view name, std::string_view image) {
  uint64_t hash = 14695981039346656037U;
  auto mix = [&hash](std::string_view text) {
    for (unsigned char byte : text) hash = (hash ^ byte) * 1099511628211U;
    hash = (hash ^ 0xff) * 1099511628211U;
  };
  mix(name);
  mix(image);
  return fmt::format("{:x}", hash);
}

ContainerShape read_container(const Value& document, ContainerKind kind, RestartPolicy pod_policy) {
  ContainerShape shape;
  shape.name = document.at("name").as_string();
  shape.document = &document;
  shape.hash = content_hash(shape.name, document.at("image").as_string());
  std::string_view own = document.at("restartPolicy").as_string();
  if (kind == ContainerKind::kInit) {
    if (own == "Always") kind = ContainerKind::kSidecar;
    // An init container has to succeed; Always for the pod means the same as OnFailure for it.
    if (pod_policy == RestartPolicy::kAlways) pod_policy = RestartPolicy::kOnFailure;
  }
  shape.kind = kind;
  if (kind == ContainerKind::kEphemeral) {
    shape.restart_policy = RestartPolicy::kNever;
    return shape;
  }
  shape.restart_policy = parse_policy(own, pod_policy);
  for (const Value& rule : document.at("restartPolicyRules").items()) {
    if (rule.at("action").as_string() != "Restart") continue;
    ContainerShape::Rule read;
    read.in = rule.at({"exitCodes", "operator"}).as_string() != "NotIn";
    for (const Value& code : rule.at({"exitCodes", "values"}).items()) read.exit_codes.push_back(code.as_int());
    shape.restart_rules.push_back(std::move(read));
  }
  return shape;
}

}  // namespace

bool ContainerShape::restarts_after(int32_t exit_code) const {
  for (const Rule& rule : restart_rules) {
    bool listed = std::find(rule.exit_codes.begin(), rule.exit_codes.end(), exit_code) != rule.exit_codes.end();
    if (listed == rule.in) return true;
  }
  if (restart_policy == RestartPolicy::kAlways) return true;
  return restart_policy == RestartPolicy::kOnFailure && exit_code != 0;
}

const ContainerShape* PodShape::find(std::string_view container) const {
  for (const ContainerShape& shape : containers) {
    if (shape.name == container) return &shape;
  }
  return nullptr;
}

bool PodShape::has_init_containers() const {
  return !containers.empty() && containers.front().kind != ContainerKind::kMain;
}

namespace {

void read_ephemeral(const Value& spec, const PodShape* before, PodShape& shape) {
  std::vector<ContainerShape> read;
  for (const Value& container : spec.at("ephemeralContainers").items()) {
    read.push_back(read_container(container, ContainerKind::kEphemeral, shape.restart_policy));
  }
  auto place = [before](const ContainerShape& container) {
    if (before == nullptr) return size_t{0};
    for (size_t i = 0; i < before->containers.size(); ++i) {
      if (before->containers[i].name == container.name) return i;
    }
    return before->containers.size();
  };
  std::stable_sort(read.begin(), read.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
  std::move(read.begin(), read.end(), std::back_inserter(shape.containers));
}

}  // namespace

PodShape read_pod_shape(object::ObjectPtr pod, const PodShape* before) {
  PodShape shape;
  shape.ns = pod->ns();
  shape.name = pod->name();
  shape.uid = pod->uid();
  const Value& spec = pod->spec();
  shape.restart_policy = parse_policy(spec.at("restartPolicy").as_string(), RestartPolicy::kAlways);
  for (const Value& container : spec.at("initContainers").items()) {
    shape.containers.push_back(read_container(container, ContainerKind::kInit, shape.restart_policy));
  }
  for (const Value& container : spec.at("containers").items()) {
    shape.containers.push_back(read_container(container, ContainerKind::kMain, shape.restart_policy));
  }
  read_ephemeral(spec, before, shape);
  // The kubelet never gives less than one second.
  shape.grace = std::max(std::chrono::seconds(1), kinds::effective_grace_period(pod->document()));
  if (const Value* deadline = spec.find("activeDeadlineSeconds")) {
    shape.active_deadline = std::chrono::seconds(deadline->as_int());
  }
  shape.host_network = spec.at("hostNetwork").as_bool();
  shape.pod = std::move(pod);
  return shape;
}

std::string qos_class(const Value& pod_spec) {
  bool any = false;
  bool guaranteed = true;
  auto quantity = [](const Value& list, std::string_view resource) {
    auto parsed = object::Quantity::parse(list.at(resource).as_string());
    return parsed.ok() ? *parsed : object::Quantity();
  };
  for (std::string_view group : {"initContainers", "containers"}) {
    for (const Value& container : pod_spec.at(group).items()) {
      const Value& resources = container.at("resources");
      for (std::string_view resource : {"cpu", "memory"}) {
        auto request = quantity(resources.at("requests"), resource);
        auto limit = quantity(resources.at("limits"), resource);
        if (!request.is_zero() || !limit.is_zero()) any = true;
        // A request that is left out is defaulted to the limit.
        if (limit.is_zero() || (!request.is_zero() && request != limit)) guaranteed = false;
      }
    }
  }
  if (!any) return "BestEffort";
  return guaranteed ? "Guaranteed" : "Burstable";
}

}  // namespace stead::node
