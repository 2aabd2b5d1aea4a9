#pragma once

// Passing a request on to another server: UpstreamCall sends it there and reads the answer; if that switches
// protocols, a Relay copies bytes both ways. Loop thread only.

#include <functional>
#include <memory>
#include <string>

#include "http/connection.h"
#include "http/message_parser.h"
#include "http/server_session.h"
#include "http/server_state.h"

namespace stead::http {

// Ends, without a callback, when destroyed.
class UpstreamCall {
 public:
  struct Events {
    // 101: the connection, and what has come on it from the status line on.
    std::function<void(ConnectionPtr upstream, std::string received)> switched;
    // Any other answer, as it comes: head, body, end. `complete`: false if the connection broke before the answer's
    // end.
    std::function<void(int status, Headers headers)> head;
    std::function<void(std::string_view piece)> body;
    std::function<void(bool complete)> end;
    // No answer at all, and why.
    std::function<void(const std::string& why)> failed;
  };
  virtual ~UpstreamCall() = default;
  // Reads no more of the body until resume(). What has been read still comes.
  virtual void pause() = 0;
  virtual void resume() = 0;
};

// The request's bytes as another server gets them: without what belongs to our hop, and without credentials.
std::string upstream_request(const Request& request, const Upstream& upstream, const std::string& target);

// Sends `request` with `target`. One of switched, head and failed runs, later: within ten seconds for the connection
// and the upstream's time to answer.
std::shared_ptr<UpstreamCall> call_upstream(loop::AsioLoop& loop, const Request& request, const Upstream& upstream,
                                            const std::string& target, UpstreamCall::Events events);

// A session's call for one exchange.
struct UpstreamSlots {
  std::shared_ptr<UpstreamCall> pending;  // until it begins to answer
  std::shared_ptr<UpstreamCall> source;   // whose answer is passed on
};

// Passes the answer on through `session`, reading no faster than its client takes; failures become the upstream's
// `unreachable`. `switched` is the session's own. `slots` gives null once the exchange is over. Both outlive the call.
UpstreamCall::Events pass_on(ServerSession& session, uint64_t serial, const Upstream& upstream,
                             std::function<UpstreamSlots*()> slots);

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
