#include "http/exchange.h"

namespace stead::http {

SessionExchange::~SessionExchange() {
  if (answered_) return;
  auto abandon = [session = std::move(session_), serial = serial_] {
    if (auto live = session.lock()) live->abandoned(serial);
  };
  // Sessions are touched, and die, on the loop only.
  if (loop_.in_loop()) {
    abandon();
  } else {
    loop_.post(std::move(abandon));
  }
}

std::shared_ptr<ServerSession> SessionExchange::session() const {
  auto live = session_.lock();
  return live && live->in_progress(serial_) ? live : nullptr;
}

void SessionExchange::respond(Response response) {
  answered_ = true;
  if (auto live = session()) live->respond(serial_, std::move(response));
}

void SessionExchange::start(int status, Headers headers) {
  if (auto live = session()) live->start(serial_, status, headers);
}

void SessionExchange::write(Bytes chunk) {
  if (auto live = session()) live->write(serial_, std::move(chunk));
}

void SessionExchange::finish() {
  answered_ = true;
  if (auto live = session()) live->finish(serial_);
}

size_t SessionExchange::queued_bytes() const {
  auto live = session();
  return live ? live->queued_bytes(serial_) : 0;
}

void SessionExchange::on_close(std::function<void()> closed) {
  if (auto live = session()) {
    live->on_close(serial_, std::move(closed));
  } else if (!answered_) {
    loop_.post(std::move(closed));  // it has gone away already
  }
}

void SessionExchange::on_drain(std::function<void()> drained) {
  if (auto live = session()) live->on_drain(serial_, std::move(drained));
}

void SessionExchange::relay(const Upstream& upstream, const std::string& target) {
  answered_ = true;
  if (auto live = session()) live->relay(serial_, request_, upstream, target);
}

void SessionExchange::join(Request request, const Upstream& upstream, const std::string& target, Headers headers,
                           Joined joined) {
  answered_ = true;
  if (auto live = session()) live->join(serial_, request, upstream, target, std::move(headers), std::move(joined));
}

}  // namespace stead::http
