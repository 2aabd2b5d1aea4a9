#include "store/watch_set.h"

#include <algorithm>

namespace stead::store {

bool WatchChannel::wants(const WatchEvent& event) const {
  return event.entry.mod_revision > after_revision_ && event.entry.key.starts_with(prefix_);
}

void WatchChannel::deliver(std::vector<WatchEvent> events) {
  std::lock_guard lock(mutex_);
  std::shared_ptr<WatchSink> sink = sink_;  // keeps it alive while it closes its own watch
  if (sink && !events.empty()) sink->on_events(std::move(events));
}

void WatchChannel::end(const Error& error) {
  std::lock_guard lock(mutex_);
  std::shared_ptr<WatchSink> sink = std::move(sink_);
  sink_.reset();
  if (sink) sink->on_end(error);
}

void WatchChannel::close() {
  std::lock_guard lock(mutex_);
  sink_.reset();
}

bool WatchChannel::closed() {
  std::lock_guard lock(mutex_);
  return !sink_;
}

namespace {

class WatchHandle final : public Watch {
 public:
  explicit WatchHandle(std::shared_ptr<WatchChannel> channel) : channel_(std::move(channel)) {}
  ~WatchHandle() override { channel_->close(); }

 private:
  std::shared_ptr<WatchChannel> channel_;
};

}  // namespace

std::unique_ptr<Watch> make_watch(std::shared_ptr<WatchChannel> channel) {
  return std::make_unique<WatchHandle>(std::move(channel));
}

void WatchSet::deliver(std::vector<WatchEvent> events) {
  std::erase_if(channels_, [](const auto& channel) { return channel->closed(); });
  if (events.empty()) return;
  for (size_t index = 0; index < channels_.size(); ++index) {
    WatchChannel& channel = *channels_[index];
    auto wanted = [&](const WatchEvent& event) { return channel.wants(event); };
    bool last = index + 1 == channels_.size();
    if (last && std::all_of(events.begin(), events.end(), wanted)) {
      channel.deliver(std::move(events));
      return;
    }
    std::vector<WatchEvent> selected;
    std::copy_if(events.begin(), events.end(), std::back_inserter(selected), wanted);
    channel.deliver(std::move(selected));
  }
}

void WatchSet::end_all(const Error& error) {
  for (const auto& channel : std::exchange(channels_, {})) channel->end(error);
}

}  // namespace stead::store
