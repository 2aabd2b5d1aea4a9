// get and list.

#include <fmt/format.h>

#include "apiserver/continue_token.h"
#include "apiserver/selection.h"
#include "apiserver/verbs.h"

namespace stead::apiserver {
namespace {

Result<int64_t> parse_revision(const std::string& text) {
  if (text.empty()) return int64_t{0};
  if (text.size() > 18 || text.find_first_not_of("0123456789") != std::string::npos) {
    return make_error(Reason::kBadRequest,
                      fmt::format("resourceVersion: Invalid value: \"{}\": must be a number without sign", text));
  }
  return std::stoll(text);
}

// Where a list begins and as of which revision.
struct ListStart {
  cache::Snapshot snapshot;
  std::string after;  // key of the last object already given; empty: from the start
};

Result<ListStart> start_of_list(cache::Cache& cache, const Call& call, const Selection& selection) {
  const client::Request& request = call.request;
  std::string resource = call.resource_path();
  if (!request.continue_token.empty()) {
    STEAD_TRY(token, decode_continue(request.continue_token));
    if (!request.resource_version.empty() && request.resource_version != "0") {
      return make_error(Reason::kBadRequest, "specifying resource version is not allowed when using continue");
    }
    Result<cache::Snapshot> snapshot = cache.snapshot_at(resource, token.revision);
    if (!snapshot.ok()) {
      return make_error(Reason::kExpired,
                        "The provided continue parameter is too old to display a consistent list result. You must "
                        "start a new list without the continue parameter.");
    }
    return ListStart{std::move(*snapshot), token.after};
  }
  STEAD_TRY(revision, parse_revision(request.resource_version));
  const std::string& match = request.resource_version_match;
  if (!match.empty() && match != "Exact" && match != "NotOlderThan") {
    return make_error(Reason::kInvalid,
                      fmt::format("resourceVersionMatch: Unsupported value: \"{}\": supported values: "
                                  "\"Exact\", \"NotOlderThan\"",
                                  match));
  }
  if (!match.empty() && request.resource_version.empty()) {
    return make_error(
        Reason::kInvalid,
        "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided");
  }
  if (match == "Exact" && revision == 0) {
    return make_error(
        Reason::kInvalid,
        "resourceVersionMatch: Forbidden: resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\"");
  }
  if (revision > cache.revision()) {
    Error error = make_error(Reason::kTimeout,
                             fmt::format("Too large resource version: {}, current: {}", revision, cache.revision()));
    error.causes.push_back({"ResourceVersionTooLarge", "Too large resource version", ""});
    error.retry_after_seconds = 1;
    return error;
  }
  // A limit with an older revision and no match rule means exactly that revision.
  bool exact = match == "Exact" || (match.empty() && request.limit > 0 && revision > 0);
  if (exact) {
    STEAD_TRY(snapshot, cache.snapshot_at(resource, revision));
    return ListStart{std::move(snapshot), {}};
  }
  // Pages go on in the whole resource as it was: only complete lists use an index.
  auto key = request.limit > 0 ? std::nullopt : selection.index_key();
  return ListStart{key ? cache.snapshot(resource, *key) : cache.snapshot(resource), {}};
}

}  // namespace

ObjectPtr Verbs::find(const Call& call) const { return cache_.get(call.resource_path(), call.key()); }

Result<Response> Verbs::get(const Call& call) const {
  ObjectPtr found = find(call);
  if (!found) return not_found_error(call, call.request.name);
  Response response;
  response.object = std::move(found);
  response.revision = response.object->revision();
  return response;
}

Result<Response> Verbs::list(const Call& call) const {
  STEAD_TRY(selection, Selection::make(call));
  STEAD_TRY(start, start_of_list(cache_, call, selection));
  Response response;
  response.revision = start.snapshot.revision;
  std::string prefix = selection.key_prefix();
  std::string from = start.after.empty() ? prefix : start.after + '\0';
  auto limit = static_cast<size_t>(std::max<int64_t>(call.request.limit, 0));
  std::string last_key;
  bool more = false;
  start.snapshot.objects.visit_from(from, [&](const std::string& key, const ObjectPtr& object) {
    if (!std::string_view(key).starts_with(prefix)) return false;
    if (!selection.matches(*object)) return true;
    if (limit > 0 && response.items.size() == limit) {
      more = true;
      return false;
    }
    response.items.push_back(object);
    last_key = key;
    return true;
  });
  if (more) {
    response.continue_token = encode_continue({start.snapshot.revision, last_key});
    if (selection.everything() && prefix.empty()) {
      int64_t before = 0;
      start.snapshot.objects.visit_from("", [&](const std::string& key, const ObjectPtr&) {
        if (key > last_key) return false;
        ++before;
        return true;
      });
      response.remaining_items = static_cast<int64_t>(start.snapshot.objects.size()) - before;
    }
  }
  return response;
}

}  // namespace stead::apiserver
