#pragma once

// The OpenAPI documents of a set of resources, computed from their descriptors. All functions are pure and safe from
// any thread; results are large (megabytes in all), so callers keep them per set of resources. Documents borrow names
// and docs of the descriptors, which live for ever.

#include <span>
#include <string>
#include <string_view>

#include "kinds/registry.h"
#include "object/value.h"

namespace stead::kinds {

using Resources = std::span<const Resource* const>;

// GET /openapi/v2: definitions of every message that the resources reach, and a path for each resource, its status
// and its scale. `server_version` is info.version ("v1.35.0+stead").
Value openapi_v2(Resources resources, std::string_view server_version);

// The same document as application/com.github.proto-openapi.spec.v2@v1.0+protobuf, the only form that kubectl before
// v1.27 reads. Covers what openapi_v2() writes. The answer's Content-Type must be the same with a dot before "v1.0"
// (application/com.github.proto-openapi.spec.v2.v1.0+protobuf): '@' is no token of RFC 7231, and Go clients refuse it.
std::string encode_openapi_v2(const Value& document);

// GET /openapi/v3: which group versions there are. `hash` names this state of the declarations; clients cache by it.
Value openapi_v3_index(Resources resources, std::string_view hash);

// GET /openapi/v3/api/v1 (group "") and /openapi/v3/apis/<group>/<version>. Null where no resource is served there.
Value openapi_v3(Resources resources, std::string_view group, std::string_view version,
                 std::string_view server_version);

// All resources of registry(), in its order.
std::vector<const Resource*> all_resources();

}  // namespace stead::kinds
