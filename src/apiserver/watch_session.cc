#include "apiserver/watch_session.h"

#include <fmt/format.h>

#include "object/field_error.h"

namespace stead::apiserver {
namespace {

using client::WatchEvent;

std::vector<WatchEvent> initial_events(const cache::Snapshot& snapshot, const Selection& selection) {
  std::vector<WatchEvent> events;
  std::string prefix = selection.key_prefix();
  snapshot.objects.visit_prefix(prefix, [&](const std::string&, const object::ObjectPtr& object) {
    if (selection.matches(*object)) events.push_back({WatchEvent::Type::kAdded, object, object->revision()});
    return true;
  });
  return events;
}

Error bad_match(std::string_view why) {
  object::FieldErrors errors;
  errors.forbidden(object::Path("resourceVersionMatch"), why);
  return errors.to_error("meta.k8s.io", "ListOptions", "");
}

}  // namespace

Result<std::shared_ptr<WatchSession>> WatchSession::start(cache::Cache& cache, const Call& call,
                                                          std::shared_ptr<client::WatchSink> sink) {
  STEAD_TRY(selection, Selection::make(call));
  const client::Request& request = call.request;
  const std::string& text = request.resource_version;
  if (text.size() > 18 || text.find_first_not_of("0123456789") != std::string::npos) {
    return make_error(Reason::kBadRequest,
                      fmt::format("resourceVersion: Invalid value: \"{}\": must be a number", text));
  }
  int64_t revision = text.empty() ? 0 : std::stoll(text);
  if (request.send_initial_events && request.resource_version_match != "NotOlderThan") {
    return bad_match("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  }
  if (!request.send_initial_events && !request.resource_version_match.empty()) {
    return bad_match("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
  }
  if (revision > cache.revision()) {
    Error error = make_error(Reason::kTimeout,
                             fmt::format("Too large resource version: {}, current: {}", revision, cache.revision()));
    error.causes.push_back({"ResourceVersionTooLarge", "Too large resource version", ""});
    error.retry_after_seconds = 1;
    return error;
  }
  bool from_state = revision == 0 || request.send_initial_events;
  std::shared_ptr<WatchSession> session(new WatchSession(cache, std::move(selection), std::move(sink)));
  cache::Snapshot snapshot = cache.snapshot(call.resource_path());
  STEAD_TRY(subscription, cache.subscribe(call.resource_path(), from_state ? snapshot.revision : revision, session,
                                          session->selection_.field_key()));
  session->subscription_ = std::move(subscription);
  if (from_state) {
    std::vector<WatchEvent> events = initial_events(snapshot, session->selection_);
    if (request.send_initial_events && request.allow_watch_bookmarks) {
      events.push_back({WatchEvent::Type::kBookmark, nullptr, snapshot.revision, true});
    }
    if (!events.empty()) session->sink_->on_events(std::move(events));
  }
  return session;
}

void WatchSession::stop() {
  subscription_.reset();
  sink_.reset();
}

void WatchSession::bookmark() {
  if (sink_) sink_->on_events({{WatchEvent::Type::kBookmark, nullptr, cache_.revision()}});
}

void WatchSession::on_changes(const std::vector<cache::Change>& changes) {
  if (!sink_) return;
  std::vector<WatchEvent> events;
  for (const cache::Change& change : changes) {
    bool before = change.before && selection_.matches(*change.before);
    bool after = change.after && selection_.matches(*change.after);
    if (after) {
      events.push_back(
          {before ? WatchEvent::Type::kModified : WatchEvent::Type::kAdded, change.after, change.revision});
    } else if (before) {
      // One that left the selection is shown as it is now, a deleted one as it was last.
      events.push_back({WatchEvent::Type::kDeleted, change.after ? change.after : change.last, change.revision});
    }
  }
  if (!events.empty()) sink_->on_events(std::move(events));
}

void WatchSession::on_end(Error error) {
  auto sink = std::move(sink_);
  if (sink) sink->on_end(std::move(error));
}

}  // namespace stead::apiserver
