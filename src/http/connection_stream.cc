#include "http/connection_stream.h"

namespace stead::http {
namespace {

constexpr std::chrono::seconds kEndTimeout{5};
constexpr size_t kTurnBytes = 256 * 1024;

}  // namespace

std::shared_ptr<ConnectionStream> ConnectionStream::make(const std::shared_ptr<ServerState>& server,
                                                         ConnectionPtr connection, std::string received) {
  std::shared_ptr<ConnectionStream> made(new ConnectionStream(server, std::move(connection), std::move(received)));
  server->upgraded.insert(made);
  return made;
}

void ConnectionStream::begin(Events events) {
  events_ = std::move(events);
  begun_ = true;
  pump_later();
}

void ConnectionStream::write(std::string bytes) {
  if (closed_ || ending_) return;
  if (out_at_ > 0) {
    out_.erase(0, out_at_);
    out_at_ = 0;
  }
  out_.append(bytes);
  pump_later();
}

void ConnectionStream::pause(bool paused) {
  if (paused_ == paused) return;
  paused_ = paused;
  if (!paused_) pump_later();
}

void ConnectionStream::end() {
  if (closed_ || ending_) return;
  ending_ = true;
  timer_ = server_->loop.call_after(kEndTimeout, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->close();
  });
  pump_later();
}

void ConnectionStream::close() {
  if (closed_) return;
  closed_ = true;
  auto self = shared_from_this();
  server_->loop.cancel(timer_);
  connection_->close();
  server_->remove(std::shared_ptr<Upgraded>(self));
  // Later: one of them may be running, and owns the caller.
  server_->loop.post([events = std::make_shared<Events>(std::move(events_))] {});
  events_ = {};
}

void ConnectionStream::pump_later() {
  if (pump_posted_ || closed_) return;
  pump_posted_ = true;
  server_->loop.post([self = shared_from_this()] {
    self->pump_posted_ = false;
    self->pump();
  });
}

void ConnectionStream::pump() {
  if (closed_ || !flush()) return;
  if (ending_) {
    if (queued_bytes() > 0) return;
    connection_->channel.shut_down();
    // The other side's end is waited for, so that nothing on its way is destroyed by ours.
    char dropped[4096];
    for (;;) {
      IoResult result = connection_->channel.read(dropped, sizeof(dropped));
      if (result.state == Io::kWantRead || result.state == Io::kWantWrite) return wait(result.state);
      if (result.state != Io::kDone) return close();
    }
  }
  if (begun_) receive();
}

// False if the connection is lost.
bool ConnectionStream::flush() {
  bool wrote = false;
  while (out_at_ < out_.size()) {
    IoResult result = connection_->channel.write(out_.data() + out_at_, out_.size() - out_at_);
    if (result.state == Io::kWantRead || result.state == Io::kWantWrite) {
      wait(result.state);
      return true;
    }
    if (result.state != Io::kDone) {
      over();
      return false;
    }
    out_at_ += result.bytes;
    wrote = true;
  }
  out_.clear();
  out_at_ = 0;
  if (out_.capacity() > kTurnBytes) out_ = std::string();
  if (wrote && events_.drained) events_.drained();
  return !closed_;
}

void ConnectionStream::receive() {
  if (!received_.empty() && !paused_) events_.received(std::exchange(received_, {}));
  for (size_t taken = 0; !closed_ && !paused_ && !ending_ && !other_ended_;) {
    if (taken >= kTurnBytes) return pump_later();
    // A piece of its own: what takes it may let others read into the server's scratch.
    char piece[16 * 1024];
    IoResult result = connection_->channel.read(piece, sizeof(piece));
    if (result.state == Io::kWantRead || result.state == Io::kWantWrite) return wait(result.state);
    if (result.state != Io::kDone) return over();
    taken += result.bytes;
    events_.received({piece, result.bytes});
  }
}

void ConnectionStream::over() {
  if (other_ended_) return;
  other_ended_ = true;
  if (events_.ended) {
    auto ended = events_.ended;
    ended();
  } else {
    close();
  }
}

void ConnectionStream::wait(Io want) {
  connection_->when_ready(want, [self = shared_from_this()] { self->pump(); });
}

}  // namespace stead::http
