#include <set>
#include <string>

#include "kinds/core/core_rules.h"
#include "kinds/core/pod_state.h"
#include "kinds/core/resource_validation.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "kinds/meta/conditions.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

void validate_taints(const Path& path, const Value& taints, FieldErrors& errors) {
  std::set<std::string> seen;
  for (size_t i = 0; i < taints.size(); ++i) {
    const Value& taint = taints.items()[i];
    Path at = path.index(i);
    std::string_view key = taint.at("key").as_string();
    check(at.child("key"), Value(key), object::check_qualified_name(key), errors);
    std::string_view value = taint.at("value").as_string();
    check(at.child("value"), Value(value), object::check_label_value(value), errors);
    check_one_of(at.child("effect"), taint.at("effect"), {"NoSchedule", "PreferNoSchedule", "NoExecute"}, errors);
    std::string pair = std::string(key) + ":" + std::string(taint.at("effect").as_string());
    if (!seen.insert(pair).second) {
      errors.duplicate(at, taint, "taints must be unique by key and effect pair");
    }
  }
}

// One range of each family at most.
void check_ranges(const Path& path, const Value& ranges, FieldErrors& errors) {
  size_t v6 = 0;
  std::set<std::string_view> seen;
  for (size_t i = 0; i < ranges.size(); ++i) {
    const Value& range = ranges.items()[i];
    check(path.index(i), range, object::check_cidr(range.as_string()), errors);
    v6 += range.as_string().find(':') != std::string_view::npos ? 1 : 0;
    if (!seen.insert(range.as_string()).second) errors.duplicate(path.index(i), range);
  }
  if (ranges.size() > 2 || (ranges.size() == 2 && v6 != 1)) {
    errors.invalid(path, ranges, "may specify no more than one CIDR for each IP family");
  }
}

void validate(const Value& node, FieldErrors& errors) {
  Path metadata("metadata");
  Path path("spec");
  const Value& spec = node.at("spec");
  // Upstream's path of taints begins so.
  validate_taints(metadata.child("taints"), spec.at("taints"), errors);
  check_ranges(path.child("podCIDRs"), spec.at("podCIDRs"), errors);
  Path status("status");
  for (std::string_view list : {"capacity", "allocatable"}) {
    validate_resource_list(status.child(list), node.at({"status", list}), errors);
  }
}

void validate_update(const Value& node, const Value& old, FieldErrors& errors) {
  Path path("spec");
  const Value& ranges = old.at({"spec", "podCIDRs"});
  if (!ranges.empty() && !(node.at({"spec", "podCIDRs"}) == ranges)) {
    errors.forbidden(path.child("podCIDRs"), "node updates may not change podCIDR except from \"\" to valid");
  }
  const Value& provider = old.at({"spec", "providerID"});
  if (!is_absent_or_empty(provider) && !(node.at({"spec", "providerID"}) == provider)) {
    errors.forbidden(path.child("providerID"), "node updates may not change providerID except from \"\" to valid");
  }
}

void validate_status_update(const Value& node, const Value& old, FieldErrors& errors) {
  (void)old;
  Path status("status");
  for (std::string_view list : {"capacity", "allocatable"}) {
    validate_resource_list(status.child(list), node.at({"status", list}), errors);
  }
  std::set<std::string> seen;
  Path addresses_path = status.child("addresses");
  auto addresses = node.at({"status", "addresses"}).items();
  for (size_t i = 0; i < addresses.size(); ++i) {
    std::string pair =
        std::string(addresses[i].at("type").as_string()) + "/" + std::string(addresses[i].at("address").as_string());
    if (!seen.insert(pair).second) errors.duplicate(addresses_path.index(i), addresses[i]);
  }
}

std::string roles_text(const Value& node) {
  constexpr std::string_view kPrefix = "node-role.kubernetes.io/";
  std::set<std::string> roles;
  for (const object::Member& label : node.at({"metadata", "labels"}).members()) {
    if (label.name().starts_with(kPrefix)) {
      std::string_view role = label.name().substr(kPrefix.size());
      if (!role.empty()) roles.emplace(role);
    } else if (label.name() == "kubernetes.io/role" && !is_absent_or_empty(label.value)) {
      roles.emplace(label.value.as_string());
    }
  }
  std::string text;
  for (const std::string& role : roles) text += (text.empty() ? "" : ",") + role;
  return text.empty() ? std::string(kNone) : text;
}

std::string status_text(const Value& node) {
  std::string text = "Unknown";
  if (const Value* ready = find_condition(node.at("status"), "Ready")) {
    text = ready->at("status").as_string() == "True" ? "Ready" : "NotReady";
  }
  if (node.at({"spec", "unschedulable"}).as_bool()) text += ",SchedulingDisabled";
  return text;
}

std::string address_text(const Value& node, std::string_view type) {
  for (const Value& address : node.at({"status", "addresses"}).items()) {
    if (address.at("type").as_string() == type) return std::string(address.at("address").as_string());
  }
  return std::string(kNone);
}

std::vector<Value> cells(const Value& node, WallTime now) {
  const Value& info = node.at({"status", "nodeInfo"});
  return {name_of(node),
          status_text(node),
          roles_text(node),
          age(node, now),
          text_or(info.at("kubeletVersion"), ""),
          address_text(node, "InternalIP"),
          address_text(node, "ExternalIP"),
          text_or(info.at("osImage"), "<unknown>"),
          text_or(info.at("kernelVersion"), "<unknown>"),
          text_or(info.at("containerRuntimeVersion"), "<unknown>")};
}

std::optional<std::string> field(const Value& node, std::string_view path) {
  if (path == "spec.unschedulable") return node.at({"spec", "unschedulable"}).as_bool() ? "true" : "false";
  return std::nullopt;
}

}  // namespace

void set_node_defaults(Value& node) {
  const Value& capacity = node.at({"status", "capacity"});
  if (capacity.empty() || !node.at({"status", "allocatable"}).empty()) return;
  node.set({"status", "allocatable"}, Value(capacity));
}

KindRules node_rules() {
  KindRules made;
  made.rules = {.validate = validate,
                .validate_update = validate_update,
                .validate_status_update = validate_status_update,
                .cells = cells,
                .field = field};
  made.columns = {name_column(),
                  {"Status", "string", "", "Whether it takes pods."},
                  {"Roles", "string", "", "What it is for."},
                  age_column(),
                  {"Version", "string", "", "The version its node part reports."},
                  {"Internal-IP", "string", "", "Its address inside the cluster.", 1},
                  {"External-IP", "string", "", "Its address outside.", 1},
                  {"OS-Image", "string", "", "Its operating system.", 1},
                  {"Kernel-Version", "string", "", "Its kernel.", 1},
                  {"Container-Runtime", "string", "", "What runs its containers.", 1}};
  made.selectable_fields = {"spec.unschedulable"};
  return made;
}

}  // namespace stead::kinds
