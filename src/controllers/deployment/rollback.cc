#include "controllers/deployment/rollback.h"

#include <algorithm>
#include <utility>

#include "controllers/requests.h"

namespace stead::controllers::deployment {
namespace {

// The second highest revision; 0 if there is none.
int64_t previous_revision(const std::vector<ObjectPtr>& sets) {
  int64_t highest = 0;
  int64_t second = 0;
  for (const ObjectPtr& set : sets) {
    int64_t revision = number_annotation(set->metadata(), kRevision);
    if (revision > highest)
      second = std::exchange(highest, revision);
    else if (revision > second)
      second = revision;
  }
  return second;
}

Value annotations_of_revision(const Value& current, const Object& set) {
  Value annotations = Value::object();
  for (const object::Member& member : current.members()) {
    if (!is_handed_down(member.name())) annotations.set(member.name(), member.value);
  }
  for (const object::Member& member : set.metadata().at("annotations").members()) {
    if (is_handed_down(member.name())) annotations.set(member.name(), member.value);
  }
  return annotations;
}

}  // namespace

std::optional<client::Plan> roll_back(const ObjectPtr& deployment, const std::vector<ObjectPtr>& sets) {
  const Value& metadata = deployment->metadata();
  if (metadata.find({"annotations", kRollbackTo}) == nullptr) return std::nullopt;
  int64_t revision = number_annotation(metadata, kRollbackTo);
  if (revision == 0) revision = previous_revision(sets);
  auto found = std::find_if(sets.begin(), sets.end(), [&](const ObjectPtr& set) {
    return revision > 0 && number_annotation(set->metadata(), kRevision) == revision;
  });
  client::Plan plan;
  Value document = deployment->document();
  if (found == sets.end()) {
    plan.events.push_back(
        {deployment, "Warning", "DeploymentRollbackRevisionNotFound",
         revision == 0 ? "Unable to find last revision." : "Unable to find the revision to rollback to.", ""});
  } else if (same_template((*found)->spec().at("template"), deployment->spec().at("template"))) {
    plan.events.push_back({deployment, "Warning", "DeploymentRollbackTemplateUnchanged",
                           "The rollback revision contains the same template as current deployment \"" +
                               std::string(deployment->name()) + "\"",
                           ""});
  } else {
    document.set({"spec", "template"}, without_hash((*found)->spec().at("template")));
    document.set({"metadata", "annotations"}, annotations_of_revision(metadata.at("annotations"), **found));
    plan.events.push_back(
        {deployment, "Normal", "DeploymentRollback",
         "Rolled back deployment \"" + std::string(deployment->name()) + "\" to revision " + std::to_string(revision),
         ""});
  }
  document.erase({"metadata", "annotations", kRollbackTo});
  plan.steps.push_back({.request = update_request(kDeployments, std::move(document))});
  return plan;
}

}  // namespace stead::controllers::deployment
