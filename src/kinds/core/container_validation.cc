#include "kinds/core/container_validation.h"

#include <set>
#include <string>

#include "kinds/core/env_validation.h"
#include "kinds/core/mount_validation.h"
#include "kinds/core/pod_state.h"
#include "kinds/core/probe_validation.h"
#include "kinds/core/resource_validation.h"
#include "kinds/core/security_validation.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr size_t kRestartRulesMax = 20;
constexpr size_t kExitCodesMax = 255;

void validate_ports(const Path& path, const Value& ports, FieldErrors& errors) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < ports.size(); ++i) {
    const Value& port = ports.items()[i];
    Path at = path.index(i);
    const Value& name = port.at("name");
    if (!is_absent_or_empty(name) && check(at.child("name"), name, object::check_port_name(name.as_string()), errors) &&
        !names.insert(name.as_string()).second) {
      errors.duplicate(at.child("name"), name);
    }
    if (port.at("containerPort").as_int() == 0) {
      errors.required(at.child("containerPort"));
    } else {
      check_port_number(at.child("containerPort"), port.at("containerPort"), errors);
    }
    if (port.at("hostPort").as_int() != 0) check_port_number(at.child("hostPort"), port.at("hostPort"), errors);
    check_one_of(at.child("protocol"), port.at("protocol"), {"SCTP", "TCP", "UDP"}, errors);
  }
}

void validate_resize_policies(const Path& path, const Value& container, const Value& spec, FieldErrors& errors) {
  std::set<std::string_view> seen;
  const Value& policies = container.at("resizePolicy");
  for (size_t i = 0; i < policies.size(); ++i) {
    const Value& policy = policies.items()[i];
    const Value& resource = policy.at("resourceName");
    if (!seen.insert(resource.as_string()).second) errors.duplicate(path.index(i), resource);
    check_one_of(path, resource, {"cpu", "memory"}, errors);
    const Value& restart = policy.at("restartPolicy");
    check_one_of(path, restart, {"NotRequired", "RestartContainer"}, errors);
    if (spec.at("restartPolicy").as_string() == "Never" && restart.as_string() != "NotRequired") {
      errors.invalid(path, restart, "must be 'NotRequired' when `restartPolicy` is 'Never'");
    }
  }
}

void validate_any(const Path& path, const Value& container, const ContainerContext& context, FieldErrors& errors) {
  const Value& name = container.at("name");
  if (check_present(path.child("name"), name, errors)) {
    check(path.child("name"), name, object::check_dns1123_label(name.as_string()), errors);
  }
  check_present(path.child("image"), container.at("image"), errors);
  check_one_of(path.child("terminationMessagePolicy"), container.at("terminationMessagePolicy"),
               {"File", "FallbackToLogsOnError"}, errors);
  validate_ports(path.child("ports"), container.at("ports"), errors);
  validate_env(path.child("env"), container.at("env"), errors);
  validate_env_from(path.child("envFrom"), container.at("envFrom"), errors);
  validate_mounts(path.child("volumeMounts"), container, context.volumes, errors);
  validate_devices(path.child("volumeDevices"), container, context.volumes, errors);
  check_one_of(path.child("imagePullPolicy"), container.at("imagePullPolicy"), {"Always", "IfNotPresent", "Never"},
               errors);
  Path resources_path = path.child("resources");
  validate_container_resources(resources_path, container.at("resources"), errors);
  validate_claim_names(resources_path.child("claims"), container.at({"resources", "claims"}), context.claims, errors);
  validate_resize_policies(path.child("resizePolicy"), container, context.spec, errors);
  if (const Value* security = container.find("securityContext")) {
    validate_container_security(path.child("securityContext"), *security, context.spec, errors);
  }
}

void check_host_ports(const Path& path, const Value& container, std::set<std::string>& taken, FieldErrors& errors) {
  Path ports_path = path.child("ports");
  auto ports = container.at("ports").items();
  for (size_t i = 0; i < ports.size(); ++i) {
    if (ports[i].at("hostPort").as_int() == 0) continue;
    std::string place = std::string(ports[i].at("protocol").as_string()) + "/" +
                        std::string(ports[i].at("hostIP").as_string()) + "/" +
                        std::to_string(ports[i].at("hostPort").as_int());
    if (taken.insert(place).second) continue;
    Path at = ports_path.index(i);
    errors.duplicate(at.child("hostPort"), Value(place));
  }
}

const Value& grace_of(const ContainerContext& context) { return context.spec.at("terminationGracePeriodSeconds"); }

void validate_running(const Path& path, const Value& container, const ContainerContext& context, FieldErrors& errors) {
  if (const Value* lifecycle = container.find("lifecycle")) {
    validate_lifecycle(path.child("lifecycle"), *lifecycle, grace_of(context), errors);
  }
  validate_probes(path, container, grace_of(context), errors);
}

void validate_restart_rule(const Path& path, const Value& rule, FieldErrors& errors) {
  check_optional_one_of(path.child("action"), Value(rule.at("action").as_string()), {"Restart"}, errors);
  const Value* codes = rule.find("exitCodes");
  Path codes_path = path.child("exitCodes");
  if (codes == nullptr) {
    errors.required(codes_path, "must be specified");
    return;
  }
  check_optional_one_of(codes_path.child("operator"), Value(codes->at("operator").as_string()), {"In", "NotIn"},
                        errors);
  const Value& values = codes->at("values");
  if (values.size() > kExitCodesMax) errors.too_many(codes_path.child("values"), values.size(), kExitCodesMax);
}

// A container's own policy overrides the pod's, and its rules that policy (KEP-5307, on since v1.35).
void check_restart_policy(const Path& path, const Value& container, FieldErrors& errors) {
  const Value& policy = container.at("restartPolicy");
  const Value& rules = container.at("restartPolicyRules");
  if (policy.is_null() && !rules.empty()) {
    errors.required(path.child("restartPolicy"), "must specify restartPolicy when restart rules are used");
  }
  check_optional_one_of(path.child("restartPolicy"), policy, {"Always", "Never", "OnFailure"}, errors);
  Path rules_path = path.child("restartPolicyRules");
  if (rules.size() > kRestartRulesMax) errors.too_many(rules_path, rules.size(), kRestartRulesMax);
  for (size_t i = 0; i < rules.size(); ++i) validate_restart_rule(rules_path.index(i), rules.items()[i], errors);
}

std::set<std::string_view> names_of(const Value& containers) {
  std::set<std::string_view> names;
  for (const Value& container : containers.items()) names.insert(container.at("name").as_string());
  return names;
}

}  // namespace

void validate_containers(const Path& path, const ContainerContext& context, FieldErrors& errors) {
  const Value& containers = context.spec.at("containers");
  if (containers.empty()) {
    errors.required(path);
    return;
  }
  std::set<std::string_view> names;
  for (size_t i = 0; i < containers.size(); ++i) {
    const Value& container = containers.items()[i];
    Path at = path.index(i);
    validate_any(at, container, context, errors);
    if (!names.insert(container.at("name").as_string()).second) {
      errors.duplicate(at.child("name"), container.at("name"));
    }
    validate_running(at, container, context, errors);
    check_restart_policy(at, container, errors);
  }
  std::set<std::string> host_ports;
  for (size_t i = 0; i < containers.size(); ++i) {
    check_host_ports(path.index(i), containers.items()[i], host_ports, errors);
  }
}

void validate_init_containers(const Path& path, const ContainerContext& context, FieldErrors& errors) {
  const Value& containers = context.spec.at("initContainers");
  std::set<std::string_view> names = names_of(context.spec.at("containers"));
  for (size_t i = 0; i < containers.size(); ++i) {
    const Value& container = containers.items()[i];
    Path at = path.index(i);
    validate_any(at, container, context, errors);
    check_restart_policy(at, container, errors);
    std::string_view name = container.at("name").as_string();
    if (!name.empty() && !names.insert(name).second) errors.duplicate(at.child("name"), container.at("name"));
    std::set<std::string> host_ports;  // init containers run one by one: only a port twice in one clashes
    check_host_ports(at, container, host_ports, errors);
    if (is_sidecar(container)) {
      validate_running(at, container, context, errors);
      continue;
    }
    for (std::string_view field : {"lifecycle", "livenessProbe", "readinessProbe", "startupProbe"}) {
      if (container.find(field) != nullptr) {
        errors.forbidden(at.child(field), "may not be set for init containers without restartPolicy=Always");
      }
    }
  }
}

void validate_ephemeral_containers(const Path& path, const ContainerContext& context, FieldErrors& errors) {
  const Value& containers = context.spec.at("ephemeralContainers");
  std::set<std::string_view> targets = names_of(context.spec.at("containers"));
  targets.merge(names_of(context.spec.at("initContainers")));
  std::set<std::string_view> names = targets;
  for (size_t i = 0; i < containers.size(); ++i) {
    const Value& container = containers.items()[i];
    Path at = path.index(i);
    validate_any(at, container, context, errors);
    if (!names.insert(container.at("name").as_string()).second) {
      errors.duplicate(at.child("name"), container.at("name"));
    }
    const Value& target = container.at("targetContainerName");
    if (!is_absent_or_empty(target) && !targets.contains(target.as_string())) {
      errors.not_found(at.child("targetContainerName"), target);
    }
    for (std::string_view field : {"ports", "resources", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle",
                                   "resizePolicy", "restartPolicy", "restartPolicyRules"}) {
      if (!is_absent_or_empty(container.at(field))) {
        errors.forbidden(at.child(field), "cannot be set for an Ephemeral Container");
      }
    }
    Path mounts_path = at.child("volumeMounts");
    auto mounts = container.at("volumeMounts").items();
    for (size_t j = 0; j < mounts.size(); ++j) {
      Path mount_path = mounts_path.index(j);
      for (std::string_view field : {"subPath", "subPathExpr"}) {
        if (!is_absent_or_empty(mounts[j].at(field))) {
          errors.forbidden(mount_path.child(field), "cannot be set for an Ephemeral Container");
        }
      }
    }
  }
}

void check_trimmed_images(const Path& path, const Value& containers, FieldErrors& errors) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  for (size_t i = 0; i < containers.size(); ++i) {
    const Value& image = containers.items()[i].at("image");
    std::string_view text = image.as_string();
    if (text.empty()) continue;
    if (kSpace.find(text.front()) != std::string_view::npos || kSpace.find(text.back()) != std::string_view::npos) {
      Path at = path.index(i);
      errors.invalid(at.child("image"), image, "must not have leading or trailing whitespace");
    }
  }
}

}  // namespace stead::kinds
