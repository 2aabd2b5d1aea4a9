#include <algorithm>

#include "kinds/custom/custom_kind.h"
#include "kinds/openapi.h"
#include "kinds/openapi/paths.h"
#include "kinds/openapi/schema.h"

namespace stead::kinds {
namespace {

using openapi::add;
using openapi::Definitions;
using openapi::Dialect;

Value info(std::string_view server_version) {
  Value result = Value::object();
  add(result, "title", Value::borrowed("Kubernetes"));
  add(result, "version", Value(server_version));
  return result;
}

// Clients look definitions and paths up by name and people read them in order.
void sort_members(Value& object) {
  auto& members = object.mutable_members();
  std::sort(members.begin(), members.end(),
            [](const object::Member& a, const object::Member& b) { return a.name() < b.name(); });
}

}  // namespace

std::vector<const Resource*> all_resources() {
  std::vector<const Resource*> result;
  for (const Resource& resource : registry().resources()) result.push_back(&resource);
  return result;
}

Value openapi_v2(Resources resources, std::string_view server_version) {
  Definitions definitions(Dialect::kV2);
  Value paths = Value::object();
  for (const Resource* resource : resources) {
    for (const Version& version : resource->versions) {
      if (custom_of(*resource) != nullptr && !custom_of(*resource)->serves(version)) continue;
      openapi::add_paths(paths, definitions, Dialect::kV2, *resource, version);
    }
  }
  Value schemas = definitions.take();
  sort_members(schemas);
  sort_members(paths);
  Value document = Value::object();
  add(document, "swagger", Value::borrowed("2.0"));
  add(document, "info", info(server_version));
  add(document, "paths", std::move(paths));
  add(document, "definitions", std::move(schemas));
  return document;
}

Value openapi_v3(Resources resources, std::string_view group, std::string_view version_name,
                 std::string_view server_version) {
  Definitions definitions(Dialect::kV3);
  Value paths = Value::object();
  for (const Resource* resource : resources) {
    const Version* version = resource->version(group, version_name);
    if (version == nullptr || (custom_of(*resource) != nullptr && !custom_of(*resource)->serves(*version))) continue;
    openapi::add_paths(paths, definitions, Dialect::kV3, *resource, *version);
  }
  if (paths.empty()) return Value();
  Value schemas = definitions.take();
  sort_members(schemas);
  sort_members(paths);
  Value components = Value::object();
  add(components, "schemas", std::move(schemas));
  Value document = Value::object();
  add(document, "openapi", Value::borrowed("3.0.0"));
  add(document, "info", info(server_version));
  add(document, "paths", std::move(paths));
  add(document, "components", std::move(components));
  return document;
}

Value openapi_v3_index(Resources resources, std::string_view hash) {
  Value paths = Value::object();
  for (const Resource* resource : resources) {
    for (const Version& version : resource->versions) {
      if (custom_of(*resource) != nullptr && !custom_of(*resource)->serves(version)) continue;
      std::string path = openapi::base_path(version.group, version.name).substr(1);
      if (paths.find(path) != nullptr) continue;
      paths.set(path,
                Value::object({{"serverRelativeURL", Value("/openapi/v3/" + path + "?hash=" + std::string(hash))}}));
    }
  }
  sort_members(paths);
  Value document = Value::object();
  add(document, "paths", std::move(paths));
  return document;
}

}  // namespace stead::kinds
