#include "apiserver/selection.h"

#include <fmt/format.h>

#include <algorithm>

namespace stead::apiserver {
namespace {

std::string field_text(const kinds::Resource& resource, const object::Object& object, std::string_view path) {
  if (path == "metadata.name") return std::string(object.name());
  if (path == "metadata.namespace") return std::string(object.ns());
  if (kinds::custom_of(resource) != nullptr)
    return kinds::custom_of(resource)->field(object.document(), path).value_or("");
  if (resource.rules.field == nullptr) return {};
  return resource.rules.field(object.document(), path).value_or("");
}

cache::FieldKey field_key_of(const kinds::Resource& resource, std::shared_ptr<const kinds::CustomKind> custom,
                             const std::string& path, std::string value) {
  return {path, std::move(value), [&resource, custom = std::move(custom), path](const object::Object& object) {
            return field_text(resource, object, path);
          }};
}

}  // namespace

Result<Selection> Selection::make(const Call& call) {
  Selection selection;
  selection.resource_ = call.resource;
  selection.custom_ = call.custom;
  if (call.resource->namespaced) selection.ns_ = call.request.ns;
  STEAD_TRY(labels, object::LabelSelector::parse(call.request.label_selector));
  selection.labels_ = std::move(labels);
  STEAD_TRY(fields, object::FieldSelector::parse(call.request.field_selector));
  for (const auto& requirement : fields.requirements()) {
    const auto& known = call.resource->selectable_fields;
    if (requirement.path == "metadata.name" || requirement.path == "metadata.namespace") continue;
    if (std::find(known.begin(), known.end(), requirement.path) == known.end()) {
      return make_error(Reason::kBadRequest,
                        fmt::format("Unable to find \"{}/{}, Resource={}\" that match label selector \"{}\", field "
                                    "selector \"{}\": field label not supported: {}",
                                    call.version->group, call.version->name, call.resource->name,
                                    call.request.label_selector, call.request.field_selector, requirement.path));
    }
  }
  selection.fields_ = std::move(fields);
  if (!selection.ns_.empty()) selection.key_prefix_ = selection.ns_ + "/";
  // One name needs one look-up, not a scan.
  auto name = selection.fields_.required_value("metadata.name");
  if (name && (!call.resource->namespaced || !selection.ns_.empty())) selection.key_prefix_ += *name;
  return selection;
}

bool Selection::matches(const object::Object& object) const {
  if (!ns_.empty() && object.ns() != ns_) return false;
  if (!labels_.matches_everything() && !labels_.matches(object.metadata().at("labels"))) return false;
  if (fields_.empty()) return true;
  return fields_.matches([&](std::string_view path) { return field_text(*resource_, object, path); });
}

std::optional<cache::FieldKey> Selection::field_key() const {
  if (auto name = fields_.required_value("metadata.name"))
    return field_key_of(*resource_, custom_, "metadata.name", *name);
  if (auto indexed = index_key()) return indexed;
  if (!ns_.empty()) return field_key_of(*resource_, custom_, "metadata.namespace", ns_);
  return {};
}

bool Selection::needs_conversion() const {
  if (!custom_ || custom_->conversion_webhook().is_null()) return false;
  const auto& all = fields_.requirements();
  return std::any_of(all.begin(), all.end(), [](const auto& one) { return !one.path.starts_with("metadata."); });
}

std::optional<cache::FieldKey> Selection::index_key() const {
  // Indexes are of objects as they are stored.
  if (needs_conversion()) return {};
  for (const auto& requirement : fields_.requirements()) {
    if (!requirement.equal || requirement.path.starts_with("metadata.")) continue;
    return field_key_of(*resource_, custom_, requirement.path, requirement.value);
  }
  return {};
}

}  // namespace stead::apiserver
