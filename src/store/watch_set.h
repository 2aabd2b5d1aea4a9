#pragma once

// The live watches of an embedded store. One thread (the store's) adds channels and delivers; a channel's owner may
// close it from any thread, also from inside its own sink.

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "store/store.h"

namespace stead::store {

// One watch: hands its sink the events that concern it until it is closed.
class WatchChannel {
 public:
  WatchChannel(std::string prefix, int64_t after_revision, std::shared_ptr<WatchSink> sink)
      : prefix_(std::move(prefix)), after_revision_(after_revision), sink_(std::move(sink)) {}

  const std::string& prefix() const { return prefix_; }
  int64_t after_revision() const { return after_revision_; }

  bool wants(const WatchEvent& event) const;
  // All of `events` must be wanted.
  void deliver(std::vector<WatchEvent> events);
  // Reports the end to the sink, once, and closes.
  void end(const Error& error);
  // No call reaches the sink once this returns.
  void close();
  bool closed();

 private:
  const std::string prefix_;
  const int64_t after_revision_;
  std::recursive_mutex mutex_;  // recursive: a sink may close its own watch
  std::shared_ptr<WatchSink> sink_;
};

// The handle a watcher holds; closes the channel when destroyed. May outlive the store.
std::unique_ptr<Watch> make_watch(std::shared_ptr<WatchChannel> channel);

class WatchSet {
 public:
  void add(std::shared_ptr<WatchChannel> channel) { channels_.push_back(std::move(channel)); }
  // Gives each channel the events it wants, in order, and forgets closed ones.
  void deliver(std::vector<WatchEvent> events);
  void end_all(const Error& error);

 private:
  std::vector<std::shared_ptr<WatchChannel>> channels_;
};

}  // namespace stead::store
