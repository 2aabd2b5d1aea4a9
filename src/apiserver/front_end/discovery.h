#pragma once

// Discovery documents, made from the registry. Pure.

#include <optional>
#include <string_view>

#include "object/value.h"

namespace stead::apiserver {

object::Value core_versions_document(std::string_view server_address);  // /api
object::Value groups_document();                                        // /apis
std::optional<object::Value> group_document(std::string_view group);    // /apis/GROUP
// /api/v1, /apis/GROUP/VERSION; nullopt if not served.
std::optional<object::Value> resource_list_document(std::string_view group, std::string_view version);
// All of them at once, as an APIGroupDiscoveryList (KEP-3352): the core group's, or every other's.
object::Value aggregated_document(bool core, std::string_view version);
object::Value version_document();  // /version

}  // namespace stead::apiserver
