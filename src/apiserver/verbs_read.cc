// get and list.

#include <fmt/format.h>

#include "apiserver/continue_token.h"
#include "apiserver/selection.h"
#include "apiserver/verbs.h"
#include "object/field_error.h"

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

Error too_large(int64_t revision, int64_t current) {
  Error error =
      make_error(Reason::kTimeout, fmt::format("Too large resource version: {}, current: {}", revision, current));
  error.causes.push_back({"ResourceVersionTooLarge", "Too large resource version", ""});
  error.retry_after_seconds = 1;
  return error;
}

Error bad_match(std::string_view why) {
  object::FieldErrors errors;
  errors.forbidden(object::Path("resourceVersionMatch"), why);
  return errors.to_error("meta.k8s.io", "ListOptions", "");
}

// What options may be together (apimachinery's ValidateListOptions).
Result<void> check_match(const client::Request& request) {
  const std::string& match = request.resource_version_match;
  if (request.send_initial_events) {
    object::FieldErrors errors;
    errors.forbidden(object::Path("sendInitialEvents"), "sendInitialEvents is forbidden for list");
    return errors.to_error("meta.k8s.io", "ListOptions", "");
  }
  if (match.empty()) return {};
  if (request.resource_version.empty()) {
    return bad_match("resourceVersionMatch is forbidden unless resourceVersion is provided");
  }
  if (!request.continue_token.empty()) return bad_match("resourceVersionMatch is forbidden when continue is provided");
  static constexpr std::string_view kMatches[] = {"Exact", "NotOlderThan"};
  if (match != "Exact" && match != "NotOlderThan") {
    object::FieldErrors errors;
    errors.not_supported(object::Path("resourceVersionMatch"), match, kMatches);
    return errors.to_error("meta.k8s.io", "ListOptions", "");
  }
  if (match == "Exact" && request.resource_version == "0") {
    return bad_match("resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\"");
  }
  return {};
}

// The rest of the list can still be had, of what is there now.
Error expired_token(const ContinueToken& token) {
  Error error = make_error(
      Reason::kExpired,
      "The provided continue parameter is too old to display a consistent list result. You can start a new list "
      "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
      "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
      "modified, or deleted between the time the first chunk was returned and now may show up in the list.");
  error.causes.push_back({std::string(kContinueCause), encode_continue({kLatestRevision, token.after}), ""});
  return error;
}

// Where a list begins and as of which revision.
struct ListStart {
  cache::Snapshot snapshot;
  std::string after;  // key of the last object already given; empty: from the start
};

Result<ListStart> start_of_list(cache::Cache& cache, const Call& call, const Selection& selection) {
  const client::Request& request = call.request;
  std::string resource = call.resource_path();
  STEAD_TRY_VOID(check_match(request));
  if (!request.continue_token.empty()) {
    STEAD_TRY(token, decode_continue(request.continue_token));
    if (!request.resource_version.empty() && request.resource_version != "0") {
      return make_error(Reason::kBadRequest, "specifying resource version is not allowed when using continue");
    }
    if (token.revision == kLatestRevision) return ListStart{cache.snapshot(resource), token.after};
    Result<cache::Snapshot> snapshot = cache.snapshot_at(resource, token.revision);
    if (!snapshot.ok()) return expired_token(token);
    return ListStart{std::move(*snapshot), token.after};
  }
  STEAD_TRY(revision, parse_revision(request.resource_version));
  const std::string& match = request.resource_version_match;
  if (revision > cache.revision()) return too_large(revision, cache.revision());
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
  STEAD_TRY(revision, parse_revision(call.request.resource_version));
  if (revision > cache_.revision()) return too_large(revision, cache_.revision());
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
    if (selection.everything()) {
      int64_t rest = 0;
      start.snapshot.objects.visit_from(last_key + '\0', [&](const std::string& key, const ObjectPtr&) {
        if (!std::string_view(key).starts_with(prefix)) return false;
        ++rest;
        return true;
      });
      response.remaining_items = rest;
    }
  }
  return response;
}

void Verbs::present(const Call& call, Response response, Callback done) const {
  if (!call.custom) return done(std::move(response));
  std::vector<ObjectPtr> objects = std::move(response.items);
  objects.push_back(std::move(response.object));
  auto shared = std::make_shared<Response>(std::move(response));
  converter_.convert(call.custom, call.version->api_version, std::move(objects),
                     [shared, done = std::move(done)](Result<std::vector<ObjectPtr>> shown) {
                       if (!shown.ok()) return done(shown.error());
                       shared->object = std::move(shown->back());
                       shown->pop_back();
                       shared->items = std::move(*shown);
                       done(std::move(*shared));
                     });
}

void Verbs::load(const Call& call, Loaded done) const {
  ObjectPtr found = find(call);
  if (!found || !call.custom || !Converter::concerns(*call.custom, call.version->api_version, *found)) {
    return done(std::move(found));
  }
  converter_.convert(call.custom, call.version->api_version, {std::move(found)},
                     [done = std::move(done)](Result<std::vector<ObjectPtr>> shown) {
                       if (!shown.ok()) return done(shown.error());
                       done(std::move(shown->front()));
                     });
}

void Verbs::read(const Call& call, Callback done) const {
  Result<Response> found = get(call);
  if (!found.ok()) return done(found.error());
  present(call, std::move(*found), std::move(done));
}

void Verbs::read_list(const Call& call, Callback done) const {
  Result<Selection> selection = Selection::make(call);
  if (!selection.ok()) return done(selection.error());
  if (!selection->needs_conversion()) {
    Result<Response> found = list(call);
    if (!found.ok()) return done(found.error());
    return present(call, std::move(*found), std::move(done));
  }
  // What is selected shows only when all is converted, and so the list has one page.
  Call whole = call;
  whole.request.field_selector.clear();
  whole.request.label_selector.clear();
  whole.request.limit = 0;
  Result<Response> found = list(whole);
  if (!found.ok()) return done(found.error());
  present(call, std::move(*found), [selection = std::move(*selection), done = std::move(done)](Result<Response> shown) {
    if (shown.ok()) std::erase_if(shown->items, [&](const ObjectPtr& item) { return !selection.matches(*item); });
    done(std::move(shown));
  });
}

}  // namespace stead::apiserver
