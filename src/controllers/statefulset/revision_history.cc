#include "controllers/statefulset/revision_history.h"

#include <algorithm>

#include "controllers/document_hash.h"
#include "controllers/owner_references.h"
#include "controllers/requests.h"

namespace stead::controllers::statefulset {
namespace {

constexpr std::string_view kHashLabel = "controller.kubernetes.io/hash";
constexpr int64_t kHistoryLimitDefault = 10;

// Pods of a StatefulSet bear the name of their revision, those of a DaemonSet its hash, by one label.
constexpr std::string_view kRevisionLabel = "controller-revision-hash";

std::string_view hash_label_of(const Object& set) {
  return set.document().at("kind").as_string() == "DaemonSet" ? kRevisionLabel : kHashLabel;
}

int64_t number_of(const Object& revision) { return revision.document().at("revision").as_int(); }

std::vector<ObjectPtr> sorted_by_number(std::vector<ObjectPtr> revisions) {
  std::sort(revisions.begin(), revisions.end(), [](const ObjectPtr& a, const ObjectPtr& b) {
    if (number_of(*a) != number_of(*b)) return number_of(*a) < number_of(*b);
    std::string_view a_created = a->metadata().at("creationTimestamp").as_string();
    std::string_view b_created = b->metadata().at("creationTimestamp").as_string();
    return a_created != b_created ? a_created < b_created : a->name() < b->name();
  });
  return revisions;
}

// The patch that puts the template back: what kubectl reads for `rollout history` and `rollout undo`.
Value template_patch(const Object& set) {
  Value pod_template = set.spec().at("template");
  pod_template.set("$patch", "replace");
  return Value::object({{"spec", Value::object({{"template", std::move(pod_template)}})}});
}

Value make_revision(const Object& set, const std::string& name, const std::string& hash, Value patch, int64_t number) {
  Value labels = set.spec().at({"template", "metadata", "labels"});
  labels.set(hash_label_of(set), hash);
  Value metadata = Value::object({{"name", name},
                                  {"namespace", set.ns()},
                                  {"labels", std::move(labels)},
                                  {"ownerReferences", Value::array({controller_reference(set)})}});
  if (const Value* annotations = set.metadata().find("annotations")) metadata.set("annotations", *annotations);
  return Value::object({{"apiVersion", "apps/v1"},
                        {"kind", "ControllerRevision"},
                        {"metadata", std::move(metadata)},
                        {"data", std::move(patch)},
                        {"revision", number}});
}

}  // namespace

History read_history(const Object& set, const std::vector<ObjectPtr>& all,
                     const std::function<ObjectPtr(std::string_view name)>& find) {
  std::vector<ObjectPtr> revisions = sorted_by_number(all);
  Value patch = template_patch(set);
  int64_t next_number = revisions.empty() ? 1 : number_of(*revisions.back()) + 1;
  History history;
  history.update_template = set.spec().find("template");
  history.collision_count = set.status().at("collisionCount").as_int();

  const Object* equal = nullptr;
  for (const ObjectPtr& revision : revisions) {
    if (revision->document().at("data") == patch) equal = revision.get();
  }
  if (equal != nullptr) {
    history.update = equal->name();
    if (equal != revisions.back().get()) {
      Value document = equal->document();
      document.set("revision", next_number);
      history.write = client::Plan::Step{.request = update_request(kRevisions, std::move(document))};
    }
  } else {
    std::string hash;
    for (;; ++history.collision_count) {
      hash = safe_name(document_hash(patch, history.collision_count));
      history.update = std::string(set.name()) + "-" + hash;
      if (find(history.update) == nullptr) break;
    }
    history.write = client::Plan::Step{
        .request = create_request(kRevisions, make_revision(set, history.update, hash, patch, next_number))};
  }

  history.current = history.update;
  history.current_template = history.update_template;
  std::string_view current = set.status().at("currentRevision").as_string();
  for (const ObjectPtr& revision : revisions) {
    if (revision->name() != current || current == history.update) continue;
    history.current = current;
    history.current_template = revision->document().find({"data", "spec", "template"});
    if (history.current_template == nullptr) history.current_template = history.update_template;
  }
  return history;
}

std::vector<client::Plan::Step> truncate_history(const Object& set, const std::vector<ObjectPtr>& all,
                                                 const History& history, const std::vector<ObjectPtr>& pods) {
  std::vector<ObjectPtr> dead;
  for (const ObjectPtr& revision : sorted_by_number(all)) {
    bool live = revision->name() == history.current || revision->name() == history.update || revision->deleting();
    for (const ObjectPtr& pod : pods) {
      live = live || revision_of(*pod) == revision->name() || revision_of(*pod) == hash_of(*revision);
    }
    if (!live) dead.push_back(revision);
  }
  auto limit =
      static_cast<size_t>(std::max<int64_t>(0, set.spec().at("revisionHistoryLimit").as_int(kHistoryLimitDefault)));
  std::vector<client::Plan::Step> steps;
  for (size_t i = 0; i + limit < dead.size(); ++i) {
    steps.push_back({.request = delete_request(kRevisions, *dead[i]), .tolerated = {Reason::kNotFound}});
  }
  return steps;
}

std::string_view revision_of(const Object& pod) { return pod.metadata().at({"labels", kRevisionLabel}).as_string(); }

std::string_view hash_of(const Object& revision) { return revision_of(revision); }

}  // namespace stead::controllers::statefulset
