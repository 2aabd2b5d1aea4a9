#include "apiserver/front_end/write_gate.h"

namespace stead::apiserver {

bool WriteGate::enter(const std::string& user, std::function<void()> start) {
  if (under_way_ < limits_.under_way_max && waiting_ == 0) {
    ++under_way_;
    start();
    return true;
  }
  auto found = queues_.find(user);
  size_t own = found == queues_.end() ? 0 : found->second.size();
  if (own >= limits_.waiting_per_user_max || waiting_ >= limits_.waiting_max) return false;
  queues_[user].push_back(std::move(start));
  ++waiting_;
  return true;
}

void WriteGate::leave() {
  --under_way_;
  // A write that ends at once comes back here from inside the loop, which goes on with the next.
  if (draining_) return;
  draining_ = true;
  while (under_way_ < limits_.under_way_max && waiting_ > 0) {
    auto next = queues_.upper_bound(last_user_);
    if (next == queues_.end()) next = queues_.begin();
    last_user_ = next->first;
    auto start = std::move(next->second.front());
    next->second.pop_front();
    if (next->second.empty()) queues_.erase(next);
    --waiting_;
    ++under_way_;
    start();
  }
  draining_ = false;
}

}  // namespace stead::apiserver
