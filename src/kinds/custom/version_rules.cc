#include "kinds/custom/version_rules.h"

#include <set>
#include <string>

#include "kinds/custom/json_path.h"
#include "kinds/custom/schema_walk.h"

namespace stead::kinds {
namespace {

constexpr size_t kSelectableMax = 8;

void check_scale_path(const Value& scale, std::string_view name, std::string_view below, bool needed, const Path& path,
                      FieldErrors& errors) {
  const Path at = path.child(name);
  std::string_view text = scale.at(name).as_string();
  if (text.empty()) {
    if (needed) errors.required(at);
    return;
  }
  if (text.front() != '.') return errors.invalid(at, scale.at(name), "must be a simple json path starting with .");
  if (!text.starts_with("." + std::string(below) + ".")) {
    errors.invalid(at, scale.at(name), "should be a json path under ." + std::string(below));
  }
}

// The schema of what a path of member names leads to; nullptr: nothing that the schema knows.
const Value* schema_at(const Value& root, std::string_view path) {
  const Value* at = &root;
  while (!path.empty()) {
    if (path.front() != '.') return nullptr;
    path.remove_prefix(1);
    const size_t end = std::min(path.find('.'), path.size());
    const Value& properties = at->at("properties");
    const Value* next = properties.find(path.substr(0, end));
    if (next == nullptr && at->at("additionalProperties").is_object()) next = &at->at("additionalProperties");
    if (next == nullptr) return nullptr;
    at = next;
    path.remove_prefix(end);
  }
  return at;
}

void check_selectable(const Value& version, const Path& path, FieldErrors& errors) {
  const Value& fields = version.at("selectableFields");
  const Path list = path.child("selectableFields");
  if (fields.size() > kSelectableMax) errors.too_many(list, fields.size(), kSelectableMax);
  const Value& schema = version.at({"schema", "openAPIV3Schema"});
  std::set<std::string_view> seen;
  for (size_t i = 0; i < fields.size(); ++i) {
    const Path field = list.index(i);
    const Path at = field.child("jsonPath");
    const Value& told = fields.items()[i].at("jsonPath");
    std::string_view text = told.as_string();
    if (text.empty()) {
      errors.required(at);
      continue;
    }
    if (text == ".metadata" || text.starts_with(".metadata.")) {
      errors.invalid(at, told, "must not point to fields in metadata");
      continue;
    }
    const Value* leads_to = schema_at(schema, text);
    if (leads_to == nullptr) {
      errors.invalid(at, told, "is an invalid path: does not refer to a valid field");
      continue;
    }
    std::string_view type = leads_to->at("type").as_string();
    if (type != "string" && type != "boolean" && type != "integer") {
      errors.invalid(at, told,
                     "must point to a field of type string, boolean or integer. Enum string fields and strings with "
                     "formats are allowed.");
    }
    if (!seen.insert(text).second) errors.duplicate(at, told);
  }
}

bool is_below(std::string_view group, std::string_view domain) {
  return group == domain || group.ends_with("." + std::string(domain));
}

}  // namespace

void check_version_extras(const Value& version, const Path& path, FieldErrors& errors) {
  const Path subresources = path.child("subresources");
  const Path at = subresources.child("scale");
  const Value& scale = version.at({"subresources", "scale"});
  if (scale.is_object()) {
    check_scale_path(scale, "specReplicasPath", "spec", true, at, errors);
    check_scale_path(scale, "statusReplicasPath", "status", true, at, errors);
    check_scale_path(scale, "labelSelectorPath", "status", false, at, errors);
  }
  check_selectable(version, path, errors);
  if (version.find("deprecationWarning") != nullptr && !schema_flag(version, "deprecated")) {
    errors.invalid(path.child("deprecationWarning"), version.at("deprecationWarning"),
                   "can only be set for deprecated versions");
  }
}

void check_approval(const Value& definition, FieldErrors& errors) {
  std::string_view group = definition.at({"spec", "group"}).as_string();
  if (!is_below(group, "k8s.io") && !is_below(group, "kubernetes.io")) return;
  constexpr std::string_view kApproved = "api-approved.kubernetes.io";
  const Value& approval = definition.at({"metadata", "annotations", kApproved});
  const Path metadata("metadata");
  const Path annotations = metadata.child("annotations");
  const Path at = annotations.key(kApproved);
  std::string_view text = approval.as_string();
  if (text.empty()) {
    return errors.required(at,
                           "protected groups must have approval annotation \"api-approved.kubernetes.io\", see "
                           "https://github.com/kubernetes/enhancements/pull/1111");
  }
  if (text.starts_with("unapproved") || text.find("://") != std::string_view::npos) return;
  errors.invalid(at, approval,
                 "protected groups must have approval annotation \"api-approved.kubernetes.io\" with either a URL or a "
                 "reason starting with \"unapproved\", see https://github.com/kubernetes/enhancements/pull/1111");
}

}  // namespace stead::kinds
