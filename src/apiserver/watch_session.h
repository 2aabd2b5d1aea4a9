#pragma once

// One watch: a Selection over a resource's changes, translated to ADDED, MODIFIED and DELETED as the selection sees
// them (an object that stops matching is DELETED to this watcher). API loop only.
//
//   initial state (from "0" or unset) ──▶ [bookmark initial-events-end] ──▶ changes ──▶ ended

#include <memory>

#include "apiserver/call.h"
#include "apiserver/selection.h"
#include "cache/cache.h"

namespace stead::apiserver {

class WatchSession final : public cache::ChangeSink, public std::enable_shared_from_this<WatchSession> {
 public:
  // Begins to deliver to `sink` before it returns. Errors of the request are returned, later ones go to on_end().
  static Result<std::shared_ptr<WatchSession>> start(cache::Cache& cache, const Call& call,
                                                     std::shared_ptr<client::WatchSink> sink);

  // No further event reaches the sink.
  void stop();
  // Sends a bookmark with the cache's revision, so that the client's next watch starts from there.
  void bookmark();

  void on_changes(const std::vector<cache::Change>& changes) override;
  void on_end(Error error) override;

 private:
  WatchSession(cache::Cache& cache, Selection selection, std::shared_ptr<client::WatchSink> sink)
      : cache_(cache), selection_(std::move(selection)), sink_(std::move(sink)) {}

  cache::Cache& cache_;
  Selection selection_;
  std::shared_ptr<client::WatchSink> sink_;
  std::unique_ptr<cache::Subscription> subscription_;
};

}  // namespace stead::apiserver
