#include "http/http2_session.h"

#include <algorithm>

#include "http/exchange.h"
#include "http/relay.h"
#include "http/target.h"

namespace stead::http {
namespace {

constexpr size_t kReadTurnBytes = 256 * 1024;  // per turn of the loop: others want theirs
constexpr size_t kWriteBytes = 64 * 1024;      // what is coalesced into one write: four TLS records
constexpr size_t kWriteTurnBytes = 512 * 1024;
// How long a connection that we have ended is read on: closing it at once could destroy an answer in flight.
constexpr std::chrono::seconds kLinger{1};

Http2Limits limits_of(const ServerOptions& options) {
  return {options.header_bytes_max, options.body_bytes_max, options.streams_max};
}

}  // namespace

Http2Session::Http2Session(std::shared_ptr<ServerState> server, ConnectionPtr connection, std::string remote_address,
                           std::optional<Peer> peer)
    : server_(std::move(server)),
      connection_(std::move(connection)),
      remote_address_(std::move(remote_address)),
      peer_(std::move(peer)),
      protocol_(limits_of(server_->options), server_->loop),
      moved_(server_->loop.now()) {}

void Http2Session::begin() {
  set_tick();
  pump();
}

void Http2Session::close(bool tell) {
  if (phase_ == Phase::kClosed) return;
  auto self = shared_from_this();
  phase_ = Phase::kClosed;
  server_->loop.cancel(timer_);
  connection_->close();
  server_->remove(std::shared_ptr<ServerSession>(self));
  // Moved out first: a callback may hold the exchange, whose end comes back here.
  auto answers = std::exchange(answers_, {});
  for (auto& [serial, unfinished] : answers) {
    if (tell && unfinished.closed) unfinished.closed();
  }
}

void Http2Session::shut_down() {
  if (phase_ != Phase::kOpen) return;
  protocol_.shut_down();
  std::vector<uint64_t> streaming;
  for (const auto& [serial, unfinished] : answers_) {
    if (unfinished.started) streaming.push_back(serial);
  }
  for (uint64_t serial : streaming) {
    Answer* unfinished = answer(serial);
    if (unfinished == nullptr) continue;
    auto closed = std::exchange(unfinished->closed, nullptr);
    finish(serial);
    if (closed) closed();
  }
  pump_later();
}

// ---- turns ----

void Http2Session::pump() {
  if (phase_ == Phase::kClosed) return;
  if (pumping_) {
    pump_again_ = true;
    return;
  }
  pumping_ = true;
  auto self = shared_from_this();
  do {
    pump_again_ = false;
    if (!flush()) break;
    receive();
    handle_events();
  } while (pump_again_ && phase_ != Phase::kClosed);
  pumping_ = false;
}

// Handlers answer at any time, from inside each other's turns; what they say leaves in a turn of its own, so that
// frames of many streams travel together.
void Http2Session::pump_later() {
  if (pumping_) {
    pump_again_ = true;
  } else if (!pump_posted_) {
    pump_posted_ = true;
    server_->loop.post([self = shared_from_this()] {
      self->pump_posted_ = false;
      self->pump();
    });
  }
}

void Http2Session::wait(Io want) {
  connection_->when_ready(want, [self = shared_from_this()] { self->pump(); });
}

// False if the connection is closed.
bool Http2Session::flush() {
  write_blocked_ = false;
  for (size_t written = 0;;) {
    if (out_at_ == out_.size()) {
      out_.clear();
      out_at_ = 0;
      if (!protocol_.send(out_, kWriteBytes)) {
        close(true);
        return false;
      }
    }
    if (out_.empty()) break;
    IoResult result = connection_->channel.write(out_.data() + out_at_, out_.size() - out_at_);
    if (result.state == Io::kDone) {
      moved_ = server_->loop.now();
      out_at_ += result.bytes;
      written += result.bytes;
      if (written < kWriteTurnBytes) continue;
      result.state = Io::kWantWrite;  // others want their turn
    }
    if (result.state != Io::kWantRead && result.state != Io::kWantWrite) {
      close(true);
      return false;
    }
    write_blocked_ = true;
    wait(result.state);
    return true;
  }
  if (out_.capacity() > 4096) out_ = std::string();
  if (phase_ == Phase::kOpen && protocol_.is_over()) {
    phase_ = Phase::kLingering;
    connection_->channel.shut_down();
    server_->loop.cancel(timer_);
    timer_ = server_->loop.call_after(kLinger, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->close(true);
    });
  }
  return true;
}

void Http2Session::receive() {
  auto& scratch = server_->scratch;
  for (size_t taken = 0;;) {
    if (taken >= kReadTurnBytes) return pump_later();
    // What has been received asks for answers, acknowledgements and more room: they go out before more is read.
    if (taken > 0 && write_blocked_) return;
    IoResult result = connection_->channel.read(scratch.data(), scratch.size());
    if (result.state == Io::kWantRead || result.state == Io::kWantWrite) {
      wait(result.state);
      break;
    }
    if (result.state != Io::kDone) return close(true);
    taken += result.bytes;
    moved_ = server_->loop.now();
    if (phase_ == Phase::kOpen && !protocol_.receive({scratch.data(), result.bytes})) return close(true);
    pump_again_ = true;
  }
}

void Http2Session::handle_events() {
  for (Http2Protocol::Event& event : protocol_.take_events()) {
    if (phase_ == Phase::kClosed) return;
    switch (event.kind) {
      case Http2Protocol::Event::Kind::kRequest:
        dispatch(event.stream, std::move(event.request));
        break;
      case Http2Protocol::Event::Kind::kDrained:
        if (Answer* unfinished = answer(static_cast<uint64_t>(event.stream)); unfinished && unfinished->drained) {
          auto drained = unfinished->drained;
          drained();
        }
        break;
      case Http2Protocol::Event::Kind::kGone:
        answer_gone(event.stream);
        break;
    }
  }
}

void Http2Session::dispatch(int32_t stream, Request request) {
  auto serial = static_cast<uint64_t>(stream);
  answers_.try_emplace(serial);
  request.peer = peer_;
  request.remote_address = remote_address_;
  if (!parse_target(request)) return respond(serial, Response::text(400, "400 Bad Request\n"));
  // Holding no reference here: an exchange that the handler drops is answered by its destructor.
  server_->handler(std::make_shared<SessionExchange>(server_->loop, weak_from_this(), serial, std::move(request)));
}

void Http2Session::answer_gone(int32_t stream) {
  auto found = answers_.extract(static_cast<uint64_t>(stream));
  if (!found.empty() && found.mapped().closed) found.mapped().closed();
}

// ---- answers ----

Http2Session::Answer* Http2Session::answer(uint64_t serial) {
  auto found = answers_.find(serial);
  return found == answers_.end() ? nullptr : &found->second;
}

bool Http2Session::in_progress(uint64_t serial) const {
  auto found = answers_.find(serial);
  return found != answers_.end() && !found->second.upstream.pending;
}

void Http2Session::respond(uint64_t serial, Response response) {
  if (!in_progress(serial) || answer(serial)->started) return;
  // Kept until it has run: its callbacks may own the caller.
  auto finished = answers_.extract(serial);
  protocol_.respond(static_cast<int32_t>(serial), std::move(response));
  pump_later();
}

void Http2Session::start(uint64_t serial, int status, const Headers& headers) {
  if (!in_progress(serial) || answer(serial)->started) return;
  answer(serial)->started = true;
  protocol_.start(static_cast<int32_t>(serial), status, headers);
  pump_later();
}

void Http2Session::write(uint64_t serial, Bytes chunk) {
  if (!in_progress(serial)) return;
  protocol_.write(static_cast<int32_t>(serial), std::move(chunk));
  pump_later();
}

void Http2Session::finish(uint64_t serial) {
  if (!in_progress(serial) || !answer(serial)->started) return;
  auto finished = answers_.extract(serial);
  protocol_.finish(static_cast<int32_t>(serial));
  pump_later();
}

size_t Http2Session::queued_bytes(uint64_t serial) const {
  return in_progress(serial) ? protocol_.queued_bytes(static_cast<int32_t>(serial)) : 0;
}

void Http2Session::on_close(uint64_t serial, std::function<void()> closed) {
  if (in_progress(serial)) answer(serial)->closed = std::move(closed);
}

void Http2Session::on_drain(uint64_t serial, std::function<void()> drained) {
  if (in_progress(serial)) answer(serial)->drained = std::move(drained);
}

void Http2Session::abandoned(uint64_t serial) {
  if (!in_progress(serial)) return;
  if (!answer(serial)->started) return respond(serial, Response::text(500, "500 Internal Server Error\n"));
  auto finished = answers_.extract(serial);
  protocol_.cut_short(static_cast<int32_t>(serial));
  pump_later();
}

void Http2Session::relay(uint64_t serial, const Request& request, const Upstream& upstream, const std::string& target) {
  if (!in_progress(serial) || answer(serial)->started) return;
  UpstreamCall::Events events = pass_on(*this, serial, upstream, [this, serial] {
    Answer* at = answer(serial);
    return at ? &at->upstream : nullptr;
  });
  events.switched = [this, serial](const ConnectionPtr&, const std::string&) {
    auto call = std::move(answer(serial)->upstream.pending);
    respond(serial, Response::text(502, "a connection of HTTP/2 cannot be upgraded: use HTTP/1.1\n"));
  };
  // The session owns the call and outlives its callbacks.
  answer(serial)->upstream.pending = call_upstream(server_->loop, request, upstream, target, std::move(events));
}

void Http2Session::join(uint64_t serial, const Request&, const Upstream&, const std::string&, Headers,
                        Exchange::Joined) {
  respond(serial, Response::text(400, "a connection of HTTP/2 cannot be upgraded: use HTTP/1.1\n"));
}

// ---- time ----

void Http2Session::set_tick() {
  timer_ = server_->loop.call_after(Duration(server_->options.idle_timeout) / 4, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->tick();
  });
}

void Http2Session::tick() {
  if (phase_ != Phase::kOpen) return;
  set_tick();
  Instant since = server_->loop.now() - server_->options.idle_timeout;
  if (moved_ < since && write_blocked_) return close(true);
  if (moved_ < since && protocol_.streams() == 0) protocol_.shut_down();
  protocol_.reset_stalled(since);
  pump_later();
}

}  // namespace stead::http
