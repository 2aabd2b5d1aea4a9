#include "apiserver/front_end/request_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "kinds/descriptors.h"
#include "kinds/registry.h"
#include "object/field_error.h"
#include "object/protobuf.h"
#include "object/time.h"

namespace stead::apiserver {
namespace {

using client::PatchType;
using client::Verb;
using object::Value;

Result<int64_t> number(const http::Request& http, std::string_view name) {
  std::string_view text = http.query_value(name);
  if (text.empty()) return int64_t{0};
  if (text.size() > 18 || text.find_first_not_of("0123456789") != std::string_view::npos) {
    return make_error(Reason::kBadRequest,
                      fmt::format("{}: Invalid value: \"{}\": must be a non-negative integer", name, text));
  }
  return std::stoll(std::string(text));
}

Result<Verb> read_verb(const Route& route, const http::Request& http) {
  const std::string& method = http.method;
  if (method == "GET" || method == "HEAD") {
    if (http.has_flag("watch")) return Verb::kWatch;
    return route.name.empty() ? Verb::kList : Verb::kGet;
  }
  if (method == "POST" && (route.name.empty() || !route.subresource.empty())) return Verb::kCreate;
  if (method == "PUT" && !route.name.empty()) return Verb::kUpdate;
  if (method == "PATCH" && !route.name.empty()) return Verb::kPatch;
  if (method == "DELETE") return route.name.empty() ? Verb::kDeleteCollection : Verb::kDelete;
  return make_error(Reason::kMethodNotAllowed, "the server does not allow this method on the requested resource");
}

Result<PatchType> read_patch_type(std::string_view content_type) {
  std::string_view type = media_type(content_type);
  if (type == "application/json-patch+json") return PatchType::kJson;
  if (type == "application/merge-patch+json") return PatchType::kMerge;
  if (type == "application/strategic-merge-patch+json") return PatchType::kStrategicMerge;
  if (type == "application/apply-patch+yaml") return PatchType::kApply;
  return make_error(Reason::kUnsupportedMediaType,
                    fmt::format("the body of the request was in an unknown format ({}) - accepted media types include: "
                                "application/json-patch+json, application/merge-patch+json, "
                                "application/strategic-merge-patch+json, application/apply-patch+yaml",
                                type));
}

std::string_view options_kind(Verb verb) {
  switch (verb) {
    case Verb::kCreate:
      return "CreateOptions";
    case Verb::kUpdate:
      return "UpdateOptions";
    case Verb::kPatch:
      return "PatchOptions";
    case Verb::kDelete:
    case Verb::kDeleteCollection:
      return "DeleteOptions";
    default:
      return "ListOptions";
  }
}

Result<void> read_options(const http::Request& http, client::Request& request) {
  request.label_selector = http.query_value("labelSelector");
  request.field_selector = http.query_value("fieldSelector");
  request.resource_version = http.query_value("resourceVersion");
  request.resource_version_match = http.query_value("resourceVersionMatch");
  request.continue_token = http.query_value("continue");
  request.field_manager = http.query_value("fieldManager");
  request.field_validation = http.query_value("fieldValidation");
  request.force = http.has_flag("force");
  request.allow_watch_bookmarks = http.has_flag("allowWatchBookmarks");
  request.send_initial_events = http.has_flag("sendInitialEvents");
  STEAD_TRY(limit, number(http, "limit"));
  request.limit = limit;
  STEAD_TRY(timeout, number(http, "timeoutSeconds"));
  request.timeout_seconds = timeout;
  // How long the answer may take is for the client to watch over; what it says must make sense all the same.
  std::string_view patience = http.query_value("timeout");
  if (!patience.empty() && request.verb != Verb::kWatch && !object::parse_duration(patience)) {
    return make_error(
        Reason::kBadRequest,
        fmt::format("timeout: Invalid value: \"{}\": must be a duration, such as 30s or 1m30s", patience));
  }
  object::FieldErrors errors;
  const std::string& validation = request.field_validation;
  static constexpr std::string_view kValidations[] = {"Ignore", "Strict", "Warn"};
  if (!validation.empty() &&
      std::find(std::begin(kValidations), std::end(kValidations), validation) == std::end(kValidations)) {
    errors.not_supported(object::Path("fieldValidation"), validation, kValidations);
  }
  static constexpr std::string_view kDryRuns[] = {"All"};
  for (const auto& [name, value] : http.query) {
    if (name != "dryRun") continue;
    if (value != "All") errors.not_supported(object::Path("dryRun"), value, kDryRuns);
    request.dry_run = true;
  }
  if (!errors.empty()) return errors.to_error("meta.k8s.io", options_kind(request.verb), "");
  return {};
}

// The message of a protobuf body: a served kind, or one of the messages that subresources and deletes take.
const object::Message* message_of(std::string_view api_version, std::string_view kind) {
  size_t slash = api_version.find('/');
  std::string_view group = slash == std::string_view::npos ? std::string_view() : api_version.substr(0, slash);
  std::string_view version = slash == std::string_view::npos ? api_version : api_version.substr(slash + 1);
  if (const kinds::Resource* resource = kinds::registry().find_kind(group, kind)) {
    if (const kinds::Version* found = resource->version(group, version)) return found->message;
  }
  // Every group knows DeleteOptions under its own version.
  if (kind == "DeleteOptions") return kinds::find_message("meta.v1", kind);
  std::string package = (group.empty() ? "core" : std::string(group.substr(0, group.find('.')))) + ".";
  return kinds::find_message(package + std::string(version), kind);
}

Result<Value> read_protobuf(std::string_view bytes) {
  STEAD_TRY(envelope, object::open_envelope(bytes));
  const object::Message* message = message_of(envelope.api_version, envelope.kind);
  if (message == nullptr) {
    return make_error(Reason::kBadRequest, fmt::format("no kind \"{}\" is registered for version \"{}\"", envelope.kind,
                                                       envelope.api_version));
  }
  STEAD_TRY(document, object::decode_protobuf(envelope.raw, *message));
  document.set("apiVersion", envelope.api_version);
  document.set("kind", envelope.kind);
  return document;
}

Result<void> read_body(const http::Request& http, ReadRequest& read) {
  client::Request& request = read.request;
  bool patch = request.verb == Verb::kPatch;
  if (http.body.empty()) {
    if (request.verb == Verb::kDelete || request.verb == Verb::kDeleteCollection) {
      request.body = Value::object();
      return {};
    }
    return make_error(Reason::kBadRequest, "the body of the request is empty: an object was expected");
  }
  BodyForm form = BodyForm::kJson;
  if (patch) {
    STEAD_TRY(type, read_patch_type(http.header("Content-Type")));
    request.patch_type = type;
    if (type == PatchType::kApply) form = BodyForm::kYaml;
  } else {
    STEAD_TRY(told, body_form(http.header("Content-Type")));
    form = told;
  }
  STEAD_TRY(body, form == BodyForm::kProtobuf ? read_protobuf(http.body)
                  : form == BodyForm::kYaml   ? object::parse_yaml(http.body, &read.strict)
                                              : object::parse_json(http.body, &read.strict));
  request.body = std::move(body);
  return {};
}

constexpr size_t kManagerBytesMax = 128;

// The manager named by the query, else the program of the User-Agent.
Result<void> read_manager(const http::Request& http, client::Request& request) {
  object::FieldErrors errors;
  const bool apply = request.verb == Verb::kPatch && request.patch_type == PatchType::kApply;
  std::string& manager = request.field_manager;
  const object::Path field("fieldManager");
  if (apply && manager.empty()) errors.required(field, "is required for apply patch");
  if (manager.size() > kManagerBytesMax) errors.too_long(field, manager, kManagerBytesMax);
  auto unprintable = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(manager.begin(), manager.end(), unprintable)) {
    errors.invalid(field, manager, "should only contain printable characters");
  }
  if (request.verb == Verb::kPatch && !apply && http.has_query("force")) {
    errors.forbidden(object::Path("force"), "may not be specified for non-apply patch");
  }
  if (!errors.empty()) {
    return errors.to_error("meta.k8s.io", options_kind(request.verb), "");
  }
  if (manager.empty()) {
    std::string_view agent = http.header("User-Agent");
    manager = agent.substr(0, std::min(agent.find('/'), kManagerBytesMax));
    std::erase_if(manager, unprintable);
  }
  return {};
}

// Delete options may come as query parameters; the body wins.
Result<void> read_delete_query(const http::Request& http, Value& body) {
  if (!body.is_object()) return make_error(Reason::kBadRequest, "DeleteOptions must be an object");
  if (http.has_query("gracePeriodSeconds") && body.find("gracePeriodSeconds") == nullptr) {
    STEAD_TRY(grace, number(http, "gracePeriodSeconds"));
    body.set("gracePeriodSeconds", grace);
  }
  for (std::string_view name : {"propagationPolicy"}) {
    if (http.has_query(name) && body.find(name) == nullptr) body.set(name, http.query_value(name));
  }
  if (http.has_query("orphanDependents") && body.find("orphanDependents") == nullptr) {
    body.set("orphanDependents", http.has_flag("orphanDependents"));
  }
  return {};
}

}  // namespace

client::Request request_of(const Route& route, const http::Request& http) {
  client::Request request;
  request.group = route.group;
  request.version = route.version;
  request.resource = route.resource;
  request.ns = route.ns;
  request.name = route.name;
  request.subresource = route.subresource;
  Result<Verb> verb = read_verb(route, http);
  request.verb = verb.ok() ? *verb : Verb::kGet;
  return request;
}

Result<ReadRequest> read_request(const Route& route, const http::Request& http) {
  ReadRequest read;
  STEAD_TRY(verb, read_verb(route, http));
  read.request = request_of(route, http);
  client::Request& request = read.request;
  STEAD_TRY_VOID(read_options(http, request));
  // A watch of one name is a watch of the collection, narrowed.
  if (verb == Verb::kWatch && !request.name.empty()) {
    request.field_selector = "metadata.name=" + request.name;
    request.name.clear();
  }
  bool reads = verb == Verb::kGet || verb == Verb::kList || verb == Verb::kWatch;
  if (reads) return read;
  STEAD_TRY_VOID(read_body(http, read));
  STEAD_TRY_VOID(read_manager(http, request));
  if (verb == Verb::kDelete || verb == Verb::kDeleteCollection) {
    STEAD_TRY_VOID(read_delete_query(http, request.body));
    for (const Value& value : request.body.at("dryRun").items()) request.dry_run |= value.as_string() == "All";
  }
  return read;
}

}  // namespace stead::apiserver
