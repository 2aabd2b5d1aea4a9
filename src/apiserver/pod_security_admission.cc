#include "apiserver/pod_security_admission.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "kinds/pod_security/violations.h"

namespace stead::apiserver {
namespace {

using kinds::LevelVersion;
using kinds::SecurityLevel;
using kinds::SecurityPolicy;
using object::ObjectPtr;
using object::Value;

constexpr size_t kPodsMax = 3000;

// Where a kind keeps the template of its pods; null where it has none.
const Value* find_template(const Call& call, const Value& document) {
  std::string_view group = call.resource->group;
  std::string_view name = call.resource->name;
  if (group.empty() && name == "podtemplates") return document.find("template");
  if (group == "batch" && name == "cronjobs") return document.find({"spec", "jobTemplate", "spec", "template"});
  bool made_of_pods = (group.empty() && name == "replicationcontrollers") || group == "apps" || group == "batch";
  return made_of_pods ? document.find({"spec", "template"}) : nullptr;
}

bool images_differ(const Value& containers, const Value& before) {
  auto now = containers.items();
  auto then = before.items();
  return !std::equal(now.begin(), now.end(), then.begin(), then.end(),
                     [](const Value& a, const Value& b) { return a.at("image") == b.at("image"); });
}

// Ephemeral containers are only ever added.
bool is_significant_update(const Value& pod, const Value& old) {
  for (std::string_view list : {"containers", "initContainers", "ephemeralContainers"}) {
    if (images_differ(pod.at({"spec", list}), old.at({"spec", list}))) return true;
  }
  return false;
}

void warn(const LevelVersion& level, const Value& metadata, const Value& spec, std::vector<std::string>& warnings) {
  auto found = kinds::security_violations(level, metadata, spec);
  if (found.empty()) return;
  warnings.push_back(fmt::format("would violate PodSecurity \"{}\": {}", level.str(), kinds::violations_text(found)));
}

Result<void> check_pod(const Call& call, const SecurityPolicy& policy, const Value& pod, const Value* old,
                       std::vector<std::string>& warnings) {
  const std::string& subresource = call.request.subresource;
  if (!subresource.empty() && subresource != "ephemeralcontainers" && subresource != "resize") return {};
  if (old != nullptr && !is_significant_update(pod, *old)) return {};
  auto found = kinds::security_violations(policy.enforce, pod.at("metadata"), pod.at("spec"));
  if (found.empty()) {
    warn(policy.warn, pod.at("metadata"), pod.at("spec"), warnings);
    return {};
  }
  std::string_view name = pod.at({"metadata", "name"}).as_string();
  Error error = make_error(Reason::kForbidden, fmt::format("pods \"{}\" is forbidden: violates PodSecurity \"{}\": {}",
                                                           name, policy.enforce.str(), kinds::violations_text(found)));
  error.kind = "pods";
  error.name = name;
  return error;
}

// Pods that share a controller are alike: one of each is looked at before the others.
std::vector<ObjectPtr> pods_by_variety(const cache::Cache& cache, std::string_view ns) {
  std::vector<ObjectPtr> first;
  std::vector<ObjectPtr> others;
  std::set<std::string, std::less<>> controllers;
  std::string prefix = std::string(ns) + "/";
  cache.snapshot("/pods").objects.visit_from(prefix, [&](const std::string& key, const ObjectPtr& pod) {
    if (!key.starts_with(prefix)) return false;
    std::string_view controller;
    for (const Value& owner : pod->metadata().at("ownerReferences").items()) {
      if (owner.at("controller").as_bool()) controller = owner.at("uid").as_string();
    }
    bool known = !controller.empty() && !controllers.emplace(controller).second;
    (known ? others : first).push_back(pod);
    return true;
  });
  first.insert(first.end(), others.begin(), others.end());
  return first;
}

void warn_of_pods(const cache::Cache& cache, std::string_view ns, const LevelVersion& level,
                  std::vector<std::string>& warnings) {
  struct Like {
    std::string first;
    size_t count = 0;
  };
  std::map<std::string, Like> violations;
  std::vector<ObjectPtr> pods = pods_by_variety(cache, ns);
  size_t checked = std::min(pods.size(), kPodsMax);
  for (size_t i = 0; i < checked; ++i) {
    const object::Object& pod = *pods[i];
    auto found = kinds::security_violations(level, pod.metadata(), pod.spec());
    if (found.empty()) continue;
    Like& like = violations[kinds::violation_reasons(found)];
    if (like.count++ == 0 || pod.name() < like.first) like.first = pod.name();
  }
  if (checked < pods.size()) {
    warnings.push_back(fmt::format(
        "new PodSecurity enforce level only checked against the first {} of {} existing pods", checked, pods.size()));
  }
  if (violations.empty()) return;
  warnings.push_back(fmt::format("existing pods in namespace \"{}\" violate the new PodSecurity enforce level \"{}\"",
                                 ns, level.str()));
  std::vector<std::string> lines;
  for (const auto& [reasons, like] : violations) {
    std::string others;
    if (like.count == 2) others = " (and 1 other pod)";
    if (like.count > 2) others = fmt::format(" (and {} other pods)", like.count - 1);
    lines.push_back(fmt::format("{}{}: {}", like.first, others, reasons));
  }
  std::sort(lines.begin(), lines.end());
  warnings.insert(warnings.end(), lines.begin(), lines.end());
}

Result<void> check_namespace_labels(const cache::Cache& cache, const Call& call, const Value& ns, const Value* old,
                                    std::vector<std::string>& warnings) {
  if (!call.request.subresource.empty()) return {};
  std::string_view name = ns.at({"metadata", "name"}).as_string();
  object::FieldErrors errors;
  SecurityPolicy policy = kinds::security_policy(ns.at({"metadata", "labels"}), errors);
  object::FieldErrors old_errors;
  SecurityPolicy before;
  if (old != nullptr) before = kinds::security_policy(old->at({"metadata", "labels"}), old_errors);
  auto texts = [](const object::FieldErrors& from) {
    std::vector<std::string> all;
    for (const Cause& cause : from.causes()) all.push_back(cause.field + cause.message);
    return all;
  };
  // Labels that were unreadable before do not hold up other changes.
  if (!errors.empty() && (old == nullptr || texts(errors) != texts(old_errors))) {
    return errors.to_error("", "Namespace", name);
  }
  if (old == nullptr || policy.enforce == before.enforce) return {};
  bool relaxed = policy.enforce.minor == before.enforce.minor && policy.enforce.level <= before.enforce.level;
  if (policy.enforce.level == SecurityLevel::kPrivileged || relaxed) return {};
  warn_of_pods(cache, name, policy.enforce, warnings);
  return {};
}

}  // namespace

Result<void> check_pod_security(const cache::Cache& cache, const Call& call, const Value& document, const Value* old,
                                std::vector<std::string>& warnings) {
  bool core = call.resource->group.empty();
  if (core && call.resource->name == "namespaces") return check_namespace_labels(cache, call, document, old, warnings);
  bool pod = core && call.resource->name == "pods";
  const Value* shape = pod ? &document : find_template(call, document);
  if (shape == nullptr) return {};
  ObjectPtr ns = cache.get("/namespaces", call.request.ns);
  if (!ns || ns->metadata().at("labels").empty()) return {};
  object::FieldErrors ignored;
  SecurityPolicy policy = kinds::security_policy(ns->metadata().at("labels"), ignored);
  if (pod) return check_pod(call, policy, document, old, warnings);
  if (call.request.subresource.empty()) warn(policy.warn, shape->at("metadata"), shape->at("spec"), warnings);
  return {};
}

}  // namespace stead::apiserver
