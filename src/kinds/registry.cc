#include "kinds/registry.h"

#include "kinds/descriptor_tables.h"
#include "kinds/descriptors.h"
#include "kinds/rules.h"

namespace stead::kinds {
namespace {

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    size_t end = std::min(text.find(' '), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

Resource build(const tables::ResourceRow& row) {
  Resource resource{
      .group = row.group,
      .name = row.name,
      .singular = row.singular,
      .kind = row.kind,
      .short_names = words(row.short_names),
      .categories = words(row.categories),
      .namespaced = row.namespaced,
      .status_subresource = row.status,
      .scale_subresource = row.scale,
      .generation = row.generation,
      .name_format = row.name_format,
  };
  for (const tables::VersionRow& version : row.versions) {
    VersionRules rules = find_version_rules(version.group, version.name, row.kind);
    resource.versions.push_back({.group = version.group,
                                 .name = version.name,
                                 .api_version = version.api_version,
                                 .message = &messages()[version.message],
                                 .deprecation = version.deprecation,
                                 .set_defaults = rules.set_defaults,
                                 .to_hub = rules.to_hub,
                                 .from_hub = rules.from_hub});
  }
  KindRules rules = find_rules(row.group, row.kind);
  resource.rules = rules.rules;
  resource.columns = std::move(rules.columns);
  resource.selectable_fields = std::move(rules.selectable_fields);
  return resource;
}

bool served_in(const Resource& resource, std::string_view group) {
  if (resource.group == group) return true;
  for (const Version& version : resource.versions) {
    if (version.group == group) return true;
  }
  return false;
}

}  // namespace

const Version* Resource::version(std::string_view in_group, std::string_view version_name) const {
  for (const Version& version : versions) {
    if (version.group == in_group && version.name == version_name) return &version;
  }
  return nullptr;
}

const Resource* Registry::find(std::string_view group, std::string_view name) const {
  for (const Resource& resource : resources_) {
    if (resource.name == name && served_in(resource, group)) return &resource;
  }
  return nullptr;
}

const Resource* Registry::find_kind(std::string_view group, std::string_view kind) const {
  for (const Resource& resource : resources_) {
    if (resource.kind == kind && served_in(resource, group)) return &resource;
  }
  return nullptr;
}

const Registry& registry() {
  static const Registry& kRegistry = []() -> const Registry& {
    auto* built = new Registry;
    for (const tables::ResourceRow& row : tables::resources()) built->add(build(row));
    return *built;
  }();
  return kRegistry;
}

}  // namespace stead::kinds
