#include "apiserver/watch_session.h"

#include <fmt/format.h>

#include <algorithm>

#include "object/field_error.h"

namespace stead::apiserver {
namespace {

using client::WatchEvent;

constexpr size_t kChangesWaitingMax = 20'000;

std::vector<cache::Change> initial_changes(const cache::Snapshot& snapshot, const Selection& selection) {
  std::vector<cache::Change> changes;
  std::string prefix = selection.key_prefix();
  snapshot.objects.visit_prefix(prefix, [&](const std::string&, const object::ObjectPtr& object) {
    if (selection.needs_conversion() || selection.matches(*object)) {
      changes.push_back({object->revision(), nullptr, object, nullptr});
    }
    return true;
  });
  return changes;
}

Error bad_match(std::string_view why) {
  object::FieldErrors errors;
  errors.forbidden(object::Path("resourceVersionMatch"), why);
  return errors.to_error("meta.k8s.io", "ListOptions", "");
}

}  // namespace

Result<std::shared_ptr<WatchSession>> WatchSession::start(cache::Cache& cache, Converter& converter, const Call& call,
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
  std::shared_ptr<WatchSession> session(
      new WatchSession(cache, converter, call, std::move(selection), std::move(sink)));
  cache::Snapshot snapshot = cache.snapshot(call.resource_path());
  STEAD_TRY(subscription, cache.subscribe(call.resource_path(), from_state ? snapshot.revision : revision, session,
                                          session->selection_.field_key()));
  session->subscription_ = std::move(subscription);
  if (from_state) {
    session->take({initial_changes(snapshot, session->selection_), {}});
    if (request.send_initial_events && request.allow_watch_bookmarks) {
      session->take({{}, WatchEvent{WatchEvent::Type::kBookmark, nullptr, snapshot.revision, true}});
    }
  }
  return session;
}

void WatchSession::stop() {
  subscription_.reset();
  steps_.clear();
  sink_.reset();
}

void WatchSession::bookmark() { take({{}, WatchEvent{WatchEvent::Type::kBookmark, nullptr, cache_.revision()}}); }

void WatchSession::on_changes(const std::vector<cache::Change>& changes) {
  auto concerned = [&](const object::ObjectPtr& object) {
    return object && Converter::concerns(*custom_, api_version_, *object);
  };
  const bool as_it_is = !custom_ || std::none_of(changes.begin(), changes.end(), [&](const cache::Change& change) {
    return concerned(change.before) || concerned(change.after) || concerned(change.last);
  });
  if (as_it_is && !busy_) return deliver(changes);
  take({changes, {}});
}

void WatchSession::take(Step step) {
  if (!sink_) return;
  if (!steps_.empty()) changes_waiting_ += step.changes.size();
  steps_.push_back(std::move(step));
  if (changes_waiting_ > kChangesWaitingMax) {
    subscription_.reset();
    steps_.clear();
    return on_end(make_error(Reason::kExpired, "too many changes wait for their conversion"));
  }
  next();
}

void WatchSession::next() {
  if (busy_) return;
  busy_ = true;
  while (sink_ && !steps_.empty()) {
    auto step = std::make_shared<Step>(std::move(steps_.front()));
    steps_.pop_front();
    changes_waiting_ -= std::min(changes_waiting_, step->changes.size());
    if (custom_ && !convert(step)) return;
    deliver(step->changes);
    if (step->bookmark && sink_) sink_->on_events({*step->bookmark});
  }
  busy_ = false;
}

bool WatchSession::convert(const std::shared_ptr<Step>& step) {
  const bool with_before = !selection_.everything();
  std::vector<object::ObjectPtr> objects;
  objects.reserve(step->changes.size() * 3);
  for (const cache::Change& change : step->changes) {
    objects.insert(objects.end(), {with_before ? change.before : nullptr, change.after, change.last});
  }
  auto at_once = std::make_shared<std::optional<bool>>();  // false: it takes its time
  converter_.convert(
      custom_, api_version_, std::move(objects),
      [weak = weak_from_this(), step, at_once, with_before](Result<std::vector<object::ObjectPtr>> shown) {
        auto self = weak.lock();
        if (!self) return;
        if (!shown.ok()) {
          self->subscription_.reset();
          self->steps_.clear();
          self->on_end(shown.error());
        } else {
          for (size_t i = 0; i < step->changes.size(); ++i) {
            cache::Change& change = step->changes[i];
            if (with_before) change.before = (*shown)[3 * i];
            change.after = (*shown)[3 * i + 1];
            change.last = (*shown)[3 * i + 2];
          }
        }
        if (!at_once->has_value()) {
          *at_once = true;
          return;
        }
        self->deliver(step->changes);
        self->busy_ = false;
        self->next();
      });
  if (at_once->has_value()) return true;
  *at_once = false;
  return false;
}

void WatchSession::deliver(const std::vector<cache::Change>& changes) {
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
