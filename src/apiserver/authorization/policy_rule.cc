#include "apiserver/authorization/policy_rule.h"

#include <algorithm>
#include <span>

#include "object/quote.h"

namespace stead::apiserver {
namespace {

using Texts = std::vector<std::string>;

bool has(const Texts& texts, std::string_view text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

bool has_or_all(const Texts& texts, std::string_view text) {
  return std::any_of(texts.begin(), texts.end(), [&](const std::string& one) { return one == "*" || one == text; });
}

// `pattern` is a rule's, the rest a request's.
bool resource_fits(std::string_view pattern, std::string_view resource, std::string_view subresource) {
  if (pattern == "*") return true;
  if (subresource.empty()) return pattern == resource;
  if (pattern.size() < subresource.size() + 1 || !pattern.ends_with(subresource)) return false;
  std::string_view head = pattern.substr(0, pattern.size() - subresource.size());
  if (!head.ends_with('/')) return false;
  head.remove_suffix(1);
  return head == "*" || head == resource;
}

bool url_fits(std::string_view pattern, std::string_view path) {
  if (pattern == "*" || pattern == path) return true;
  return pattern.ends_with('*') && path.starts_with(pattern.substr(0, pattern.size() - 1));
}

// A single right as a rule with at most one text in each list.
bool covers(const PolicyRule& owner, const PolicyRule& right) {
  if (!has_or_all(owner.verbs, right.verbs.front())) return false;
  if (!right.urls.empty()) {
    return std::any_of(owner.urls.begin(), owner.urls.end(),
                       [&](const std::string& url) { return url_fits(url, right.urls.front()); });
  }
  if (!has_or_all(owner.groups, right.groups.front())) return false;
  std::string_view resource = right.resources.front();
  size_t slash = resource.find('/');
  bool resource_covered =
      has_or_all(owner.resources, resource) ||
      (slash != std::string_view::npos && has(owner.resources, "*/" + std::string(resource.substr(slash + 1))));
  if (!resource_covered) return false;
  if (owner.names.empty()) return true;
  return !right.names.empty() && has(owner.names, right.names.front());
}

// Calls visit(right) for each single right.
template <class Visit>
void take_apart(const PolicyRule& rule, Visit&& visit) {
  for (const std::string& verb : rule.verbs) {
    for (const std::string& url : rule.urls) visit(PolicyRule{{verb}, {}, {}, {}, {url}});
    for (const std::string& group : rule.groups) {
      for (const std::string& resource : rule.resources) {
        if (rule.names.empty()) visit(PolicyRule{{verb}, {group}, {resource}, {}, {}});
        for (const std::string& name : rule.names) visit(PolicyRule{{verb}, {group}, {resource}, {name}, {}});
      }
    }
  }
}

void join(PolicyRules& joined, const PolicyRule& right) {
  for (PolicyRule& rule : joined) {
    bool same = rule.urls.empty() && right.urls.empty() && rule.groups == right.groups &&
                rule.resources == right.resources && rule.names == right.names;
    if (!same) continue;
    if (!has(rule.verbs, right.verbs.front())) rule.verbs.push_back(right.verbs.front());
    return;
  }
  joined.push_back(right);
}

Texts read_texts(const Value& list) {
  Texts texts;
  for (const Value& item : list.items()) texts.emplace_back(item.as_string());
  return texts;
}

}  // namespace

PolicyRule read_rule(const Value& rule) {
  return {read_texts(rule.at("verbs")), read_texts(rule.at("apiGroups")), read_texts(rule.at("resources")),
          read_texts(rule.at("resourceNames")), read_texts(rule.at("nonResourceURLs"))};
}

PolicyRules read_rules(const Value& rules) {
  PolicyRules read;
  for (const Value& rule : rules.items()) read.push_back(read_rule(rule));
  return read;
}

Value write_rule(const PolicyRule& rule) {
  Value written = Value::object();
  auto put = [&](std::string_view field, const Texts& texts) {
    if (texts.empty()) return;
    Value list = Value::array();
    for (const std::string& text : texts) list.append(text);
    written.set(field, std::move(list));
  };
  put("verbs", rule.verbs);
  put("apiGroups", rule.groups);
  put("resources", rule.resources);
  put("resourceNames", rule.names);
  put("nonResourceURLs", rule.urls);
  return written;
}

bool rule_allows(const PolicyRule& rule, const Attributes& attributes) {
  if (!has_or_all(rule.verbs, attributes.verb)) return false;
  if (attributes.on_path()) {
    return std::any_of(rule.urls.begin(), rule.urls.end(),
                       [&](const std::string& url) { return url_fits(url, attributes.path); });
  }
  if (!has_or_all(rule.groups, attributes.group)) return false;
  bool fits = std::any_of(rule.resources.begin(), rule.resources.end(), [&](const std::string& resource) {
    return resource_fits(resource, attributes.resource, attributes.subresource);
  });
  return fits && (rule.names.empty() || has(rule.names, attributes.name));
}

Result<PolicyRules> missing_rights(const PolicyRules& owned, const PolicyRules& wanted) {
  size_t rights = 0;
  for (const PolicyRule& rule : wanted) {
    // Each list is short enough for the product not to overflow: a document has a size limit.
    rights += rule.verbs.size() *
              (rule.urls.size() + rule.groups.size() * rule.resources.size() * std::max<size_t>(rule.names.size(), 1));
    if (rights > kSingleRightsMax) {
      return make_error(Reason::kForbidden, "the rules grant more single rights than can be compared (" +
                                                std::to_string(kSingleRightsMax) + ")");
    }
  }
  PolicyRules missing;
  for (const PolicyRule& rule : wanted) {
    take_apart(rule, [&](const PolicyRule& right) {
      bool held = std::any_of(owned.begin(), owned.end(), [&](const PolicyRule& own) { return covers(own, right); });
      if (!held) join(missing, right);
    });
  }
  return missing;
}

std::string describe(const PolicyRule& rule) {
  std::string text;
  auto put = [&](std::string_view field, const Texts& texts) {
    if (texts.empty()) return;
    text.append(text.empty() ? "{" : ", ").append(field).append(":[");
    for (size_t i = 0; i < texts.size(); ++i) text.append(i == 0 ? "" : " ").append(object::quote(texts[i]));
    text += "]";
  };
  put("APIGroups", rule.groups);
  put("Resources", rule.resources);
  put("NonResourceURLs", rule.urls);
  put("ResourceNames", rule.names);
  put("Verbs", rule.verbs);
  return text + "}";
}

}  // namespace stead::apiserver
