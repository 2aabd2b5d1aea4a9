#include "apiserver/call.h"

#include <fmt/format.h>

namespace stead::apiserver {
namespace {

Error about(const Call& call, std::string_view name, Reason reason, std::string message) {
  Error error = make_error(reason, std::move(message));
  error.group = call.version->group;
  error.kind = call.resource->name;
  error.name = name;
  return error;
}

}  // namespace

Result<Call> resolve(const Catalogue& catalogue, client::Identity identity, client::Request request) {
  Call call{std::move(identity), std::move(request), nullptr, nullptr, nullptr};
  Catalogue::Served served = catalogue.find(call.request.group, call.request.resource);
  call.resource = served.resource;
  call.custom = std::move(served.custom);
  if (call.resource != nullptr) {
    call.version = call.request.version.empty() ? &call.resource->hub()
                                                : call.resource->version(call.request.group, call.request.version);
  }
  const bool served_now = call.version != nullptr && (!call.custom || call.custom->serves(*call.version));
  if (!served_now) {
    return make_error(Reason::kNotFound, "the server could not find the requested resource");
  }
  if (!call.custom) return call;
  if (auto spoken = call.custom->spoken(*call.version)) {
    call.resource = &spoken->resource();
    call.version = &call.resource->hub();
    call.custom = std::move(spoken);
  }
  return call;
}

Error not_found_error(const Call& call, std::string_view name) {
  return about(call, name, Reason::kNotFound, fmt::format("{} \"{}\" not found", call.qualified_resource(), name));
}

Error already_exists_error(const Call& call, std::string_view name) {
  return about(call, name, Reason::kAlreadyExists,
               fmt::format("{} \"{}\" already exists", call.qualified_resource(), name));
}

Error conflict_error(const Call& call, std::string_view name, std::string_view why) {
  return about(call, name, Reason::kConflict,
               fmt::format("Operation cannot be fulfilled on {} \"{}\": {}", call.qualified_resource(), name, why));
}

Error modified_error(const Call& call, std::string_view name) {
  return conflict_error(call, name,
                        "the object has been modified; please apply your changes to the latest version and try again");
}

}  // namespace stead::apiserver
