#include "apiserver/audit/audit_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "object/codec.h"
#include "object/quote.h"

namespace stead::apiserver {
namespace {

using object::quote;
using object::Value;

bool has(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

Error wrong(const std::string& path, std::string_view why) {
  return make_error(Reason::kBadRequest, fmt::format("{}: {}", path, why));
}

Result<std::vector<std::string>> read_texts(const Value& object, std::string_view field, const std::string& path) {
  const Value& list = object.at(field);
  std::string at = fmt::format("{}.{}", path, field);
  if (!list.is_null() && !list.is_array()) return wrong(at, "must be a list");
  std::vector<std::string> texts;
  for (const Value& item : list.items()) {
    if (!item.is_string()) return wrong(at, "must be a list of texts");
    texts.emplace_back(item.as_string());
  }
  return texts;
}

Result<void> check_fields(const Value& object, std::initializer_list<std::string_view> known, const std::string& path) {
  if (!object.is_object()) return wrong(path, "must be an object");
  for (const object::Member& member : object.members()) {
    std::string_view name = member.name();
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return wrong(fmt::format("{}{}{}", path, path.empty() ? "" : ".", name), "unknown field");
  }
  return {};
}

// "*", "pods", "pods/log", "pods/*", "*/scale".
bool names_resource(const std::string& pattern, const Attributes& attributes) {
  size_t slash = pattern.find('/');
  std::string_view resource = std::string_view(pattern).substr(0, slash);
  if (pattern == "*") return true;
  if (resource != "*" && resource != attributes.resource) return false;
  if (slash == std::string::npos) return attributes.subresource.empty();
  std::string_view subresource = std::string_view(pattern).substr(slash + 1);
  return subresource == "*" || subresource == attributes.subresource;
}

bool names_path(const std::string& pattern, std::string_view path) {
  if (!pattern.ends_with('*')) return pattern == path;
  return path.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1));
}

}  // namespace

AuditPolicy AuditPolicy::everything() {
  AuditPolicy policy;
  policy.rules_.push_back({.records = true});
  return policy;
}

Result<AuditPolicy> AuditPolicy::parse(std::string_view text) {
  STEAD_TRY(document, object::parse_yaml(text));
  std::string_view version = document.at("apiVersion").as_string();
  if (document.at("kind").as_string() != "Policy" || version != "audit.k8s.io/v1") {
    return wrong("apiVersion", "must be audit.k8s.io/v1, of kind Policy");
  }
  STEAD_TRY_VOID(
      check_fields(document, {"apiVersion", "kind", "metadata", "rules", "omitStages", "omitManagedFields"}, ""));
  AuditPolicy policy;
  STEAD_TRY(omitted, read_texts(document, "omitStages", "policy"));
  policy.records_started_ = !has(omitted, "ResponseStarted");
  const Value& rules = document.at("rules");
  if (!rules.is_array() || rules.empty()) return wrong("rules", "must be a list of at least one rule");
  for (size_t i = 0; i < rules.items().size(); ++i) {
    STEAD_TRY(rule, read_rule(rules.items()[i], fmt::format("rules[{}]", i)));
    policy.rules_.push_back(std::move(rule));
  }
  return policy;
}

Result<AuditPolicy::Rule> AuditPolicy::read_rule(const Value& rule, const std::string& path) {
  STEAD_TRY_VOID(check_fields(rule,
                              {"level", "users", "userGroups", "verbs", "resources", "namespaces", "nonResourceURLs",
                               "omitStages", "omitManagedFields"},
                              path));
  Rule read;
  std::string_view level = rule.at("level").as_string();
  if (level != "None" && level != "Metadata") {
    return wrong(path + ".level", fmt::format("{} is not supported: None or Metadata", quote(level)));
  }
  read.records = level == "Metadata";
  STEAD_TRY(users, read_texts(rule, "users", path));
  STEAD_TRY(groups, read_texts(rule, "userGroups", path));
  STEAD_TRY(verbs, read_texts(rule, "verbs", path));
  STEAD_TRY(namespaces, read_texts(rule, "namespaces", path));
  STEAD_TRY(paths, read_texts(rule, "nonResourceURLs", path));
  read.users = std::move(users);
  read.groups = std::move(groups);
  read.verbs = std::move(verbs);
  read.namespaces = std::move(namespaces);
  read.paths = std::move(paths);
  auto resources = rule.at("resources").items();
  for (size_t i = 0; i < resources.size(); ++i) {
    std::string at = fmt::format("{}.resources[{}]", path, i);
    STEAD_TRY_VOID(check_fields(resources[i], {"group", "resources", "resourceNames"}, at));
    STEAD_TRY(kinds, read_texts(resources[i], "resources", at));
    STEAD_TRY(names, read_texts(resources[i], "resourceNames", at));
    read.resources.push_back({std::string(resources[i].at("group").as_string()), std::move(kinds), std::move(names)});
  }
  if (!read.paths.empty() && (!read.resources.empty() || !read.namespaces.empty())) {
    return wrong(path + ".nonResourceURLs", "cannot be together with resources or namespaces");
  }
  return read;
}

bool AuditPolicy::fits(const Rule& rule, const client::Identity& identity, const Attributes& attributes) {
  if (!rule.users.empty() && !has(rule.users, identity.user)) return false;
  auto in = [&](const std::string& group) { return identity.in_group(group); };
  if (!rule.groups.empty() && std::none_of(rule.groups.begin(), rule.groups.end(), in)) return false;
  if (!rule.verbs.empty() && !has(rule.verbs, attributes.verb)) return false;
  if (attributes.on_path()) {
    if (!rule.resources.empty() || !rule.namespaces.empty()) return false;
    return rule.paths.empty() || std::any_of(rule.paths.begin(), rule.paths.end(), [&](const std::string& pattern) {
             return names_path(pattern, attributes.path);
           });
  }
  if (!rule.paths.empty()) return false;
  if (!rule.namespaces.empty() && !has(rule.namespaces, attributes.ns)) return false;
  if (rule.resources.empty()) return true;
  return std::any_of(rule.resources.begin(), rule.resources.end(), [&](const ResourceRule& one) {
    if (one.group != attributes.group) return false;
    if (!one.names.empty() && !has(one.names, attributes.name)) return false;
    return one.resources.empty() ||
           std::any_of(one.resources.begin(), one.resources.end(),
                       [&](const std::string& kind) { return names_resource(kind, attributes); });
  });
}

bool AuditPolicy::records(const client::Identity& identity, const Attributes& attributes) const {
  for (const Rule& rule : rules_) {
    if (fits(rule, identity, attributes)) return rule.records;
  }
  return false;
}

}  // namespace stead::apiserver
