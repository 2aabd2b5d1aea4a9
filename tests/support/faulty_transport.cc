#include "support/faulty_transport.h"

#include <deque>

namespace stead {
namespace {

using client::Callback;
using client::Request;
using client::Response;
using client::Value;
using client::Verb;
using client::WatchEvent;

struct Chance {
  Random& random;
  const ApiFaults& faults;

  bool hits(uint64_t in_a_thousand) const { return in_a_thousand > 0 && random.below(1000) < in_a_thousand; }
  Duration delay() const { return Duration(random.below(static_cast<uint64_t>(faults.delay_max.count())) + 1); }
};

constexpr Duration kHeldLook = std::chrono::seconds(1);

Error unreachable() { return make_error(Reason::kUnavailable, "the server cannot be reached (simulated)"); }

// Events pass through a queue, so that a late one holds back those behind it.
class FaultySink final : public client::WatchSink, public std::enable_shared_from_this<FaultySink> {
 public:
  FaultySink(loop::Loop& loop, Chance chance, std::shared_ptr<client::WatchSink> target)
      : loop_(loop), chance_(chance), target_(std::move(target)) {}

  void on_events(std::vector<WatchEvent> events) override {
    add([events = std::move(events)](client::WatchSink& target) { target.on_events(events); });
  }
  void on_end(Error error) override {
    add([error = std::move(error)](client::WatchSink& target) { target.on_end(error); });
  }
  void close() { target_.reset(); }

 private:
  using Delivery = std::function<void(client::WatchSink&)>;

  void add(Delivery delivery) {
    queue_.push_back(std::move(delivery));
    if (queue_.size() == 1) next();
  }

  void next() {
    if (chance_.faults.hold_events) {
      return (void)loop_.call_after(kHeldLook, [self = shared_from_this()] {
        if (self->target_) self->next();
      });
    }
    if (!chance_.hits(chance_.faults.delay)) return deliver();
    loop_.call_after(chance_.delay(), [self = shared_from_this()] { self->deliver(); });
  }

  void deliver() {
    auto target = target_;
    if (!target) return;
    Delivery delivery = queue_.front();
    delivery(*target);
    queue_.pop_front();
    if (target_ && chance_.hits(chance_.faults.break_watch)) {
      bool expired = chance_.random.below(3) == 0;
      target_.reset();
      return target->on_end(expired ? make_error(Reason::kExpired, "too old resource version (simulated)")
                                    : unreachable());
    }
    if (!queue_.empty()) next();
  }

  loop::Loop& loop_;
  Chance chance_;
  std::shared_ptr<client::WatchSink> target_;
  std::deque<Delivery> queue_;
};

class FaultyWatch final : public client::Watch {
 public:
  FaultyWatch(std::shared_ptr<FaultySink> sink, std::unique_ptr<client::Watch> inner)
      : sink_(std::move(sink)), inner_(std::move(inner)) {}
  ~FaultyWatch() override { sink_->close(); }

 private:
  std::shared_ptr<FaultySink> sink_;
  std::unique_ptr<client::Watch> inner_;
};

class FaultyTransport final : public client::ApiTransport {
 public:
  FaultyTransport(std::unique_ptr<client::ApiTransport> inner, loop::Loop& loop, Chance chance)
      : inner_(std::move(inner)), loop_(loop), chance_(chance) {}

  void call(Request request, Callback done) override {
    const ApiFaults& faults = chance_.faults;
    if (chance_.hits(faults.lose_request)) return answer(unreachable(), std::move(done));
    bool writes = request.verb == Verb::kUpdate || request.verb == Verb::kPatch;
    if (writes && chance_.hits(faults.conflict)) annotate(request);
    if (chance_.hits(faults.repeat_request)) inner_->call(request, [](const Result<Response>&) {});
    bool lost = chance_.hits(faults.lose_answer);
    inner_->call(std::move(request), [this, lost, done = std::move(done)](Result<Response> response) {
      answer(lost ? Result<Response>(unreachable()) : std::move(response), done);
    });
  }

  std::unique_ptr<client::Watch> watch(Request request, std::shared_ptr<client::WatchSink> sink) override {
    auto faulty = std::make_shared<FaultySink>(loop_, chance_, std::move(sink));
    return std::make_unique<FaultyWatch>(faulty, inner_->watch(std::move(request), faulty));
  }

 private:
  // A conflict without a change would be a lie: who loses is told of it by an event.
  void annotate(const Request& request) {
    Request touch;
    touch.verb = Verb::kPatch;
    touch.group = request.group;
    touch.resource = request.resource;
    touch.ns = request.ns;
    touch.name = request.name;
    Value annotations = Value::object({{"simulation/touched", std::to_string(chance_.random.next_u64())}});
    touch.body = Value::object({{"metadata", Value::object({{"annotations", std::move(annotations)}})}});
    inner_->call(std::move(touch), [](const Result<Response>&) {});
  }

  void answer(Result<Response> response, Callback done) {
    auto tell = [done = std::move(done), response = std::move(response)] { done(response); };
    if (!chance_.hits(chance_.faults.delay)) return loop_.post(std::move(tell));
    loop_.call_after(chance_.delay(), std::move(tell));
  }

  std::unique_ptr<client::ApiTransport> inner_;
  loop::Loop& loop_;
  Chance chance_;
};

}  // namespace

ApiFaults ApiFaults::some() {
  ApiFaults faults;
  faults.lose_request = 20;
  faults.lose_answer = 20;
  faults.repeat_request = 10;
  faults.conflict = 30;
  faults.delay = 100;
  faults.break_watch = 10;
  return faults;
}

std::unique_ptr<client::ApiTransport> make_faulty_transport(std::unique_ptr<client::ApiTransport> inner,
                                                            loop::Loop& loop, Random& random, const ApiFaults& faults) {
  return std::make_unique<FaultyTransport>(std::move(inner), loop, Chance{random, faults});
}

}  // namespace stead
