#pragma once

// Passing an upgraded connection on to another server: UpstreamCall sends the request there and reads the head of
// the answer; if that switches protocols, a Relay copies bytes both ways. Loop thread only.

#include <functional>
#include <memory>
#include <string>

#include "http/connection.h"
#include "http/message_parser.h"
#include "http/server_state.h"

namespace stead::http {

// Ends, without a callback, when destroyed.
class UpstreamCall {
 public:
  struct Events {
    // 101: the connection, and what has come on it from the status line on.
    std::function<void(ConnectionPtr upstream, std::string received)> switched;
    // Any other answer, complete, or a 502.
    std::function<void(Response)> answered;
  };
  virtual ~UpstreamCall() = default;
};

// The request's bytes as another server gets them: without what belongs to our hop, and without credentials.
std::string upstream_request(const Request& request, const std::string& host, uint16_t port, const std::string& target);

// Sends `request` with `target` to `host`, an IP address or "localhost". One of `events` runs once, later, within
// ten seconds.
std::shared_ptr<UpstreamCall> call_upstream(loop::AsioLoop& loop, const Request& request, const std::string& host,
                                            uint16_t port, const std::string& target, UpstreamCall::Events events);

// Copies until either side ends; then sends on what is left, gives the other direction five seconds to end too, and
// closes both. Reads from one side only what the other has taken: 32 KiB each way are in flight at most.
class Relay final : public Upgraded, public std::enable_shared_from_this<Relay> {
 public:
  // `to_client` and `to_upstream` have been read already.
  Relay(std::shared_ptr<ServerState> server, ConnectionPtr client, std::string to_client, ConnectionPtr upstream,
        std::string to_upstream);

  void begin();
  void close() override;

 private:
  struct Pipe {
    Connection* from;
    Connection* to;
    std::string buffer;
    size_t at = 0;
    bool ended = false;
  };

  void pump();
  // False if the connection failed.
  bool copy(Pipe& pipe);
  void wait(Connection& connection, Io want);

  const std::shared_ptr<ServerState> server_;
  ConnectionPtr client_;
  ConnectionPtr upstream_;
  Pipe to_client_;
  Pipe to_upstream_;
  loop::TimerId timer_ = loop::TimerId::kNone;
  bool closed_ = false;
};

}  // namespace stead::http
