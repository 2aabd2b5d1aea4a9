#include "controllers/statefulset/set_members.h"

#include "controllers/owner_references.h"
#include "controllers/requests.h"
#include "controllers/statefulset/identity.h"
#include "object/selector.h"

namespace stead::controllers::statefulset {
namespace {

client::Plan single(client::Request request) {
  client::Plan plan;
  plan.steps.push_back({.request = std::move(request), .tolerated = {Reason::kNotFound}});
  return plan;
}

}  // namespace

Members find_members(const Observed& observed) {
  const Object& set = *observed.set;
  Members members;
  auto selector = object::LabelSelector::from_document(set.spec().at("selector"));
  auto selects = [&](const Object& object) {
    return selector.ok() && selector->matches(object.metadata().at("labels"));
  };
  for (const ObjectPtr& pod : observed.pods) {
    auto parsed = parse_pod_name(pod->name());
    bool named = parsed && parsed->set == set.name();
    bool fits = named && selects(*pod);
    if (controlled_by(*pod, set)) {
      if (fits || set.deleting()) {
        members.pods.push_back(pod);
        continue;
      }
      members.ownership.push_back(single(update_request(kPods, without_owner(*pod, set.uid()))));
    } else if (controller_of(*pod) == nullptr && fits && !set.deleting() && !pod->deleting()) {
      members.ownership.push_back(single(update_request(kPods, with_owner(*pod, controller_reference(set)))));
    }
    if (named) members.strangers[parsed->ordinal] = pod;
  }
  for (const ObjectPtr& revision : observed.revisions) {
    if (controlled_by(*revision, set)) {
      members.revisions.push_back(revision);
    } else if (controller_of(*revision) == nullptr && selects(*revision) && !set.deleting() && !revision->deleting()) {
      members.ownership.push_back(single(update_request(kRevisions, with_owner(*revision, controller_reference(set)))));
    }
  }
  return members;
}

}  // namespace stead::controllers::statefulset
