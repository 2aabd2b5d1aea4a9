#pragma once

// One verb call on its way through the server: who asks, for what.

#include <map>
#include <memory>
#include <string>

#include "apiserver/custom/catalogue.h"
#include "client/transport.h"
#include "kinds/registry.h"

namespace stead::apiserver {

struct Call {
  client::Identity identity;
  client::Request request;
  const kinds::Resource* resource = nullptr;
  const kinds::Version* version = nullptr;          // the form the caller speaks
  std::shared_ptr<const kinds::CustomKind> custom;  // keeps `resource` alive where users declared it

  // What those who judge it add to its line in the audit log; null where there is none.
  std::shared_ptr<std::map<std::string, std::string>> annotations;

  // The cache's name of the resource: "apps/statefulsets", "/pods".
  std::string resource_path() const { return std::string(resource->group) + "/" + std::string(resource->name); }
  // "ns/name" or "name".
  std::string key() const { return resource->namespaced ? request.ns + "/" + request.name : request.name; }
  // "statefulsets.apps", "pods": how messages name a resource, by the group that the caller speaks.
  std::string qualified_resource() const {
    std::string text(resource->name);
    if (!version->group.empty()) text.append(".").append(version->group);
    return text;
  }
};

// Finds resource and version; kNotFound if they are not served.
Result<Call> resolve(const Catalogue& catalogue, client::Identity identity, client::Request request);

Error not_found_error(const Call& call, std::string_view name);
Error already_exists_error(const Call& call, std::string_view name);
Error conflict_error(const Call& call, std::string_view name, std::string_view why);
// The text of a stale resourceVersion.
Error modified_error(const Call& call, std::string_view name);

}  // namespace stead::apiserver
