#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "kinds/networking/networking_rules.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

void validate_port(const Path& path, const Value& port, FieldErrors& errors) {
  check_optional_one_of(path.child("protocol"), port.at("protocol"), {"TCP", "UDP", "SCTP"}, errors);
  const Value* number = port.find("port");
  const Value* end = port.find("endPort");
  if (number != nullptr) check_port(path.child("port"), *number, errors);
  if (end == nullptr) return;
  Path end_path = path.child("endPort");
  if (number == nullptr) {
    errors.invalid(end_path, *end, "may not be specified when `port` is not specified");
  } else if (number->is_int()) {
    if (end->as_int() < number->as_int()) {
      errors.invalid(end_path, *end, "must be greater than or equal to `port`");
    }
    check_port_number(end_path, *end, errors);
  } else {
    errors.invalid(end_path, *end, "may not be specified when `port` is non-numeric");
  }
}

void validate_block(const Path& path, const Value& block, FieldErrors& errors) {
  const Value& range = block.at("cidr");
  Path range_path = path.child("cidr");
  if (is_absent_or_empty(range)) {
    errors.required(range_path);
    return;
  }
  if (!check(range_path, range, object::check_cidr(range.as_string()), errors)) return;
  Path except_path = path.child("except");
  auto except = block.at("except").items();
  for (size_t i = 0; i < except.size(); ++i) {
    std::string problem = object::check_cidr(except[i].as_string());
    if (!check(except_path.index(i), except[i], problem, errors)) continue;
    if (!object::is_strict_subset(except[i].as_string(), range.as_string())) {
      errors.invalid(except_path.index(i), except[i], "must be a strict subset of `cidr`");
    }
  }
}

void validate_peer(const Path& path, const Value& peer, FieldErrors& errors) {
  size_t given = 0;
  for (std::string_view name : {"podSelector", "namespaceSelector"}) {
    const Value* selector = peer.find(name);
    if (selector == nullptr) continue;
    ++given;
    check_label_selector(path.child(name), *selector, errors);
  }
  const Value* block = peer.find("ipBlock");
  if (block != nullptr) {
    validate_block(path.child("ipBlock"), *block, errors);
    if (given > 0) errors.forbidden(path, "may not specify both ipBlock and another peer");
  } else if (given == 0) {
    errors.required(path, "must specify a peer");
  }
}

void validate_rules(const Path& path, const Value& rules, std::string_view peers, FieldErrors& errors) {
  for (size_t i = 0; i < rules.size(); ++i) {
    const Value& rule = rules.items()[i];
    Path at = path.index(i);
    Path ports_path = at.child("ports");
    for (size_t j = 0; j < rule.at("ports").size(); ++j) {
      validate_port(ports_path.index(j), rule.at("ports").items()[j], errors);
    }
    Path peers_path = at.child(peers);
    for (size_t j = 0; j < rule.at(peers).size(); ++j) {
      validate_peer(peers_path.index(j), rule.at(peers).items()[j], errors);
    }
  }
}

void validate(const Value& policy, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = policy.at("spec");
  check_label_selector(path.child("podSelector"), spec.at("podSelector"), errors);
  validate_rules(path.child("ingress"), spec.at("ingress"), "from", errors);
  validate_rules(path.child("egress"), spec.at("egress"), "to", errors);
  Path types_path = path.child("policyTypes");
  auto types = spec.at("policyTypes").items();
  if (types.size() > 2) {
    errors.invalid(types_path, spec.at("policyTypes"), "may not specify more than two policyTypes");
    return;
  }
  for (size_t i = 0; i < types.size(); ++i) {
    check_optional_one_of(types_path.index(i), types[i], {"Ingress", "Egress"}, errors);
  }
}

std::vector<Value> cells(const Value& policy, WallTime now) {
  return {name_of(policy), format_label_selector(policy.at({"spec", "podSelector"})), age(policy, now)};
}

}  // namespace

// A policy is about what comes in, and about what goes out if it has rules for that.
void set_network_policy_defaults(Value& policy) {
  Value& spec = policy["spec"];
  if (spec.is_null()) spec = Value::object();
  if (!spec.at("policyTypes").empty()) return;
  Value types = Value::array({"Ingress"});
  if (!spec.at("egress").empty()) types.append("Egress");
  spec.set("policyTypes", std::move(types));
}

KindRules network_policy_rules() {
  KindRules made;
  made.rules = {.validate = validate, .cells = cells};
  made.columns = {name_column(), {"Pod-Selector", "string", "", "The pods that the policy is about."}, age_column()};
  return made;
}

}  // namespace stead::kinds
