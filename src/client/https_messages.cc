#include "client/https_messages.h"

#include <fmt/format.h>

#include "http/message_parser.h"
#include "kinds/registry.h"
#include "object/codec.h"

namespace stead::client {
namespace {

constexpr size_t kMessageMax = 2048;

const char* method_of(Verb verb) {
  switch (verb) {
    case Verb::kGet:
    case Verb::kList:
    case Verb::kWatch:
      return "GET";
    case Verb::kCreate:
      return "POST";
    case Verb::kUpdate:
      return "PUT";
    case Verb::kPatch:
      return "PATCH";
    case Verb::kDelete:
    case Verb::kDeleteCollection:
      return "DELETE";
  }
  return "GET";
}

const char* patch_content_type(PatchType type) {
  switch (type) {
    case PatchType::kJson:
      return "application/json-patch+json";
    case PatchType::kMerge:
      return "application/merge-patch+json";
    case PatchType::kStrategicMerge:
      return "application/strategic-merge-patch+json";
    case PatchType::kApply:
      return "application/apply-patch+yaml";
  }
  return "application/json";
}

class Query {
 public:
  void add(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    text_.append(text_.empty() ? "?" : "&").append(name).append("=").append(http::percent_encode(value));
  }
  void add(std::string_view name, int64_t value) {
    if (value != 0) add(name, std::to_string(value));
  }
  void add(std::string_view name, bool value) {
    if (value) add(name, std::string_view("true"));
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string query_of(const Request& request) {
  Query query;
  bool writes = request.verb != Verb::kGet && request.verb != Verb::kList && request.verb != Verb::kWatch;
  query.add("watch", request.verb == Verb::kWatch);
  query.add("labelSelector", request.label_selector);
  query.add("fieldSelector", request.field_selector);
  query.add("resourceVersion", request.resource_version);
  query.add("resourceVersionMatch", request.resource_version_match);
  query.add("limit", request.limit);
  query.add("continue", request.continue_token);
  query.add("allowWatchBookmarks", request.allow_watch_bookmarks);
  query.add("sendInitialEvents", request.send_initial_events);
  query.add("timeoutSeconds", request.timeout_seconds);
  if (writes) {
    if (request.dry_run) query.add("dryRun", std::string_view("All"));
    query.add("fieldManager", request.field_manager);
    query.add("fieldValidation", request.field_validation);
    query.add("force", request.force);
  }
  return query.text();
}

Result<std::string> path_of(const Request& request) {
  std::string version = request.version;
  if (version.empty()) {
    const kinds::Resource* resource = kinds::registry().find(request.group, request.resource);
    if (resource == nullptr) {
      return make_error(Reason::kNotFound, fmt::format("resource \"{}\" of API group \"{}\" is not known here",
                                                       request.resource, request.group));
    }
    version = resource->hub().name;
  }
  std::string path = request.group.empty() ? "/api/" + version : "/apis/" + request.group + "/" + version;
  // "Ignored where a verb does not use them" holds for namespace and name too.
  bool creates = request.verb == Verb::kCreate && request.subresource.empty();
  bool names_one = !creates && request.verb != Verb::kList && request.verb != Verb::kWatch &&
                   request.verb != Verb::kDeleteCollection;
  std::string ns = request.ns;
  if (ns.empty() && creates) ns = request.body.at({"metadata", "namespace"}).as_string();
  if (!ns.empty()) path += "/namespaces/" + http::percent_encode(ns);
  path += "/" + request.resource;
  if (names_one) path += "/" + http::percent_encode(request.name);
  if (!request.subresource.empty()) path += "/" + request.subresource;
  return path;
}

Reason reason_of_code(int status) {
  switch (status) {
    case 400:
      return Reason::kBadRequest;
    case 401:
      return Reason::kUnauthorized;
    case 403:
      return Reason::kForbidden;
    case 404:
      return Reason::kNotFound;
    case 405:
      return Reason::kMethodNotAllowed;
    case 406:
      return Reason::kNotAcceptable;
    case 409:
      return Reason::kConflict;
    case 410:
      return Reason::kExpired;
    case 413:
      return Reason::kRequestEntityTooLarge;
    case 415:
      return Reason::kUnsupportedMediaType;
    case 422:
      return Reason::kInvalid;
    case 429:
      return Reason::kTooManyRequests;
    case 501:
      return Reason::kNotImplemented;
    case 502:
    case 503:
      return Reason::kUnavailable;
    case 504:
      return Reason::kTimeout;
    default:
      return Reason::kInternal;
  }
}

Reason reason_named(std::string_view name, int status) {
  for (int at = 0; at <= static_cast<int>(Reason::kTimeout); ++at) {
    if (reason_name(static_cast<Reason>(at)) == name) return static_cast<Reason>(at);
  }
  return reason_of_code(status);
}

Error error_of_status(const Value& status, int code) {
  Error error = make_error(reason_named(status.at("reason").as_string(), code), "");
  error.message = status.at("message").as_string();
  const Value& details = status.at("details");
  error.name = details.at("name").as_string();
  error.group = details.at("group").as_string();
  error.kind = details.at("kind").as_string();
  error.retry_after_seconds = static_cast<int>(details.at("retryAfterSeconds").as_int());
  for (const Value& cause : details.at("causes").items()) {
    error.causes.push_back({std::string(cause.at("reason").as_string()), std::string(cause.at("message").as_string()),
                            std::string(cause.at("field").as_string())});
  }
  return error;
}

int64_t revision_of(const Value& document) {
  std::string_view text = document.at({"metadata", "resourceVersion"}).as_string();
  if (text.empty() || text.size() > 18 || text.find_first_not_of("0123456789") != std::string_view::npos) return 0;
  return std::stoll(std::string(text));
}

// The text of `299 - "text"`.
std::string warning_text(const std::string& header) {
  size_t open = header.find('"');
  if (open == std::string::npos) return header;
  std::string text;
  for (size_t at = open + 1; at < header.size() && header[at] != '"'; ++at) {
    if (header[at] == '\\' && at + 1 < header.size()) ++at;
    text += header[at];
  }
  return text;
}

std::string header_value(const http::Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (http::equal_ignoring_case(key, name)) return value;
  }
  return {};
}

Response list_response(Value document) {
  Response response;
  response.revision = revision_of(document);
  response.continue_token = document.at({"metadata", "continue"}).as_string();
  const Value& remaining = document.at({"metadata", "remainingItemCount"});
  if (!remaining.is_null()) response.remaining_items = remaining.as_int();
  // Items of a typed list may leave out what the list says.
  std::string_view list_kind = document.at("kind").as_string();
  std::string kind(list_kind.ends_with("List") ? list_kind.substr(0, list_kind.size() - 4) : std::string_view());
  std::string api_version(document.at("apiVersion").as_string());
  if (Value* items = document.find("items"); items != nullptr && items->is_array()) {
    for (Value& item : items->mutable_items()) {
      if (item.at("kind").is_null() && !kind.empty()) {
        item.set("kind", kind);
        item.set("apiVersion", api_version);
      }
      int64_t revision = revision_of(item);
      response.items.push_back(object::make_object(std::move(item), revision));
    }
  }
  return response;
}

}  // namespace

Result<http::OutgoingRequest> to_http(const Request& request, const std::string& bearer_token) {
  STEAD_TRY(path, path_of(request));
  http::OutgoingRequest http;
  http.method = method_of(request.verb);
  http.target = path + query_of(request);
  http.headers = {{"Accept", "application/json"}, {"User-Agent", "stead/v1.35.0"}};
  if (!bearer_token.empty()) http.headers.emplace_back("Authorization", "Bearer " + bearer_token);
  bool has_body = http.method != std::string("GET") && !request.body.is_null();
  if (has_body) {
    http.headers.emplace_back(
        "Content-Type", request.verb == Verb::kPatch ? patch_content_type(request.patch_type) : "application/json");
    http.body = object::to_json(request.body);
  }
  return http;
}

Error error_of(int status, const http::Headers& headers, const std::string& body) {
  Error error;
  Result<Value> document = object::parse_json(body);
  if (document.ok() && document->is_object() && document->at("kind").as_string() == "Status") {
    error = error_of_status(*document, status);
  } else {
    error = make_error(reason_of_code(status), body.substr(0, kMessageMax));
  }
  if (error.message.empty()) error.message = fmt::format("the server answered {}", status);
  std::string after = header_value(headers, "Retry-After");
  if (!after.empty() && after.size() < 6 && after.find_first_not_of("0123456789") == std::string::npos) {
    error.retry_after_seconds = std::stoi(after);
  }
  return error;
}

Result<Response> from_http(const Request& request, const http::ClientResponse& http) {
  if (http.status < 200 || http.status >= 300) return error_of(http.status, http.headers, http.body);
  STEAD_TRY(document, object::parse_json(http.body));
  if (!document.is_object()) return make_error(Reason::kInternal, "the server's answer is no object");
  Response response;
  bool is_list = request.verb == Verb::kList || request.verb == Verb::kDeleteCollection;
  bool is_status = document.at("kind").as_string() == "Status" && document.at("apiVersion").as_string() == "v1";
  if (is_list && !is_status) {
    response = list_response(std::move(document));
  } else if (is_status) {
    response.deleted = request.verb == Verb::kDelete;
  } else {
    int64_t revision = revision_of(document);
    // A pod that ends at once is answered as an object, though it is gone.
    response.deleted = request.verb == Verb::kDelete && document.at({"metadata", "finalizers"}).empty() &&
                       document.at({"metadata", "deletionGracePeriodSeconds"}).as_int() == 0;
    response.object = object::make_object(std::move(document), revision);
  }
  response.created = http.status == 201;
  for (const auto& [name, value] : http.headers) {
    if (http::equal_ignoring_case(name, "Warning")) response.warnings.push_back(warning_text(value));
  }
  return response;
}

Result<WatchEvent> watch_event(std::string_view line) {
  STEAD_TRY(document, object::parse_json(line));
  std::string_view type = document.at("type").as_string();
  Value* body = document.is_object() ? document.find("object") : nullptr;
  if (body == nullptr || !body->is_object()) return make_error(Reason::kInternal, "a watch event without an object");
  if (type == "ERROR") return error_of_status(*body, static_cast<int>(body->at("code").as_int()));
  WatchEvent event;
  event.revision = revision_of(*body);
  if (type == "BOOKMARK") {
    event.type = WatchEvent::Type::kBookmark;
    event.initial_events_end = body->at({"metadata", "annotations", "k8s.io/initial-events-end"}).as_string() == "true";
    return event;
  }
  if (type == "ADDED") {
    event.type = WatchEvent::Type::kAdded;
  } else if (type == "MODIFIED") {
    event.type = WatchEvent::Type::kModified;
  } else if (type == "DELETED") {
    event.type = WatchEvent::Type::kDeleted;
  } else {
    return make_error(Reason::kInternal, "a watch event of unknown type");
  }
  event.object = object::make_object(std::move(*body), event.revision);
  return event;
}

}  // namespace stead::client
