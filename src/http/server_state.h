#pragma once

// What the sessions of one server share. Loop thread only.

#include <array>
#include <memory>
#include <unordered_set>

#include "http/connection.h"
#include "http/server.h"
#include "loop/asio_loop.h"

namespace stead::http {

class ServerSession;

// A connection that has left HTTP behind.
class Upgraded {
 public:
  virtual ~Upgraded() = default;
  virtual void close() = 0;
};

struct ServerState {
  ServerState(loop::AsioLoop& the_loop, ServerOptions the_options, Handler the_handler)
      : loop(the_loop), options(std::move(the_options)), handler(std::move(the_handler)) {}

  loop::AsioLoop& loop;
  const ServerOptions options;
  const Handler handler;
  TlsContext tls;  // null: plain
  bool shutting_down = false;
  std::unordered_set<std::shared_ptr<ServerSession>> sessions;
  std::unordered_set<std::shared_ptr<Upgraded>> upgraded;
  // Where sessions read into; what one leaves unused it copies before anything else runs.
  std::array<char, 64 * 1024> scratch;

  std::function<void()> ended;  // told once when shutting down and no connection is left

  size_t connections() const { return sessions.size() + upgraded.size(); }
  void remove(const std::shared_ptr<ServerSession>& session) {
    sessions.erase(session);
    tell_if_ended();
  }
  void remove(const std::shared_ptr<Upgraded>& connection) {
    upgraded.erase(connection);
    tell_if_ended();
  }
  void tell_if_ended() {
    if (shutting_down && connections() == 0 && ended) loop.post(std::exchange(ended, nullptr));
  }
};

}  // namespace stead::http
