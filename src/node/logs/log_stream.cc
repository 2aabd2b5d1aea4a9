#include "node/logs/log_stream.h"

#include "base/log.h"

namespace stead::node {
namespace {

// A client may be that far behind before reading pauses.
constexpr size_t kQueuedBytesMax = 256 * 1024;

}  // namespace

struct LogStream::Turn {
  Result<LogReader::Piece> piece;
  bool missing = false;
};

LogStream::LogStream(http::ExchangePtr exchange, std::shared_ptr<StreamScope> scope, LogSource source,
                     LogOptions options)
    : exchange_(std::move(exchange)),
      scope_(std::move(scope)),
      source_(std::move(source)),
      options_(options),
      writer_ended_(source_.container_id.empty()) {}

void LogStream::begin(std::function<http::Response(const Error&)> refuse) {
  refuse_ = std::move(refuse);
  exchange_->on_close([self = shared_from_this()] { self->finished_ = true; });
  exchange_->on_drain([weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self || !self->blocked_) return;
    self->blocked_ = false;
    self->pump();
  });
  pump();
}

void LogStream::pump() {
  if (finished_ || busy_ || blocked_) return;
  if (exchange_->queued_bytes() > kQueuedBytesMax) {
    blocked_ = true;
    return;
  }
  busy_ = true;
  dirty_ = false;
  bool last = writer_ended_ || !options_.follow;
  bool queued = scope_->run([self = shared_from_this(), last]() mutable {
    auto turn = std::make_shared<Turn>(self->read(last));
    http::Exchange& exchange = *self->exchange_;
    exchange.post([self = std::move(self), turn, last] { self->took(std::move(*turn), last); });
  });
  if (!queued) finish();
}

LogStream::Turn LogStream::read(bool last) {
  if (!reader_) {
    uint32_t attempt = source_.attempt;
    if (source_.or_earlier) {
      auto found = find_log(source_.directory, attempt);
      if (!found) return {source_.missing, true};
      attempt = *found;
    }
    reader_ = std::make_unique<LogReader>(source_.directory, attempt, options_);
    // Before the first read: no change is missed.
    if (!last) {
      auto pending = std::make_shared<std::atomic<bool>>(false);
      auto subscription =
          scope_->watch().subscribe(source_.directory, [weak = weak_from_this(), exchange = exchange_, pending] {
            if (pending->exchange(true)) return;
            exchange->post([weak, pending] {
              pending->store(false);
              if (auto self = weak.lock()) self->wake();
            });
          });
      if (!subscription.ok()) return {subscription.error()};
      subscription_ = std::move(*subscription);
    }
  }
  return {reader_->read(last)};
}

void LogStream::took(Turn turn, bool last) {
  busy_ = false;
  if (finished_) return finish();
  if (!turn.piece.ok()) {
    if (!turn.missing) log::warning("logs", "{}: {}", source_.directory, turn.piece.error().message);
    if (started_) return finish();
    finished_ = true;
    return exchange_->respond(refuse_(turn.piece.error()));
  }
  if (!started_) {
    started_ = true;
    exchange_->start(200, {{"Content-Type", "text/plain"}});
    // From here on its end is told; it may have come before.
    if (!last) look_at_container();
  }
  if (!turn.piece->text.empty()) {
    exchange_->write(std::make_shared<const std::string>(std::move(turn.piece->text)));
  }
  if (turn.piece->complete || (turn.piece->at_end && last)) return finish();
  if (!turn.piece->at_end || dirty_ || writer_ended_) pump();
}

void LogStream::wake() {
  dirty_ = true;
  pump();
}

void LogStream::container_changed() {
  exchange_->post([weak = weak_from_this()] {
    auto self = weak.lock();
    if (self && self->started_ && !self->finished_) self->look_at_container();
  });
}

void LogStream::look_at_container() {
  if (writer_ended_) return;
  look_again_ = looking_;
  if (looking_) return;
  looking_ = true;
  bool queued = scope_->run([self = shared_from_this()]() mutable {
    auto status = self->scope_->runtime().container_status(self->source_.container_id);
    bool ended = status.ok() ? status->state == ContainerState::kExited : status.error().reason == Reason::kNotFound;
    http::Exchange& exchange = *self->exchange_;
    exchange.post([self = std::move(self), ended] {
      self->looking_ = false;
      if (self->finished_) return;
      if (ended) {
        self->writer_ended_ = true;
        self->wake();
      } else if (self->look_again_) {
        self->look_at_container();
      }
    });
  });
  if (!queued) finish();
}

void LogStream::finish() {
  if (!finished_ && !started_) {
    exchange_->respond(refuse_(make_error(Reason::kUnavailable, "the node is going away")));
  } else if (!finished_) {
    exchange_->finish();
  }
  finished_ = true;
  if (busy_) return;
  subscription_.reset();
  reader_.reset();
}

}  // namespace stead::node
