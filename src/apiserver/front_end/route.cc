#include "apiserver/front_end/route.h"

#include <vector>

namespace stead::apiserver {
namespace {

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    size_t slash = path.find('/');
    std::string_view part = path.substr(0, slash);
    if (!part.empty()) parts.emplace_back(part);
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return parts;
}

}  // namespace

Route parse_route(std::string_view path) {
  std::vector<std::string> parts = split(path);
  Route route;
  size_t at = 0;
  auto take = [&]() -> std::string { return at < parts.size() ? parts[at++] : std::string(); };
  std::string root = take();
  if (root == "api") {
    if (parts.size() == 1) {
      route.kind = Route::Kind::kCoreVersions;
      return route;
    }
  } else if (root == "apis") {
    if (parts.size() == 1) {
      route.kind = Route::Kind::kGroups;
      return route;
    }
    route.group = take();
    if (parts.size() == 2) {
      route.kind = Route::Kind::kGroup;
      return route;
    }
  } else {
    return route;
  }
  route.version = take();
  if (at == parts.size()) {
    route.kind = Route::Kind::kResourceList;
    return route;
  }
  route.kind = Route::Kind::kResource;
  // /namespaces/NS/RESOURCE…, but /namespaces, /namespaces/NS and /namespaces/NS/(status|finalize) are the kind itself.
  bool in_namespace =
      parts[at] == "namespaces" && parts.size() - at >= 3 && parts[at + 2] != "status" && parts[at + 2] != "finalize";
  if (in_namespace) {
    ++at;
    route.ns = take();
  }
  route.resource = take();
  route.name = take();
  route.subresource = take();
  while (at < parts.size()) route.rest += "/" + take();
  // Namespace objects live in themselves for selection and audit, but are cluster-scoped.
  return route;
}

}  // namespace stead::apiserver
