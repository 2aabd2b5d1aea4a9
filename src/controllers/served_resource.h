#pragma once

// The resources that controllers look after without knowing their kinds.

#include <string>
#include <string_view>
#include <vector>

#include "client/informer.h"
#include "kinds/registry.h"

namespace stead::controllers {

struct ServedResource {
  client::ResourceRef resource;
  std::string kind;
  bool namespaced = true;
  // Groups in which old versions of it are served; owner references may name them.
  std::vector<std::string> other_groups = {};
};

// Every stored resource but Events, which nobody owns and which expire by themselves.
std::vector<ServedResource> served_resources(const kinds::Registry& registry);

}  // namespace stead::controllers
