#include "apiserver/field_owners.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "apiserver/document.h"
#include "object/apply/merge.h"
#include "object/codec.h"

namespace stead::apiserver {
namespace {

using object::FieldSet;
using object::ManagedFields;
using object::Manager;

constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";
// Whoever first applies to an object that nobody tracked meets its fields as this manager's.
constexpr std::string_view kBeforeFirstApply = "before-first-apply";
constexpr size_t kAnnotationBytesMax = 256 * 1024;

Manager manager_of(const Call& call, bool applies) {
  return {manager_name(call), applies, std::string(call.version->api_version), call.request.subresource};
}

// Versions as entries name them, from documents in the caller's version.
object::ManagedVersions versions_of(const Call& call) {
  return [resource = call.resource, from = call.version](std::string_view api_version) -> object::ManagedVersion {
    for (const kinds::Version& version : resource->versions) {
      if (version.api_version != api_version) continue;
      if (&version == from) return {version.message, nullptr};
      return {version.message, [resource, from, &version](const Value& document) {
                Value hub = document;
                if (from->to_hub != nullptr) from->to_hub(hub);
                return to_version(*resource, version, hub);
              }};
    }
    return {};
  };
}

ManagedFields decode_or_nothing(const Value& entries) {
  Result<ManagedFields> decoded = ManagedFields::decode(entries);
  return decoded.ok() ? std::move(*decoded) : ManagedFields();
}

void set_managed(Value& document, const ManagedFields& managed) {
  Value entries = managed.encode();
  if (entries.is_null()) {
    document["metadata"].erase("managedFields");
  } else {
    document["metadata"].set("managedFields", std::move(entries));
  }
}

// Whose entries a write starts from: those sent with it, unless they are missing or make no sense; a subresource
// cannot change them.
ManagedFields managed_before(const Call& call, const Value& sent, const Value& stored) {
  if (!call.request.subresource.empty() || sent.is_null()) return decode_or_nothing(stored);
  if (ManagedFields::is_reset(sent)) return {};
  Result<ManagedFields> decoded = ManagedFields::decode(sent);
  return decoded.ok() && !decoded->empty() ? std::move(*decoded) : decode_or_nothing(stored);
}

Value in_callers_version(const Call& call, const Value& hub) { return to_version(*call.resource, *call.version, hub); }

// The fields of the annotation that kubectl's client-side apply keeps, as far as the object still is as it says.
FieldSet fields_last_applied(const Call& call, const Value& live) {
  std::string_view text = live.at({"metadata", "annotations", kLastApplied}).as_string();
  if (text.empty()) return {};
  Result<Value> last = object::parse_json(text);
  if (!last.ok() || last->at("apiVersion").as_string() != call.version->api_version) return {};
  const object::Message& message = *call.version->message;
  if (!object::shape(*last, message, nullptr, object::Extent::kPartial).ok()) return {};
  object::Comparison since = object::compare_fields(*last, live, message);
  return object::fields_of(*last, message).without(since.changed).without(since.removed);
}

// kubectl's client-side apply finds its annotation as its server-side apply would have left it.
void renew_last_applied(Value& document, const Value& configuration) {
  Value* annotations = document["metadata"].find("annotations");
  if (annotations == nullptr || annotations->find(kLastApplied) == nullptr) return;
  Value told = configuration;
  told.erase({"metadata", "annotations", kLastApplied});
  std::string text = object::to_json(told) + "\n";
  annotations->set(kLastApplied, text.size() > kAnnotationBytesMax ? std::string() : text);
}

Error bad_configuration(const Call& call, const std::vector<std::string>& violations) {
  std::string what =
      violations.size() == 1 ? violations[0] : fmt::format("errors:\n  {}", fmt::join(violations, "\n  "));
  return make_error(Reason::kBadRequest,
                    fmt::format("failed to create typed patch object ({}/{}; {}, Kind={}): {}", call.request.ns,
                                call.request.name, call.version->api_version, call.resource->kind, what));
}

void keep_only(Value& value, std::initializer_list<std::string_view> names) {
  if (!value.is_object()) return;
  std::erase_if(value.mutable_members(), [&](const object::Member& member) {
    return std::find(names.begin(), names.end(), member.name()) == names.end();
  });
}

}  // namespace

std::string manager_name(const Call& call) {
  if (!call.request.field_manager.empty()) return call.request.field_manager;
  std::string_view user = call.identity.user;
  if (user.starts_with("system:node:")) return "kubelet";
  std::string_view name = user.substr(user.rfind(':') == std::string_view::npos ? 0 : user.rfind(':') + 1);
  return name.empty() ? "unknown" : std::string(name);
}

void own_new_fields(const Call& call, Value& document, const Value& sent, WallTime now) {
  ManagedFields managed = managed_before(call, sent, {});
  const bool is_hub = call.version == &call.resource->hub();
  const Value versioned = is_hub ? Value() : in_callers_version(call, document);
  managed.update(manager_of(call, false), Value(), is_hub ? document : versioned, versions_of(call), now);
  set_managed(document, managed);
}

void own_changed_fields(const Call& call, Value& document, const Value& old, WallTime now) {
  const Value& stored = old.at({"metadata", "managedFields"});
  const Value& sent = document.at({"metadata", "managedFields"});
  const bool reset = call.request.subresource.empty() && ManagedFields::is_reset(sent);
  ManagedFields managed = managed_before(call, sent, stored);
  // An object that nobody tracks, because somebody asked for that, is tracked again from its first apply.
  if (managed.empty()) {
    if (reset || stored.is_null()) document["metadata"].erase("managedFields");
    return;
  }
  bool changed = false;
  if (call.version == &call.resource->hub()) {
    changed = managed.update(manager_of(call, false), old, document, versions_of(call), now);
  } else {
    changed = managed.update(manager_of(call, false), in_callers_version(call, old), in_callers_version(call, document),
                             versions_of(call), now);
  }
  // What is stored is shared; the same read from a request is not.
  const bool same = !changed && (sent.is_null() || !call.request.subresource.empty() || sent == stored);
  if (!same || stored.is_null()) return set_managed(document, managed);
  Value kept = stored;
  document["metadata"].set("managedFields", std::move(kept));
}

Result<void> prepare_configuration(const Call& call, Value& configuration) {
  std::string expected(call.version->api_version);
  if (!configuration.is_object()) {
    return make_error(Reason::kBadRequest, "error decoding YAML: an apply configuration must be an object");
  }
  std::string_view told = configuration.at("apiVersion").as_string();
  if (told != expected) {
    return make_error(Reason::kBadRequest, fmt::format("Incorrect version specified in apply patch. Specified patch "
                                                       "version: {}, expected: {}",
                                                       told, expected));
  }
  if (configuration.at("kind").as_string() != call.resource->kind) {
    return make_error(Reason::kBadRequest,
                      fmt::format("kind: Invalid value: \"{}\": an apply configuration for {} must say kind {}",
                                  configuration.at("kind").as_string(), call.resource->name, call.resource->kind));
  }
  const Value* managed = configuration.find("metadata");
  managed = managed == nullptr ? nullptr : managed->find("managedFields");
  if (managed != nullptr && !managed->is_null()) {
    return make_error(Reason::kBadRequest, "metadata.managedFields must be nil");
  }
  const object::Message& message = *call.version->message;
  std::vector<std::string> violations = object::check_configuration(configuration, message);
  if (!violations.empty()) return bad_configuration(call, violations);
  Result<void> shaped = object::shape(configuration, message, nullptr, object::Extent::kPartial);
  if (!shaped.ok()) return bad_configuration(call, {shaped.error().message});
  // What this path would set back is nobody's to apply.
  if (call.request.subresource == "status") {
    keep_only(configuration, {"apiVersion", "kind", "metadata", "status"});
    if (Value* metadata = configuration.find("metadata")) {
      keep_only(*metadata, {"name", "namespace", "uid", "resourceVersion"});
    }
  } else if (call.resource->status_subresource) {
    configuration.erase("status");
  }
  return {};
}

Result<AppliedConfiguration> apply_to(const Call& call, const object::Object* current, const Value& configuration,
                                      WallTime now) {
  Value live;
  ManagedFields managed;
  if (current != nullptr) {
    live = in_callers_version(call, current->document());
    const Value& stored = live.at({"metadata", "managedFields"});
    managed = decode_or_nothing(stored);
    live.erase({"metadata", "managedFields"});
    if (managed.empty()) {
      Manager before = manager_of(call, false);
      before.name = kBeforeFirstApply;
      managed.update(before, Value(), live, versions_of(call), now);
    }
  }
  const Manager manager = manager_of(call, true);
  FieldSet allowed;
  if (manager.name == "kubectl") allowed = fields_last_applied(call, live);
  STEAD_TRY(applied, managed.apply(manager, live, configuration, call.request.force, allowed, versions_of(call), now));
  if (manager.name == "kubectl" && current != nullptr) renew_last_applied(applied.document, configuration);
  AppliedConfiguration result{std::move(applied.document), applied.changed};
  result.changed |= !(result.document == live);
  set_managed(result.document, managed);
  return result;
}

}  // namespace stead::apiserver
