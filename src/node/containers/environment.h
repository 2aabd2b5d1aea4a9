#pragma once

// A container's environment and command line, from its document and what it refers to. Pure.

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "node/containers/downward.h"
#include "node/object_lookup.h"

namespace stead::node {

using Environment = std::vector<std::pair<std::string, std::string>>;

// $(NAME) of `environment` replaced, $$ made $, unknown names left as they stand.
std::string expand(std::string_view text, const Environment& environment);

// <SERVICE>_SERVICE_HOST, _SERVICE_PORT[_<NAME>], and the names that Docker's links made known.
Environment service_environment(const std::vector<object::ObjectPtr>& services);

// envFrom, then env, then `services` where nothing else has the name. The error's message is that of the
// CreateContainerConfigError: `configmap "x" not found`, `couldn't find key k in Secret ns/name`.
Result<Environment> build_environment(const PodShape& shape, const ContainerShape& container,
                                      const DownwardFacts& facts, const ObjectLookup& lookup,
                                      const Environment& services);

// The value of `key` of a ConfigMap (data, binaryData) or Secret (data), decoded; nullopt: no such key.
std::optional<std::string> data_of(const object::Object& object, std::string_view key);

}  // namespace stead::node
