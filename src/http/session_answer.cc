// The way out: answers made into bytes, and bytes sent as the client takes them.

#include "http/answer_head.h"
#include "http/connection_stream.h"
#include "http/relay.h"
#include "http/session.h"

namespace stead::http {
namespace {

// What is coalesced into one write: four TLS records.
constexpr size_t kWriteBytes = 64 * 1024;
constexpr size_t kWriteTurnBytes = 512 * 1024;
// How long a connection that we have ended is read on: closing it at once could destroy an answer in flight.
constexpr std::chrono::seconds kLinger{1};

void append_header(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(header_value(value)).append("\r\n");
}

}  // namespace

bool Session::in_progress(uint64_t serial) const {
  return phase_ == Phase::kAnswering && serial == serial_ && !answer_.complete && !answer_.upstream.pending;
}

// `framing`: the header lines that say how the body ends.
std::string Session::head(int status, const Headers& headers, std::string_view framing) {
  std::string text;
  text.reserve(256);
  text.append("HTTP/1.1 ").append(std::to_string(status)).append(" ").append(reason_phrase(status)).append("\r\n");
  for (const auto& [name, value] : headers) {
    if (equal_ignoring_case(name, "Content-Length") || equal_ignoring_case(name, "Transfer-Encoding")) continue;
    if (equal_ignoring_case(name, "Connection")) {
      if (equal_ignoring_case(value, "close")) answer_.keep_alive = false;
      continue;
    }
    append_header(text, name, value);
  }
  append_header(text, "Date", date_text(server_->loop.wall_now()));
  if (!answer_.keep_alive) {
    append_header(text, "Connection", "close");
  } else if (answer_.http_1_0) {
    append_header(text, "Connection", "keep-alive");
  }
  text.append(framing).append("\r\n");
  return text;
}

void Session::respond(uint64_t serial, Response response) {
  if (!in_progress(serial) || answer_.started) return;
  answer_.started = true;
  size_t length = 0;
  for (const Bytes& piece : response.body) length += piece ? piece->size() : 0;
  bool may_have_body = status_has_body(response.status);
  std::string framing = may_have_body ? "Content-Length: " + std::to_string(length) + "\r\n" : "";
  push(head(response.status, response.headers, framing));
  if (may_have_body && !answer_.head_request) {
    for (Bytes& piece : response.body) push({}, std::move(piece));
  }
  answer_.complete = true;
  pump_later();
}

void Session::start(uint64_t serial, int status, const Headers& headers) {
  if (!in_progress(serial) || answer_.started) return;
  answer_.started = true;
  answer_.streaming = true;
  answer_.has_body = !answer_.head_request && status_has_body(status);
  if (answer_.http_1_0) answer_.keep_alive = false;
  bool chunked = !answer_.http_1_0 && status_has_body(status);
  push(head(status, headers, chunked ? "Transfer-Encoding: chunked\r\n" : ""));
  pump_later();
}

void Session::write(uint64_t serial, Bytes chunk) {
  if (!in_progress(serial) || !answer_.streaming || !answer_.has_body || !chunk || chunk->empty()) return;
  if (queue_.empty() && out_.size() - out_at_ + chunk->size() < kWriteBytes) {
    append_framed(*chunk);
  } else if (answer_.http_1_0) {
    push({}, std::move(chunk));
  } else {
    char size[24];
    snprintf(size, sizeof(size), "%zx\r\n", chunk->size());
    push(size, std::move(chunk));
    push("\r\n");
  }
  pump_later();
}

// The usual case of a stream that keeps up: small chunks share one buffer, without a queue entry each.
void Session::append_framed(std::string_view chunk) {
  if (out_at_ >= kWriteBytes) {  // a stream that never quite drains
    out_.erase(0, out_at_);
    out_at_ = 0;
  }
  size_t before = out_.size();
  if (answer_.http_1_0) {
    out_.append(chunk);
  } else {
    char size[24];
    out_.append(size, static_cast<size_t>(snprintf(size, sizeof(size), "%zx\r\n", chunk.size())));
    out_.append(chunk).append("\r\n");
  }
  queued_bytes_ += out_.size() - before;
}

void Session::finish(uint64_t serial) {
  if (!in_progress(serial) || !answer_.streaming) return;
  if (answer_.has_body && !answer_.http_1_0) push("0\r\n\r\n");
  answer_.complete = true;
  pump_later();
}

void Session::on_close(uint64_t serial, std::function<void()> closed) {
  if (in_progress(serial)) answer_.closed = std::move(closed);
}

void Session::on_drain(uint64_t serial, std::function<void()> drained) {
  if (in_progress(serial)) answer_.drained = std::move(drained);
}

void Session::abandoned(uint64_t serial) {
  if (!in_progress(serial)) return;
  // A stream cut short cannot be told from a complete one but by its missing end.
  if (answer_.started) return close(false);
  respond(serial, Response::text(500, "500 Internal Server Error\n"));
}

void Session::call(uint64_t serial, const Request& request, const Upstream& upstream, const std::string& target,
                   Switched switched) {
  if (!in_progress(serial) || answer_.started) return;
  UpstreamCall::Events events = pass_on(*this, serial, upstream, [this, serial] {
    return phase_ == Phase::kAnswering && serial == serial_ ? &answer_.upstream : nullptr;
  });
  // `switched` takes both connections out of the session, which ends with that.
  events.switched = [this, switched = std::move(switched)](ConnectionPtr connection, std::string received) {
    auto self = shared_from_this();
    auto call = std::move(answer_.upstream.pending);
    switched(std::move(connection), std::move(received));
  };
  // The session owns the call and outlives its callbacks.
  answer_.upstream.pending = call_upstream(server_->loop, request, upstream, target, std::move(events));
}

void Session::relay(uint64_t serial, const Request& request, const Upstream& upstream, const std::string& target) {
  call(serial, request, upstream, target, [this](ConnectionPtr connection, std::string received) {
    auto relay = std::make_shared<Relay>(server_, std::move(connection_), std::move(received), std::move(connection),
                                         std::move(in_));
    server_->upgraded.insert(relay);
    answer_.complete = true;
    close(false);
    relay->begin();
  });
}

void Session::join(uint64_t serial, const Request& request, const Upstream& upstream, const std::string& target,
                   Headers headers, Exchange::Joined joined) {
  call(
      serial, request, upstream, target,
      [this, headers = std::move(headers), joined = std::move(joined)](ConnectionPtr connection, std::string received) {
        std::string text = "HTTP/1.1 101 Switching Protocols\r\n";
        for (const auto& [name, value] : headers) append_header(text, name, value);
        text.append("\r\n");
        received.erase(0, received.find("\r\n\r\n") + 4);
        auto client = ConnectionStream::make(server_, std::move(connection_), std::move(in_));
        auto other = ConnectionStream::make(server_, std::move(connection), std::move(received));
        answer_.complete = true;
        close(false);
        client->write(std::move(text));
        joined(std::move(client), std::move(other));
      });
}

// ---- sending ----

void Session::push(std::string own, Bytes shared) {
  queued_bytes_ += own.size() + (shared ? shared->size() : 0);
  queue_.push_back({std::move(own), std::move(shared)});
}

// Moves queued pieces into out_ while it is short; false if there is nothing to send.
bool Session::fill() {
  if (out_at_ == out_.size()) {
    out_.clear();
    out_at_ = 0;
  }
  if (out_at_ == 0) {
    while (!queue_.empty() && out_.size() < kWriteBytes) {
      Piece& piece = queue_.front();
      out_.append(piece.own);
      piece.own.clear();
      if (piece.shared) {
        std::string_view rest = std::string_view(*piece.shared).substr(piece_at_);
        std::string_view slice = rest.substr(0, kWriteBytes - std::min(kWriteBytes, out_.size()));
        out_.append(slice);
        piece_at_ += slice.size();
        if (slice.size() < rest.size()) break;
      }
      queue_.pop_front();
      piece_at_ = 0;
    }
  }
  if (!out_.empty()) return true;
  if (out_.capacity() > 4096) out_ = std::string();
  return false;
}

// False if the connection is closed.
bool Session::flush() {
  size_t written = 0;
  while (fill()) {
    IoResult result = connection_->channel.write(out_.data() + out_at_, out_.size() - out_at_);
    if (result.state == Io::kDone) {
      out_at_ += result.bytes;
      queued_bytes_ -= result.bytes;
      written += result.bytes;
      if (written < kWriteTurnBytes) continue;
      result.state = Io::kWantWrite;  // others want their turn
    }
    if (result.state != Io::kWantRead && result.state != Io::kWantWrite) {
      close(true);
      return false;
    }
    // The client has this long to take something.
    if (written > 0 || !write_blocked_) set_deadline(server_->options.idle_timeout);
    write_blocked_ = true;
    wait(result.state);
    return true;
  }
  if (write_blocked_ && phase_ == Phase::kAnswering) clear_deadline();
  write_blocked_ = false;
  if (phase_ == Phase::kAnswering && answer_.complete) {
    sent();
  } else if (written > 0 && answer_.drained) {
    auto drained = answer_.drained;
    drained();
  }
  return phase_ != Phase::kClosed;
}

// The answer is out.
void Session::sent() {
  bool keep_alive = answer_.keep_alive && !server_->shutting_down;
  answer_ = {};
  if (keep_alive) {
    phase_ = Phase::kReading;
    set_deadline(server_->options.idle_timeout);
  } else {
    connection_->channel.shut_down();
    phase_ = Phase::kLingering;
    in_ = std::string();
    set_deadline(kLinger);
  }
}

}  // namespace stead::http
