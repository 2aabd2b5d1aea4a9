#pragma once

// One watch: a Selection over a resource's changes, translated to ADDED, MODIFIED and DELETED as the selection sees
// them (an object that stops matching is DELETED to this watcher). API loop only.
//
//   initial state (from "0" or unset) ──▶ [bookmark initial-events-end] ──▶ changes ──▶ ended
//
// Custom objects are shown in the caller's version: what comes while a conversion goes on waits behind it.

#include <deque>
#include <memory>
#include <vector>

#include "apiserver/call.h"
#include "apiserver/conversion/converter.h"
#include "apiserver/selection.h"
#include "cache/cache.h"

namespace stead::apiserver {

class WatchSession final : public cache::ChangeSink, public std::enable_shared_from_this<WatchSession> {
 public:
  // Begins to deliver to `sink` before it returns. Errors of the request are returned, later ones go to on_end().
  static Result<std::shared_ptr<WatchSession>> start(cache::Cache& cache, Converter& converter, const Call& call,
                                                     std::shared_ptr<client::WatchSink> sink);

  // No further event reaches the sink.
  void stop();
  // Sends a bookmark with the cache's revision, so that the client's next watch starts from there.
  void bookmark();

  void on_changes(const std::vector<cache::Change>& changes) override;
  void on_end(Error error) override;

 private:
  WatchSession(cache::Cache& cache, Converter& converter, const Call& call, Selection selection,
               std::shared_ptr<client::WatchSink> sink)
      : cache_(cache),
        converter_(converter),
        custom_(call.custom),
        api_version_(call.version->api_version),
        selection_(std::move(selection)),
        sink_(std::move(sink)) {}
  // One after the other: changes, or a bookmark.
  struct Step {
    std::vector<cache::Change> changes;
    std::optional<client::WatchEvent> bookmark;
  };
  void take(Step step);
  void next();
  // False where that takes its time; the rest waits.
  bool convert(const std::shared_ptr<Step>& step);
  void deliver(const std::vector<cache::Change>& changes);

  cache::Cache& cache_;
  Converter& converter_;
  const std::shared_ptr<const kinds::CustomKind> custom_;
  const std::string api_version_;
  Selection selection_;
  std::shared_ptr<client::WatchSink> sink_;
  std::unique_ptr<cache::Subscription> subscription_;
  std::deque<Step> steps_;
  size_t changes_waiting_ = 0;
  bool busy_ = false;
};

}  // namespace stead::apiserver
