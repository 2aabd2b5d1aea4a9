#include "controllers/served_resource.h"

namespace stead::controllers {

std::vector<ServedResource> served_resources(const kinds::Registry& registry) {
  std::vector<ServedResource> all;
  for (const kinds::Resource& resource : registry.resources()) {
    if (resource.name == "events") continue;
    all.push_back(
        {{std::string(resource.group), std::string(resource.name)}, std::string(resource.kind), resource.namespaced});
  }
  return all;
}

}  // namespace stead::controllers
