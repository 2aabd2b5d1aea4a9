#include "http/session.h"

#include "http/exchange.h"
#include "http/http2_session.h"
#include "http/relay.h"
#include "http/target.h"

namespace stead::http {
namespace {

constexpr size_t kReadAheadMax = 64 * 1024;    // bytes of later requests, kept while one is answered
constexpr size_t kReadTurnBytes = 256 * 1024;  // per turn of the loop: others want theirs

std::string endpoint_text(const Connection::Socket& socket) {
  boost::system::error_code code;
  auto endpoint = socket.remote_endpoint(code);
  if (code) return {};
  std::string address = endpoint.address().to_string();
  if (endpoint.address().is_v6()) address = "[" + address + "]";
  return address + ":" + std::to_string(endpoint.port());
}

}  // namespace

Session::Session(std::shared_ptr<ServerState> server, ConnectionPtr connection)
    : server_(std::move(server)), connection_(std::move(connection)) {
  if (server_->tls) {
    int fd = connection_->channel.fd();
    connection_->channel = Channel(fd, make_server_connection(server_->tls, fd));
  }
}

void Session::begin() {
  remote_address_ = endpoint_text(connection_->socket);
  set_deadline(server_->options.header_timeout);
  head_deadline_set_ = true;
  pump();
}

void Session::close(bool tell) {
  if (phase_ == Phase::kClosed) return;
  auto self = shared_from_this();
  bool was_answering = phase_ == Phase::kAnswering && !answer_.complete;
  phase_ = Phase::kClosed;
  server_->loop.cancel(timer_);
  if (connection_) connection_->close();
  answer_.upstream.pending.reset();
  queue_.clear();
  piece_at_ = 0;
  queued_bytes_ = 0;
  server_->remove(std::shared_ptr<ServerSession>(self));
  // Moved out first: a callback may hold the exchange, whose end comes back here.
  Answer answer = std::move(answer_);
  answer_ = {};
  if (tell && was_answering && answer.closed) answer.closed();
}

void Session::shut_down() {
  if (phase_ != Phase::kAnswering) return close(true);
  answer_.keep_alive = false;
  if (!answer_.streaming || answer_.complete) return;
  auto closed = std::exchange(answer_.closed, nullptr);
  finish(serial_);
  if (closed) closed();
}

// ---- turns ----

void Session::pump() {
  if (phase_ == Phase::kClosed) return;
  if (pumping_) {
    pump_again_ = true;
    return;
  }
  pumping_ = true;
  auto self = shared_from_this();
  do {
    pump_again_ = false;
    if (phase_ == Phase::kHandshake && !handshake()) break;
    if (!flush()) break;
    receive();
  } while (pump_again_ && phase_ != Phase::kClosed);
  pumping_ = false;
}

// Handlers answer at any time, from inside each other's turns; what they say leaves in a turn of its own, so that
// pieces written together travel together.
void Session::pump_later() {
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

void Session::wait(Io want) {
  connection_->when_ready(want, [self = shared_from_this()] { self->pump(); });
}

bool Session::handshake() {
  Io state = connection_->channel.handshake();
  if (state == Io::kWantRead || state == Io::kWantWrite) {
    wait(state);
    return false;
  }
  if (state != Io::kDone) {
    close(true);
    return false;
  }
  peer_ = verified_peer(connection_->channel.tls());
  if (negotiated_http2(connection_->channel.tls())) {
    hand_over();
    return false;
  }
  phase_ = Phase::kReading;
  return true;
}

void Session::hand_over() {
  auto next =
      std::make_shared<Http2Session>(server_, std::move(connection_), std::move(remote_address_), std::move(peer_));
  server_->sessions.insert(next);
  close(false);
  next->begin();
}

// ---- in ----

void Session::receive() {
  auto& scratch = server_->scratch;
  for (size_t taken = 0;;) {
    if (phase_ == Phase::kReading && !in_.empty()) take_in({});
    if (phase_ == Phase::kClosed || pump_again_) return;
    if (phase_ == Phase::kAnswering && in_.size() >= kReadAheadMax) return;
    if (taken >= kReadTurnBytes) return pump_later();
    IoResult result = connection_->channel.read(scratch.data(), scratch.size());
    if (result.state == Io::kWantRead || result.state == Io::kWantWrite) return wait(result.state);
    if (result.state != Io::kDone) return close(true);
    taken += result.bytes;
    if (phase_ == Phase::kReading) {
      take_in({scratch.data(), result.bytes});
    } else if (phase_ == Phase::kAnswering) {
      in_.append(scratch.data(), result.bytes);
    }
  }
}

// Phase reading: what is kept in in_, then `bytes`, goes to the parser.
void Session::take_in(std::string_view bytes) {
  if (!parser_) {
    parser_ = make_request_parser(server_->options.header_bytes_max, server_->options.body_bytes_max);
    continue_sent_ = false;
  }
  if (in_.empty()) {
    size_t used = parser_->consume(bytes);
    in_.assign(bytes.substr(used));
  } else {
    in_.append(bytes);
    in_.erase(0, parser_->consume(in_));
    if (in_.empty()) in_ = std::string();
  }
  switch (parser_->state()) {
    case MessageParser::State::kFailed:
      return refuse(parser_->failure_status());
    case MessageParser::State::kComplete:
      return dispatch();
    case MessageParser::State::kHead:
      if (!head_deadline_set_) set_deadline(server_->options.header_timeout);
      head_deadline_set_ = true;
      break;
    case MessageParser::State::kBody:
      set_deadline(server_->options.idle_timeout);
      if (parser_->expects_continue && !continue_sent_ && parser_->request.body.empty() && in_.empty()) {
        push("HTTP/1.1 100 Continue\r\n\r\n");
        pump_again_ = true;
      }
      continue_sent_ = true;
      break;
  }
  // A line that never ends (chunk extensions, trailers) is as bad as a head that never does.
  if (in_.size() > server_->options.header_bytes_max) refuse(431);
}

void Session::dispatch() {
  answer_ = {};
  answer_.http_1_0 = parser_->http_1_0();
  answer_.keep_alive = parser_->keep_alive() && !server_->shutting_down;
  Request request = std::move(parser_->request);
  parser_.reset();
  answer_.head_request = request.method == "HEAD";
  request.peer = peer_;
  request.remote_address = remote_address_;
  if (!parse_target(request)) return refuse(400);
  phase_ = Phase::kAnswering;
  clear_deadline();
  head_deadline_set_ = false;
  ++serial_;
  // Holding no reference here: an exchange that the handler drops is answered by its destructor.
  server_->handler(std::make_shared<SessionExchange>(server_->loop, weak_from_this(), serial_, std::move(request)));
}

void Session::refuse(int status) {
  parser_.reset();
  in_ = std::string();
  phase_ = Phase::kAnswering;
  ++serial_;
  answer_ = {};
  respond(serial_, Response::text(status, std::to_string(status) + " " + std::string(reason_phrase(status)) + "\n"));
}

// ---- time ----

// One timer per session; a deadline that moves back, the usual case, costs nothing.
void Session::set_deadline(Duration after) {
  deadline_ = server_->loop.now() + after;
  if (timer_at_ <= deadline_) return;
  server_->loop.cancel(timer_);
  timer_at_ = deadline_;
  timer_ = server_->loop.call_at(deadline_, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->deadline_passed();
  });
}

void Session::clear_deadline() { deadline_ = Instant::max(); }

void Session::deadline_passed() {
  timer_at_ = Instant::max();
  timer_ = loop::TimerId::kNone;
  if (phase_ == Phase::kClosed || deadline_ == Instant::max()) return;
  Instant now = server_->loop.now();
  if (now >= deadline_) return close(true);
  set_deadline(deadline_ - now);
}

}  // namespace stead::http
