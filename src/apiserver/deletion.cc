#include "apiserver/deletion.h"

#include <fmt/format.h>

#include <algorithm>

#include "kinds/core/pod_state.h"
#include "object/field_error.h"
#include "object/time.h"

namespace stead::apiserver {
namespace {

using object::Value;

constexpr std::string_view kOrphanFinalizer = "orphan";
constexpr std::string_view kForegroundFinalizer = "foregroundDeletion";

bool is_pod(const kinds::Resource& resource) { return resource.group.empty() && resource.name == "pods"; }
bool is_namespace(const kinds::Resource& resource) { return resource.group.empty() && resource.name == "namespaces"; }

// What these two kinds' first versions did, kept for those who rely on it: a delete that names no policy orphans.
bool orphans_by_default(const kinds::Resource& resource) {
  return (resource.group.empty() && resource.name == "replicationcontrollers") ||
         (resource.group == "batch" && resource.name == "jobs");
}

// Pods end gracefully: their node part needs the time to stop them. All others go at once.
int64_t grace_seconds(const kinds::Resource& resource, const Value& document, const DeleteOptions& options) {
  if (!is_pod(resource)) return 0;
  if (kinds::is_pod_terminated(document) || document.at({"spec", "nodeName"}).as_string().empty()) return 0;
  if (options.grace_period_seconds) return *options.grace_period_seconds;
  return document.at({"spec", "terminationGracePeriodSeconds"}).as_int(30);
}

bool has_finalizer(const Value& document, std::string_view finalizer) {
  std::span<const Value> present = document.at({"metadata", "finalizers"}).items();
  return std::any_of(present.begin(), present.end(), [&](const Value& item) { return item.as_string() == finalizer; });
}

void set_finalizer(Value& document, std::string_view finalizer, bool wanted) {
  Value& metadata = document["metadata"];
  bool has = has_finalizer(document, finalizer);
  if (wanted && !has) metadata["finalizers"].append(finalizer);
  if (!wanted && has) {
    std::erase_if(metadata["finalizers"].mutable_items(),
                  [&](const Value& item) { return item.as_string() == finalizer; });
    if (metadata.at("finalizers").empty()) metadata.erase("finalizers");
  }
}

// The policy asked for, else the one whose finalizer is there, else the kind's own.
void apply_propagation(const kinds::Resource& resource, Value& document, const std::string& propagation) {
  if (propagation.empty()) {
    if (orphans_by_default(resource) && !has_finalizer(document, kForegroundFinalizer)) {
      set_finalizer(document, kOrphanFinalizer, true);
    }
    return;
  }
  set_finalizer(document, kOrphanFinalizer, propagation == "Orphan");
  set_finalizer(document, kForegroundFinalizer, propagation == "Foreground");
}

Result<void> check_preconditions(const Call& call, const object::Object& current, const DeleteOptions& options) {
  if (!options.precondition_uid.empty() && options.precondition_uid != current.uid()) {
    return conflict_error(call, current.name(),
                          fmt::format("Precondition failed: UID in precondition: {}, UID in object meta: {}",
                                      options.precondition_uid, current.uid()));
  }
  if (!options.precondition_resource_version.empty() &&
      options.precondition_resource_version != std::to_string(current.revision())) {
    return conflict_error(
        call, current.name(),
        fmt::format("Precondition failed: ResourceVersion in precondition: {}, ResourceVersion in object meta: {}",
                    options.precondition_resource_version, current.revision()));
  }
  return {};
}

}  // namespace

Result<DeleteOptions> parse_delete_options(const Value& body) {
  DeleteOptions options;
  object::FieldErrors errors;
  if (const Value* grace = body.find("gracePeriodSeconds"); grace != nullptr && !grace->is_null()) {
    if (!grace->is_int()) {
      return make_error(Reason::kBadRequest, "gracePeriodSeconds: Invalid value: must be an integer");
    }
    // Less than nothing means as soon as can be.
    options.grace_period_seconds = grace->as_int() < 0 ? 1 : grace->as_int();
  }
  options.propagation = body.at("propagationPolicy").as_string();
  const object::Path policy("propagationPolicy");
  static constexpr std::string_view kPolicies[] = {"Background", "Foreground", "Orphan"};
  if (!options.propagation.empty() &&
      std::find(std::begin(kPolicies), std::end(kPolicies), options.propagation) == std::end(kPolicies)) {
    errors.not_supported(policy, options.propagation, kPolicies);
  }
  const Value* orphan = body.find("orphanDependents");
  if (orphan != nullptr && orphan->is_bool()) {
    if (!options.propagation.empty()) {
      errors.invalid(policy, options.propagation, "orphanDependents and deletionPropagation cannot be both set");
    }
    options.propagation = orphan->as_bool() ? "Orphan" : "Background";
  }
  if (!errors.empty()) return errors.to_error("meta.k8s.io", "DeleteOptions", "");
  options.precondition_uid = body.at({"preconditions", "uid"}).as_string();
  options.precondition_resource_version = body.at({"preconditions", "resourceVersion"}).as_string();
  return options;
}

std::optional<std::string> deletion_warning(const kinds::Resource& resource, const DeleteOptions& options) {
  if (!options.propagation.empty() || resource.group != "batch" || !orphans_by_default(resource)) return std::nullopt;
  return "the pods of a job are kept when it is deleted without a propagation policy; set propagationPolicy=Background "
         "to remove them, or propagationPolicy=Orphan to say that they are meant to stay";
}

Result<Deletion> decide_deletion(const Call& call, const object::Object& current, const DeleteOptions& options,
                                 WallTime now) {
  STEAD_TRY_VOID(check_preconditions(call, current, options));
  const Value& old = current.document();
  int64_t grace = grace_seconds(*call.resource, old, options);
  Value marked = old;
  apply_propagation(*call.resource, marked, options.propagation);
  bool already = current.deleting();
  if (already) {
    // A second delete may only shorten the time that is left.
    int64_t before = current.metadata().at("deletionGracePeriodSeconds").as_int();
    if (grace >= before && before > 0 && !options.grace_period_seconds) grace = before;
    grace = std::min(grace, before);
    if (grace < before) {
      auto due = object::parse_time(current.metadata().at("deletionTimestamp").as_string()).value_or(now);
      WallTime requested = due - std::chrono::seconds(before) + std::chrono::seconds(grace);
      marked["metadata"].set("deletionTimestamp", object::format_time(std::max(requested, now)));
      marked["metadata"].set("deletionGracePeriodSeconds", grace);
    }
  } else {
    marked["metadata"].set("deletionTimestamp", object::format_time(now + std::chrono::seconds(grace)));
    marked["metadata"].set("deletionGracePeriodSeconds", grace);
    if (call.resource->generation) {
      marked["metadata"].set("generation", current.metadata().at("generation").as_int() + 1);
    }
  }
  if (is_namespace(*call.resource)) marked.set({"status", "phase"}, "Terminating");
  Deletion deletion;
  deletion.remove = deletion_is_complete(*call.resource, marked);
  if (!deletion.remove && !(marked == old)) deletion.marked = std::move(marked);
  return deletion;
}

bool deletion_is_complete(const kinds::Resource& resource, const Value& document) {
  const Value& metadata = document.at("metadata");
  if (metadata.find("deletionTimestamp") == nullptr) return false;
  if (!metadata.at("finalizers").empty()) return false;
  if (is_namespace(resource) && !document.at({"spec", "finalizers"}).empty()) return false;
  return metadata.at("deletionGracePeriodSeconds").as_int() == 0;
}

}  // namespace stead::apiserver
