#pragma once

// LogStream: one container log on its way to one client. Reads on the pool, writes on the exchange's loop, one piece
// at a time; a client that takes its text slowly slows the reading down.
//
//   reading ──end──▶ waiting (follow) ──file changed──▶ reading
//      │  ▲             └─ container ended ─▶ reading for the last time
//      │  └─ drained ── blocked (the client is behind)
//      └──▶ finished: log drained and not followed, container ended, limit reached, client or node gone

#include <atomic>
#include <memory>
#include <string>

#include "http/http.h"
#include "node/logs/log_reader.h"
#include "node/logs/stream_scope.h"

namespace stead::node {

struct LogSource {
  std::string directory;  // of the container's logs
  uint32_t attempt = 0;
  bool or_earlier = false;   // the newest log of `attempt` or before it
  std::string container_id;  // of the instance that writes it; empty: it has ended
  Error missing;             // the answer where there is no such log and `or_earlier` is set
};

class LogStream : public std::enable_shared_from_this<LogStream> {
 public:
  LogStream(http::ExchangePtr exchange, std::shared_ptr<StreamScope> scope, LogSource source, LogOptions options);

  // Answers the exchange; `refuse` makes the answer of an error. On the exchange's loop.
  void begin(std::function<http::Response(const Error&)> refuse);
  // Something happened to the container: see whether it has ended. Any thread.
  void container_changed();

 private:
  struct Turn;
  void pump();
  Turn read(bool last);
  void took(Turn turn, bool last);
  void look_at_container();
  void finish();
  void wake();

  const http::ExchangePtr exchange_;
  const std::shared_ptr<StreamScope> scope_;
  const LogSource source_;
  const LogOptions options_;
  std::function<http::Response(const Error&)> refuse_;

  // Of the turn that is under way; otherwise the loop's.
  std::unique_ptr<LogReader> reader_;
  LogWatch::Subscription subscription_;

  bool started_ = false;
  bool busy_ = false;
  bool dirty_ = false;  // there may be more to read
  bool blocked_ = false;
  bool writer_ended_ = false;
  bool looking_ = false;
  bool look_again_ = false;
  bool finished_ = false;
};

}  // namespace stead::node
