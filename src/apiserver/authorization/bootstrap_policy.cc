#include "apiserver/authorization/bootstrap_policy.h"

#include <algorithm>

#include "apiserver/authorization/bootstrap_table.h"
#include "apiserver/authorization/policy_rule.h"
#include "base/check.h"

namespace stead::apiserver {
namespace {

constexpr std::string_view kAutoUpdate = "rbac.authorization.kubernetes.io/autoupdate";
constexpr std::string_view kRbacGroup = "rbac.authorization.k8s.io";

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::vector<std::string> sorted(std::string_view text) {
  std::vector<std::string> words;
  for (std::string_view word : split(text, ' ')) {
    if (word == "READ") {
      words.insert(words.end(), {"get", "list", "watch"});
    } else if (word == "WRITE") {
      words.insert(words.end(), {"create", "delete", "deletecollection", "patch", "update"});
    } else {
      words.emplace_back(word == "core" ? "" : word);
    }
  }
  std::sort(words.begin(), words.end());
  return words;
}

Value named(std::string_view kind, std::string_view name, std::string_view ns) {
  Value metadata = Value::object({{"name", name}});
  if (!ns.empty()) metadata.set("namespace", ns);
  metadata.set("labels", Value::object({{"kubernetes.io/bootstrapping", "rbac-defaults"}}));
  metadata.set("annotations", Value::object({{kAutoUpdate, "true"}}));
  return Value::object({{"apiVersion", "rbac.authorization.k8s.io/v1"}, {"kind", kind}, {"metadata", metadata}});
}

Value subject(std::string_view text) {
  if (text.starts_with("user:")) {
    return Value::object({{"kind", "User"}, {"apiGroup", kRbacGroup}, {"name", text.substr(5)}});
  }
  if (text.starts_with("group:")) {
    return Value::object({{"kind", "Group"}, {"apiGroup", kRbacGroup}, {"name", text.substr(6)}});
  }
  size_t slash = text.find('/');
  STEAD_CHECK(slash != std::string_view::npos);
  return Value::object(
      {{"kind", "ServiceAccount"}, {"name", text.substr(slash + 1)}, {"namespace", text.substr(0, slash)}});
}

class TableReader {
 public:
  std::vector<BootstrapObject> read(std::string_view table) {
    for (std::string_view line : split(table, '\n')) read_line(line);
    objects_.insert(objects_.end(), std::make_move_iterator(bindings_.begin()),
                    std::make_move_iterator(bindings_.end()));
    return std::move(objects_);
  }

 private:
  void read_line(std::string_view line) {
    std::vector<std::string_view> words = split(line, ' ');
    if (words[0] == "role") return add_role(words);
    if (words[0] == "controller") return add_controller(std::string(words[1]));
    if (words[0] == "bind") return add_binding(line);
    Value& role = objects_.back().document;
    if (words[0] == "aggregates") {
      Value labels = Value::object({{label(words[1]), "true"}});
      Value selector = Value::object({{"matchLabels", std::move(labels)}});
      role.set("aggregationRule", Value::object({{"clusterRoleSelectors", Value::array({std::move(selector)})}}));
    } else if (words[0] == "events") {
      role["rules"].append(write_rule({{"create", "patch", "update"}, {"", "events.k8s.io"}, {"events"}, {}, {}}));
    } else {
      role["rules"].append(write_rule(read_rule_line(line)));
    }
  }

  static std::string label(std::string_view word) {
    return std::string(kRbacGroup) + "/aggregate-to-" + std::string(word);
  }

  static PolicyRule read_rule_line(std::string_view line) {
    std::vector<std::string_view> parts = split(line, '|');
    STEAD_CHECK(parts.size() == 3 || parts.size() == 4, line);
    if (parts[1] == " urls ") return {sorted(parts[0]), {}, {}, {}, sorted(parts[2])};
    return {sorted(parts[0]),
            sorted(parts[1]),
            sorted(parts[2]),
            parts.size() == 4 ? sorted(parts[3]) : std::vector<std::string>(),
            {}};
  }

  void add_role(const std::vector<std::string_view>& words) {
    if (words.size() == 4 && words[2] == "in") {
      objects_.push_back({"roles", named("Role", words[1], words[3])});
      return;
    }
    Value role = named("ClusterRole", words[1], "");
    for (size_t i = 2; i < words.size(); ++i) role.set({"metadata", "labels", label(words[i])}, "true");
    objects_.push_back({"clusterroles", std::move(role)});
  }

  void add_controller(const std::string& name) {
    std::string role = "system:controller:" + name;
    objects_.push_back({"clusterroles", named("ClusterRole", role, "")});
    bindings_.push_back({"clusterrolebindings", binding(role, "", role, "kube-system/" + name)});
  }

  void add_binding(std::string_view line) {
    size_t colon = line.find(": ");
    std::string_view subjects = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 2);
    std::string_view head = line.substr(0, colon == std::string_view::npos ? line.size() - 1 : colon);
    std::vector<std::string_view> words = split(head, ' ');
    bool cluster = words.size() == 4;
    std::string_view ns = cluster ? std::string_view() : words[3];
    bindings_.push_back(
        {cluster ? "clusterrolebindings" : "rolebindings", binding(words[1], ns, words.back(), subjects)});
  }

  static Value binding(std::string_view name, std::string_view ns, std::string_view role, std::string_view subjects) {
    Value made = named(ns.empty() ? "ClusterRoleBinding" : "RoleBinding", name, ns);
    made.set("roleRef",
             Value::object({{"apiGroup", kRbacGroup}, {"kind", ns.empty() ? "ClusterRole" : "Role"}, {"name", role}}));
    for (std::string_view one : split(subjects, ' ')) made["subjects"].append(subject(one));
    return made;
  }

  std::vector<BootstrapObject> objects_;
  std::vector<BootstrapObject> bindings_;
};

void add_marks(Value& metadata, const Value& wanted, std::string_view field) {
  for (const object::Member& mark : wanted.at(field).members()) {
    if (metadata.at(field).find(mark.name()) == nullptr) metadata[field].set(mark.name(), mark.value);
  }
}

}  // namespace

std::vector<BootstrapObject> bootstrap_policy() { return TableReader().read(kBootstrapTable); }

std::optional<Value> reconciled(const Value& existing, const Value& wanted) {
  if (existing.at({"metadata", "annotations", kAutoUpdate}).as_string() != "true") return std::nullopt;
  Value made = existing;
  add_marks(made["metadata"], wanted.at("metadata"), "labels");
  if (wanted.find("aggregationRule") != nullptr) {
    // Its rules are the aggregation's.
    if (made.at("aggregationRule").is_null()) made.set("aggregationRule", wanted.at("aggregationRule"));
  } else {
    Result<PolicyRules> missing = missing_rights(read_rules(existing.at("rules")), read_rules(wanted.at("rules")));
    if (missing.ok()) {
      for (const PolicyRule& rule : *missing) made["rules"].append(write_rule(rule));
    }
  }
  for (const Value& one : wanted.at("subjects").items()) {
    auto present = made.at("subjects").items();
    if (std::find(present.begin(), present.end(), one) == present.end()) made["subjects"].append(one);
  }
  if (made == existing) return std::nullopt;
  return made;
}

}  // namespace stead::apiserver
