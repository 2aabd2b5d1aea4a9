#include "apiserver/webhooks/request_match.h"

#include <algorithm>

namespace stead::apiserver {
namespace {

using object::LabelSelector;
using object::Value;

bool has(const Value& list, std::string_view wanted) {
  auto items = list.items();
  return std::any_of(items.begin(), items.end(),
                     [&](const Value& item) { return item.as_string() == "*" || item.as_string() == wanted; });
}

// "pods", "pods/status", "pods/*", "*", "*/scale".
bool names_resource(const Value& resources, std::string_view resource, std::string_view subresource) {
  for (const Value& entry : resources.items()) {
    std::string_view name = entry.as_string();
    std::string_view below;
    if (size_t slash = name.find('/'); slash != std::string_view::npos) {
      below = name.substr(slash + 1);
      name = name.substr(0, slash);
    }
    if ((name == "*" || name == resource) && (below == "*" || below == subresource)) return true;
  }
  return false;
}

bool is_namespace(const Call& call) { return call.resource->group.empty() && call.resource->name == "namespaces"; }

bool fits_scope(const Value& rule, const Call& call) {
  std::string_view scope = rule.at("scope").as_string();
  if (scope.empty() || scope == "*") return true;
  return (scope == "Namespaced") == call.resource->namespaced;
}

bool names_object(const Value& rule, std::optional<std::string_view> name) {
  const Value& names = rule.at("resourceNames");
  if (names.empty() || !name) return true;
  auto items = names.items();
  return std::any_of(items.begin(), items.end(), [&](const Value& item) { return item.as_string() == *name; });
}

}  // namespace

LabelSelector selector_of(const Value& document) {
  if (document.is_null()) return {};
  Result<LabelSelector> made = LabelSelector::from_document(document);
  return made.ok() ? std::move(*made) : LabelSelector();
}

const kinds::Version* matching_version(const Value& rules, bool equivalent, const Call& call, Operation operation,
                                       std::optional<std::string_view> name) {
  auto matches = [&](const kinds::Version& version) {
    auto all = rules.items();
    return std::any_of(all.begin(), all.end(), [&](const Value& rule) {
      return has(rule.at("operations"), operation_name(operation)) && has(rule.at("apiGroups"), version.group) &&
             has(rule.at("apiVersions"), version.name) &&
             names_resource(rule.at("resources"), call.resource->name, call.request.subresource) &&
             fits_scope(rule, call) && names_object(rule, name);
    });
  };
  if (matches(*call.version)) return call.version;
  if (!equivalent) return nullptr;
  for (const kinds::Version& version : call.resource->versions) {
    if (matches(version)) return &version;
  }
  return nullptr;
}

bool selectors_choose(const LabelSelector& namespaces, const LabelSelector& objects,
                      const AdmissionAttributes& attributes, const Value* namespace_labels) {
  const Call& call = *attributes.call;
  auto labels = [](const Value& document) -> const Value& { return document.at({"metadata", "labels"}); };
  if (!namespaces.matches_everything()) {
    // A namespace is chosen by its own labels, what is in none by no labels at all.
    if (is_namespace(call)) {
      namespace_labels = attributes.object.is_null() ? &labels(attributes.old) : &labels(attributes.object);
    }
    if (namespace_labels != nullptr && !namespaces.matches(*namespace_labels)) return false;
  }
  if (objects.matches_everything()) return true;
  return (!attributes.object.is_null() && objects.matches(labels(attributes.object))) ||
         (!attributes.old.is_null() && objects.matches(labels(attributes.old)));
}

std::string_view object_name(const AdmissionAttributes& attributes) {
  if (!attributes.call->request.name.empty()) return attributes.call->request.name;
  const Value& document = attributes.object.is_null() ? attributes.old : attributes.object;
  return document.at({"metadata", "name"}).as_string();
}

}  // namespace stead::apiserver
