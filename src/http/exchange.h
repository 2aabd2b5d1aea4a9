#pragma once

// The handler's end of a request: holds the request and speaks through the session while that lasts.

#include "http/server_session.h"
#include "loop/asio_loop.h"

namespace stead::http {

class SessionExchange final : public Exchange {
 public:
  SessionExchange(loop::AsioLoop& loop, std::weak_ptr<ServerSession> session, uint64_t serial, Request request)
      : loop_(loop), session_(std::move(session)), serial_(serial), request_(std::move(request)) {}
  // The last reference may be dropped on any thread.
  ~SessionExchange() override;

  const Request& request() const override { return request_; }
  void respond(Response response) override;
  void start(int status, Headers headers) override;
  void write(Bytes chunk) override;
  void finish() override;
  size_t queued_bytes() const override;
  void on_close(std::function<void()> closed) override;
  void on_drain(std::function<void()> drained) override;
  void relay(const Upstream& upstream, const std::string& target) override;
  void join(Request request, const Upstream& upstream, const std::string& target, Headers headers,
            Joined joined) override;
  void post(std::function<void()> task) override { loop_.post(std::move(task)); }

 private:
  // Null once the session is gone or serves another request.
  std::shared_ptr<ServerSession> session() const;

  loop::AsioLoop& loop_;
  std::weak_ptr<ServerSession> session_;
  const uint64_t serial_;
  const Request request_;
  bool answered_ = false;
};

}  // namespace stead::http
