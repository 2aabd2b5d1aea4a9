#include "controllers/served_resource.h"

#include "kinds/measured.h"
#include "kinds/review.h"

namespace stead::controllers {

std::vector<ServedResource> served_resources(const kinds::Registry& registry) {
  std::vector<ServedResource> all;
  for (const kinds::Resource& resource : registry.resources()) {
    if (resource.name == "events" || kinds::is_review(resource) || kinds::is_measured(resource)) continue;
    ServedResource served{.resource = {std::string(resource.group), std::string(resource.name)},
                          .kind = std::string(resource.kind),
                          .namespaced = resource.namespaced};
    for (const kinds::Version& version : resource.versions) {
      if (version.group != resource.group) served.other_groups.emplace_back(version.group);
    }
    all.push_back(std::move(served));
  }
  return all;
}

}  // namespace stead::controllers
