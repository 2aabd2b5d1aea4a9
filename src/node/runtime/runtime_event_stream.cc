#include "node/runtime/runtime_event_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "base/log.h"
#include "containerd_event_types.pb.h"
#include "containerd_events.grpc.pb.h"
#include "cri.grpc.pb.h"
#include "node/runtime/grpc_connection.h"

namespace stead::node {

namespace {

using std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;
namespace events = containerd::services::events::v1;

constexpr milliseconds kBackoffMin{20};
constexpr milliseconds kBackoffMax{1000};
constexpr milliseconds kSettleFirst{1};
constexpr milliseconds kSettleMax{64};
constexpr milliseconds kSettleLimit{2000};
constexpr milliseconds kTick{1000};
// More exits than this at once become one "look at everything".
constexpr size_t kPendingMax = 4096;

struct Subject {
  std::string id;
  bool ended = false;  // CRI has yet to record it
};

struct Pending {
  Subject subject;
  SteadyTime since;
  SteadyTime due;
  milliseconds wait = kSettleFirst;
};

// The container that an event says something about; nullopt for what does not concern us.
std::optional<Subject> subject_of(const events::Envelope& envelope) {
  const std::string& payload = envelope.event().value();
  if (envelope.topic() == "/tasks/exit") {
    containerd::events::TaskExit exit;
    // Processes of an exec have an id of their own.
    if (!exit.ParseFromString(payload) || exit.id() != exit.container_id()) return std::nullopt;
    return Subject{exit.container_id(), true};
  }
  if (envelope.topic() == "/tasks/oom") {
    containerd::events::TaskOOM oom;
    if (!oom.ParseFromString(payload)) return std::nullopt;
    return Subject{oom.container_id()};
  }
  if (envelope.topic() == "/containers/delete") {
    containerd::events::ContainerDelete removed;
    if (!removed.ParseFromString(payload)) return std::nullopt;
    return Subject{removed.id()};
  }
  return std::nullopt;
}

class EventFollower {
 public:
  EventFollower(std::shared_ptr<grpc::Channel> channel, RuntimeEventHooks hooks)
      : channel_(std::move(channel)),
        hooks_(std::move(hooks)),
        reader_([this] { read_until_ended(); }),
        teller_([this] { tell_until_ended(); }) {}

  ~EventFollower() {
    {
      std::lock_guard lock(mutex_);
      ended_ = true;
      if (context_ != nullptr) context_->TryCancel();
    }
    wake_reader_.notify_all();
    wake_teller_.notify_all();
    reader_.join();
    teller_.join();
  }

 private:
  enum class Source : uint8_t { kContainerd, kCri, kTick };

  void read_until_ended() {
    Source source = Source::kContainerd;
    milliseconds backoff = kBackoffMin;
    while (!ended()) {
      if (source == Source::kTick) {
        push_everything();
        if (wait_for_end(kTick)) return;
        continue;
      }
      bool heard = false;
      const grpc::Status status = source == Source::kContainerd ? read_containerd(heard) : read_cri(heard);
      if (ended()) return;
      if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
        source = source == Source::kContainerd ? Source::kCri : Source::kTick;
        continue;
      }
      if (heard) backoff = kBackoffMin;
      log::debug("runtime", "event stream ended: {}; again in {} ms", status.error_message(), backoff.count());
      if (wait_for_end(backoff)) return;
      backoff = std::min(backoff * 2, kBackoffMax);
    }
  }

  grpc::Status read_containerd(bool& heard) {
    grpc::ClientContext context;
    context.AddMetadata(kContainerdNamespaceHeader, kContainerdNamespace);
    events::SubscribeRequest request;
    for (const char* topic : {"/tasks/exit", "/tasks/oom", "/containers/delete"}) {
      request.add_filters(fmt::format(R"(namespace=="{}",topic=="{}")", kContainerdNamespace, topic));
    }
    auto stub = events::Events::NewStub(channel_);
    return read_stream<events::Envelope>(context, stub->Subscribe(&context, request), heard,
                                         [this](const events::Envelope& envelope) {
                                           if (auto subject = subject_of(envelope)) push(*subject);
                                         });
  }

  grpc::Status read_cri(bool& heard) {
    grpc::ClientContext context;
    auto stub = runtime::v1::RuntimeService::NewStub(channel_);
    return read_stream<runtime::v1::ContainerEventResponse>(
        context, stub->GetContainerEvents(&context, {}), heard,
        [this](const runtime::v1::ContainerEventResponse& event) { push({event.container_id()}); });
  }

  template <class Message, class Handle>
  grpc::Status read_stream(grpc::ClientContext& context, std::unique_ptr<grpc::ClientReader<Message>> reader,
                           bool& heard, Handle handle) {
    {
      std::lock_guard lock(mutex_);
      if (ended_) context.TryCancel();
      context_ = &context;
    }
    // The connection is up; containerd sends headers only with its first event, so nothing else says so. What
    // happens between this and the server's subscription is caught by the listing that the empty event asks for:
    // both are handled on the server in the order of one HTTP/2 connection.
    if (channel_->WaitForConnected(std::chrono::system_clock::now() + kBackoffMax)) {
      heard = true;
      push_everything();
    }
    Message message;
    while (reader->Read(&message)) handle(message);
    const grpc::Status status = reader->Finish();
    std::lock_guard lock(mutex_);
    context_ = nullptr;
    return status;
  }

  void push(const Subject& subject) {
    std::lock_guard lock(mutex_);
    if (pending_.size() >= kPendingMax) {
      pending_.clear();
      everything_ = true;
    } else {
      const SteadyTime now = std::chrono::steady_clock::now();
      pending_.push_back({subject, now, now});
    }
    wake_teller_.notify_one();
  }

  void push_everything() {
    std::lock_guard lock(mutex_);
    everything_ = true;
    wake_teller_.notify_one();
  }

  void tell_until_ended() {
    std::unique_lock lock(mutex_);
    while (!ended_) {
      if (std::exchange(everything_, false)) {
        lock.unlock();
        hooks_.handler({});
        lock.lock();
        continue;
      }
      auto next = std::min_element(pending_.begin(), pending_.end(),
                                   [](const Pending& a, const Pending& b) { return a.due < b.due; });
      if (next == pending_.end()) {
        wake_teller_.wait(lock);
        continue;
      }
      const SteadyTime now = std::chrono::steady_clock::now();
      if (next->due > now) {
        wake_teller_.wait_until(lock, SteadyTime(next->due));
        continue;
      }
      Pending exit = std::move(*next);
      pending_.erase(next);
      lock.unlock();
      const bool told = tell_when_settled(exit, now);
      lock.lock();
      if (!told) pending_.push_back(std::move(exit));
    }
  }

  bool tell_when_settled(Pending& exit, SteadyTime now) {
    const RuntimeEvent event = hooks_.resolve(exit.subject.id);
    if (!exit.subject.ended || hooks_.settled(exit.subject.id) || now - exit.since > kSettleLimit) {
      hooks_.handler(event);
      return true;
    }
    exit.due = now + exit.wait;
    exit.wait = std::min(exit.wait * 2, kSettleMax);
    return false;
  }

  bool ended() {
    std::lock_guard lock(mutex_);
    return ended_;
  }

  bool wait_for_end(milliseconds span) {
    std::unique_lock lock(mutex_);
    return wake_reader_.wait_for(lock, span, [this] { return ended_; });
  }

  const std::shared_ptr<grpc::Channel> channel_;
  const RuntimeEventHooks hooks_;
  std::mutex mutex_;
  std::condition_variable wake_reader_;
  std::condition_variable wake_teller_;
  bool ended_ = false;
  bool everything_ = false;
  std::deque<Pending> pending_;
  grpc::ClientContext* context_ = nullptr;
  std::thread reader_;  // last: they use everything above
  std::thread teller_;
};

}  // namespace

std::shared_ptr<void> follow_runtime_events(std::shared_ptr<grpc::Channel> channel, RuntimeEventHooks hooks) {
  return std::make_shared<EventFollower>(std::move(channel), std::move(hooks));
}

}  // namespace stead::node
