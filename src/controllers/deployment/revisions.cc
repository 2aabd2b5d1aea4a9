#include "controllers/deployment/revisions.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "controllers/deployment/rollout_counts.h"
#include "controllers/document_hash.h"
#include "controllers/owner_references.h"

namespace stead::controllers::deployment {
namespace {

// Those that mean something for the deployment itself only.
constexpr std::string_view kNotHandedDown[] = {"kubectl.kubernetes.io/last-applied-configuration",
                                               kRollbackTo,
                                               kRevision,
                                               kRevisionHistory,
                                               kDesiredReplicas,
                                               kMaxReplicas};
// Of the list of earlier revision numbers; the oldest go first.
constexpr size_t kHistoryBytesMax = 2000;

Value metadata_without_hash(const Value& pod_template) {
  Value metadata = pod_template.at("metadata");
  if (!metadata.is_object()) return Value::object();
  metadata.erase({"labels", kTemplateHash});
  if (metadata.at("labels").empty()) metadata.erase("labels");
  return metadata;
}

void add_to_history(Value& annotations, const std::string& revision) {
  std::string history(annotations.at(kRevisionHistory).as_string());
  history += (history.empty() ? "" : ",") + revision;
  while (history.size() > kHistoryBytesMax) {
    size_t comma = history.find(',');
    if (comma == std::string::npos) return;
    history.erase(0, comma + 1);
  }
  annotations.set(kRevisionHistory, history);
}

}  // namespace

bool same_template(const Value& a, const Value& b) {
  return a.at("spec") == b.at("spec") && metadata_without_hash(a) == metadata_without_hash(b);
}

Value without_hash(Value pod_template) {
  pod_template.set("metadata", metadata_without_hash(pod_template));
  return pod_template;
}

int64_t number_annotation(const Value& metadata, std::string_view name) {
  std::string_view text = metadata.at({"annotations", name}).as_string();
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

bool is_handed_down(std::string_view annotation) {
  return std::ranges::find(kNotHandedDown, annotation) == std::end(kNotHandedDown);
}

void sort_by_age(std::vector<ObjectPtr>& sets) {
  auto key = [](const ObjectPtr& set) {
    return std::tuple(set->metadata().at("creationTimestamp").as_string(), set->name());
  };
  std::sort(sets.begin(), sets.end(), [&](const ObjectPtr& a, const ObjectPtr& b) { return key(a) < key(b); });
}

ObjectPtr find_new_set(const Object& deployment, const std::vector<ObjectPtr>& sets) {
  std::vector<ObjectPtr> by_age = sets;
  sort_by_age(by_age);
  for (const ObjectPtr& set : by_age) {
    if (same_template(set->spec().at("template"), deployment.spec().at("template"))) return set;
  }
  return nullptr;
}

std::string hash_of(const Object& deployment, int64_t collision_count) {
  return safe_name(document_hash(without_hash(deployment.spec().at("template")), collision_count));
}

Value make_set(const Object& deployment, std::string_view hash) {
  Value pod_template = deployment.spec().at("template");
  pod_template.set({"metadata", "labels", kTemplateHash}, hash);
  Value selector = deployment.spec().at("selector");
  selector.set({"matchLabels", kTemplateHash}, hash);
  Value metadata = Value::object({{"name", std::string(deployment.name()) + "-" + std::string(hash)},
                                  {"namespace", deployment.ns()},
                                  {"labels", pod_template.at({"metadata", "labels"})},
                                  {"ownerReferences", Value::array({controller_reference(deployment)})}});
  Value spec = Value::object({{"replicas", 0}, {"selector", std::move(selector)}});
  if (int64_t seconds = deployment.spec().at("minReadySeconds").as_int()) spec.set("minReadySeconds", seconds);
  spec.set("template", std::move(pod_template));
  return Value::object({{"apiVersion", "apps/v1"},
                        {"kind", "ReplicaSet"},
                        {"metadata", std::move(metadata)},
                        {"spec", std::move(spec)}});
}

void annotate_set(const Object& deployment, int64_t max_old, Value& set) {
  Value& annotations = set["metadata"]["annotations"];
  if (annotations.is_null()) annotations = Value::object();
  for (const object::Member& member : deployment.metadata().at("annotations").members()) {
    if (is_handed_down(member.name())) annotations.set(member.name(), member.value);
  }
  int64_t before = number_annotation(set.at("metadata"), kRevision);
  if (before > max_old) return;
  if (before > 0) add_to_history(annotations, std::to_string(before));
  annotations.set(kRevision, std::to_string(max_old + 1));
}

void annotate_size(const Object& deployment, Value& set) {
  int64_t wanted = wanted_replicas(deployment);
  Value& annotations = set["metadata"]["annotations"];
  if (annotations.is_null()) annotations = Value::object();
  annotations.set(kDesiredReplicas, std::to_string(wanted));
  annotations.set(kMaxReplicas, std::to_string(wanted + bounds_of(deployment).surge));
}

}  // namespace stead::controllers::deployment
