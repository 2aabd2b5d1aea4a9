#include "apiserver/document.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "base/check.h"
#include "kinds/custom/custom_kind.h"
#include "object/codec.h"
#include "object/time.h"

namespace stead::apiserver {
namespace {

constexpr size_t kNameBytesMax = 63;
constexpr size_t kSuffixLength = 5;

Result<void> check_type(const Call& call, Value& document) {
  std::string_view expected_version = call.version->api_version;
  std::string_view kind = document.at("kind").as_string();
  std::string_view version = document.at("apiVersion").as_string();
  if (!kind.empty() && kind != call.resource->kind) {
    return make_error(Reason::kBadRequest,
                      fmt::format("{} in version \"{}\" cannot be handled as a {}: the request is for kind {}", kind,
                                  version, call.resource->kind, call.resource->kind));
  }
  if (!version.empty() && version != expected_version) {
    return make_error(Reason::kBadRequest,
                      fmt::format("the API version in the data ({}) does not match the expected API version ({})",
                                  version, expected_version));
  }
  if (kind.empty()) document.set("kind", call.resource->kind);
  if (document.at("apiVersion").as_string().empty()) document.set("apiVersion", expected_version);
  return {};
}

// Which field an error of strict decoding names: `unknown field "spec.x"`; empty: none.
std::string_view named_field(std::string_view told) {
  const size_t from = told.find('"');
  const size_t to = told.rfind('"');
  const bool names = told.starts_with("unknown field \"") || told.starts_with("duplicate field \"");
  return names && to > from ? told.substr(from + 1, to - from - 1) : std::string_view();
}

void number_fields(const Value& value, const std::string& path, std::map<std::string, size_t, std::less<>>& places) {
  size_t index = 0;
  for (const Value& item : value.items()) number_fields(item, path + "[" + std::to_string(index++) + "]", places);
  for (const object::Member& member : value.members()) {
    std::string here = path.empty() ? std::string(member.name()) : path + "." + std::string(member.name());
    places.emplace(here, places.size() + 1);
    number_fields(member.value, here, places);
  }
}

// The parser found some before the rest was looked at; clients get them in the order in which the document has the
// fields.
void sort_by_place(object::StrictErrors& errors, const Value& document) {
  std::map<std::string, size_t, std::less<>> places;
  number_fields(document, {}, places);
  auto place = [&](const std::string& told) {
    auto found = places.find(named_field(told));
    return std::pair(found == places.end() ? 0 : found->second, told.starts_with("duplicate"));
  };
  std::stable_sort(errors.begin(), errors.end(),
                   [&](const std::string& a, const std::string& b) { return place(a) < place(b); });
}

}  // namespace

Result<Value> to_hub(const Call& call, Value document, object::StrictErrors strict,
                     std::vector<std::string>& warnings) {
  if (!document.is_object()) {
    return make_error(Reason::kBadRequest, "the body of the request must be an object, as JSON or YAML");
  }
  STEAD_TRY_VOID(check_type(call, document));
  const Value sent = strict.empty() || call.custom ? Value() : document;
  Result<void> shaped = call.custom ? call.custom->shape(document, *call.version, &strict)
                                    : object::shape(document, *call.version->message, &strict);
  if (!shaped.ok()) {
    return shaped.error().with_context(fmt::format("{} in version \"{}\" cannot be handled as a {}",
                                                   call.resource->kind, call.version->name, call.resource->kind));
  }
  if (!sent.is_null()) sort_by_place(strict, sent);
  if (!strict.empty()) {
    if (call.request.field_validation == "Strict") {
      return make_error(Reason::kBadRequest, fmt::format("strict decoding error: {}", fmt::join(strict, ", ")));
    }
    if (call.request.field_validation != "Ignore") warnings.insert(warnings.end(), strict.begin(), strict.end());
  }
  if (!call.custom) object::apply_defaults(document, *call.version->message);
  if (call.version->set_defaults != nullptr) call.version->set_defaults(document);
  if (call.version->to_hub != nullptr) call.version->to_hub(document);
  document.set("apiVersion", call.resource->hub().api_version);
  return document;
}

Value to_version(const kinds::Resource& resource, const kinds::Version& version, const Value& hub) {
  Value document = hub;
  // Which version is stored may have changed since a custom object was.
  if (&version == &resource.hub() && kinds::custom_of(resource) == nullptr) return document;
  if (version.from_hub != nullptr) version.from_hub(document);
  document.set("apiVersion", version.api_version);
  return document;
}

Result<void> set_identity(const Call& call, Value& document, Random& random) {
  Value& metadata = document["metadata"];
  if (metadata.is_null()) metadata = Value::object();
  std::string ns(metadata.at("namespace").as_string());
  if (!call.resource->namespaced) {
    metadata.erase("namespace");
  } else if (ns.empty()) {
    metadata.set("namespace", call.request.ns);
  } else if (ns != call.request.ns) {
    return make_error(Reason::kBadRequest,
                      "the namespace of the provided object does not match the namespace sent on the request");
  }
  std::string name(metadata.at("name").as_string());
  if (!call.request.name.empty() && !name.empty() && name != call.request.name) {
    return make_error(
        Reason::kBadRequest,
        fmt::format("the name of the object ({}) does not match the name on the URL ({})", name, call.request.name));
  }
  if (name.empty() && !call.request.name.empty()) metadata.set("name", call.request.name);
  std::string prefix(metadata.at("generateName").as_string());
  if (metadata.at("name").as_string().empty() && !prefix.empty()) {
    metadata.set("name", prefix.substr(0, kNameBytesMax - kSuffixLength) + random.name_suffix(kSuffixLength));
  }
  return {};
}

void prepare_new(const kinds::Resource& resource, Value& document, Random& random, WallTime now) {
  Value& metadata = document["metadata"];
  for (std::string_view owned : {"resourceVersion", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds",
                                 "generation", "managedFields"}) {
    metadata.erase(owned);
  }
  metadata.set("uid", random.uuid());
  metadata.set("creationTimestamp", object::format_time(now));
  if (resource.generation) metadata.set("generation", 1);
  if (resource.status_subresource) document.erase("status");
}

void show_status(const kinds::Resource& resource, Value& document) {
  if (!resource.status_subresource || document.find("status") != nullptr) return;
  const object::Field* field = resource.hub().message->find("status");
  if (field == nullptr || field->pointer || field->type.type != object::Type::kMessage) return;
  Value status = Value::object();
  Result<void> shaped = object::shape(status, *field->type.message);
  STEAD_CHECK(shaped.ok());
  document.set("status", std::move(status));
}

namespace {

// Everything but metadata and status is what the generation counts.
bool same_intent(const Value& a, const Value& b, bool with_status) {
  size_t members = 0;
  for (const object::Member& member : a.members()) {
    if (member.name() == "metadata" || (member.name() == "status" && !with_status)) continue;
    const Value* other = b.find(member.name());
    if (other == nullptr || !(*other == member.value)) return false;
    ++members;
  }
  size_t others = 0;
  for (const object::Member& member : b.members()) {
    others += member.name() != "metadata" && (member.name() != "status" || with_status) ? 1 : 0;
  }
  return members == others;
}

}  // namespace

void carry_over(const kinds::Resource& resource, Value& document, const Value& old, bool status_only) {
  if (status_only) {
    Value status = document.at("status");
    // Of a custom object this path changes nothing but the status.
    Value metadata = kinds::custom_of(resource) != nullptr ? old.at("metadata") : document.at("metadata");
    document = old;
    document.set("metadata", std::move(metadata));
    if (status.is_null()) {
      document.erase("status");
    } else {
      document.set("status", std::move(status));
    }
  } else if (resource.status_subresource) {
    if (const Value* status = old.find("status")) {
      document.set("status", *status);
    } else {
      document.erase("status");
    }
  }
  Value& metadata = document["metadata"];
  const Value& before = old.at("metadata");
  metadata.erase("selfLink");
  for (std::string_view owned : {"name", "namespace", "uid", "creationTimestamp", "deletionTimestamp",
                                 "deletionGracePeriodSeconds", "generation", "generateName", "resourceVersion"}) {
    if (const Value* kept = before.find(owned)) {
      metadata.set(owned, *kept);
    } else {
      metadata.erase(owned);
    }
  }
  if (!status_only && resource.rules.prepare_update != nullptr) resource.rules.prepare_update(document, old);
  if (!resource.generation) return;
  // A kind's own rules may have raised it for more than the generic reason.
  const bool with_status = kinds::custom_of(resource) != nullptr && !resource.status_subresource;
  if (!same_intent(document, old, with_status)) metadata.set("generation", before.at("generation").as_int() + 1);
}

}  // namespace stead::apiserver
