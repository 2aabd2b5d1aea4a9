#pragma once

// From a URL path to what it means (api-conventions "Resources"; no state, pure).

#include <cstdint>
#include <string>
#include <string_view>

namespace stead::apiserver {

struct Route {
  enum class Kind : uint8_t {
    kUnknown,
    kResource,      // /api/v1/…, /apis/GROUP/VERSION/…
    kCoreVersions,  // /api
    kGroups,        // /apis
    kGroup,         // /apis/GROUP
    kResourceList,  // /api/v1, /apis/GROUP/VERSION
  };
  Kind kind = Kind::kUnknown;
  std::string group;
  std::string version;
  std::string resource;
  std::string ns;
  std::string name;
  std::string subresource;
  std::string rest;  // below pods/NAME/proxy
};

Route parse_route(std::string_view path);

}  // namespace stead::apiserver
