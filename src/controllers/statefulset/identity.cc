#include "controllers/statefulset/identity.h"

#include <charconv>

#include "controllers/owner_references.h"

namespace stead::controllers::statefulset {
namespace {

constexpr std::string_view kPodNameLabel = "statefulset.kubernetes.io/pod-name";
constexpr std::string_view kPodIndexLabel = "apps.kubernetes.io/pod-index";
constexpr std::string_view kRevisionLabel = "controller-revision-hash";
constexpr size_t kOrdinalDigitsMax = 10;

const Value& claim_templates(const Object& set) { return set.spec().at("volumeClaimTemplates"); }

void set_identity_labels(Value& metadata, std::string_view name, int64_t ordinal) {
  metadata["labels"].set(kPodNameLabel, name);
  metadata["labels"].set(kPodIndexLabel, std::to_string(ordinal));
}

// The volumes of claim templates first; a volume of the same name in the pod template gives way to them.
void set_claim_volumes(const Object& set, Value& spec, int64_t ordinal) {
  if (claim_templates(set).empty()) return;
  Value volumes = Value::array();
  for (const Value& claim : claim_templates(set).items()) {
    volumes.append(
        Value::object({{"name", claim.at({"metadata", "name"})},
                       {"persistentVolumeClaim", Value::object({{"claimName", claim_name(claim, set, ordinal)}})}}));
  }
  for (const Value& volume : spec.at("volumes").items()) {
    bool replaced = false;
    for (const Value& claim : claim_templates(set).items()) {
      replaced = replaced || claim.at({"metadata", "name"}) == volume.at("name");
    }
    if (!replaced) volumes.append(volume);
  }
  spec.set("volumes", std::move(volumes));
}

}  // namespace

std::optional<ParsedName> parse_pod_name(std::string_view pod_name) {
  size_t dash = pod_name.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return std::nullopt;
  std::string_view digits = pod_name.substr(dash + 1);
  if (digits.empty() || digits.size() > kOrdinalDigitsMax) return std::nullopt;
  int64_t ordinal = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ordinal);
  // "web-00" is nobody's name: pod_name() would not give it.
  if (error != std::errc() || end != digits.data() + digits.size() || ordinal < 0 || ordinal > INT32_MAX ||
      (digits.size() > 1 && digits[0] == '0')) {
    return std::nullopt;
  }
  return ParsedName{pod_name.substr(0, dash), ordinal};
}

int64_t ordinal_of(const Object& pod) {
  auto parsed = parse_pod_name(pod.name());
  return parsed ? parsed->ordinal : -1;
}

std::string pod_name(const Object& set, int64_t ordinal) {
  return std::string(set.name()) + "-" + std::to_string(ordinal);
}

std::string claim_name(const Value& claim_template, const Object& set, int64_t ordinal) {
  return std::string(claim_template.at({"metadata", "name"}).as_string()) + "-" + pod_name(set, ordinal);
}

bool names_claim(const Object& set, std::string_view claim) {
  auto parsed = parse_pod_name(claim);
  if (!parsed) return false;
  for (const Value& claim_template : claim_templates(set).items()) {
    if (claim_name(claim_template, set, parsed->ordinal) == claim) return true;
  }
  return false;
}

Value make_pod(const Object& set, const Value& pod_template, std::string_view revision, int64_t ordinal) {
  std::string name = pod_name(set, ordinal);
  Value metadata = Value::object({{"name", name},
                                  {"generateName", std::string(set.name()) + "-"},
                                  {"namespace", set.ns()},
                                  {"labels", pod_template.at({"metadata", "labels"})}});
  for (std::string_view kept : {"annotations", "finalizers"}) {
    if (const Value* found = pod_template.find({"metadata", kept})) metadata.set(kept, *found);
  }
  set_identity_labels(metadata, name, ordinal);
  metadata["labels"].set(kRevisionLabel, revision);
  metadata.set("ownerReferences", Value::array({controller_reference(set)}));
  Value spec = pod_template.at("spec");
  spec.set("hostname", name);
  std::string_view service = set.spec().at("serviceName").as_string();
  if (!service.empty()) spec.set("subdomain", service);
  set_claim_volumes(set, spec, ordinal);
  return Value::object(
      {{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", std::move(metadata)}, {"spec", std::move(spec)}});
}

Value make_claim(const Object& set, const Value& claim_template, int64_t ordinal) {
  Value metadata = Value::object({{"name", claim_name(claim_template, set, ordinal)}, {"namespace", set.ns()}});
  Value labels = claim_template.at({"metadata", "labels"});
  for (const object::Member& label : set.spec().at({"selector", "matchLabels"}).members()) {
    labels.set(label.name(), label.value);
  }
  if (!labels.empty()) metadata.set("labels", std::move(labels));
  if (const Value* annotations = claim_template.find({"metadata", "annotations"})) {
    metadata.set("annotations", *annotations);
  }
  return Value::object({{"apiVersion", "v1"},
                        {"kind", "PersistentVolumeClaim"},
                        {"metadata", std::move(metadata)},
                        {"spec", claim_template.at("spec")}});
}

bool identity_matches(const Object& set, const Object& pod) {
  auto parsed = parse_pod_name(pod.name());
  const Value& labels = pod.metadata().at("labels");
  return parsed && parsed->set == set.name() && labels.at(kPodNameLabel).as_string() == pod.name() &&
         labels.at(kPodIndexLabel).as_string() == std::to_string(parsed->ordinal);
}

bool storage_matches(const Object& set, const Object& pod) {
  int64_t ordinal = ordinal_of(pod);
  for (const Value& claim : claim_templates(set).items()) {
    bool found = false;
    for (const Value& volume : pod.spec().at("volumes").items()) {
      found =
          found || (volume.at("name") == claim.at({"metadata", "name"}) &&
                    volume.at({"persistentVolumeClaim", "claimName"}).as_string() == claim_name(claim, set, ordinal));
    }
    if (!found) return false;
  }
  return true;
}

Value repair_pod(const Object& set, const Object& pod) {
  Value document = pod.document();
  set_identity_labels(document["metadata"], pod.name(), ordinal_of(pod));
  if (!storage_matches(set, pod)) set_claim_volumes(set, document["spec"], ordinal_of(pod));
  return document;
}

}  // namespace stead::controllers::statefulset
