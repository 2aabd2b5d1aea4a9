#pragma once

// Discovery documents, made from the resources that are served. Pure.

#include <optional>
#include <span>
#include <string_view>

#include "apiserver/aggregation/api_services.h"
#include "kinds/registry.h"
#include "object/value.h"

namespace stead::apiserver {

using Resources = std::span<const kinds::Resource* const>;
using RemoteGroups = std::span<const RemoteGroupVersion>;

object::Value paths_document(Resources resources, RemoteGroups remote);   // /
object::Value core_versions_document(std::string_view server_address);    // /api
object::Value groups_document(Resources resources, RemoteGroups remote);  // /apis
std::optional<object::Value> group_document(Resources resources, RemoteGroups remote,
                                            std::string_view group);  // /apis/GROUP
// /api/v1, /apis/GROUP/VERSION; nullopt if not served.
std::optional<object::Value> resource_list_document(Resources resources, std::string_view group,
                                                    std::string_view version);
// All of them at once, as an APIGroupDiscoveryList (KEP-3352): the core group's, or every other's.
object::Value aggregated_document(Resources resources, RemoteGroups remote, bool core, std::string_view version);
object::Value version_document();  // /version

}  // namespace stead::apiserver
