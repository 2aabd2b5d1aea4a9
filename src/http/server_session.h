#pragma once

// What a server and its exchanges know of a connection, whatever version of HTTP it speaks. Loop thread only.

#include <functional>
#include <memory>
#include <string>

#include "http/http.h"

namespace stead::http {

class ServerSession {
 public:
  virtual ~ServerSession() = default;

  // Ends the connection now. `tell`: runs the on_close callbacks of exchanges in progress.
  virtual void close(bool tell) = 0;
  // Ends an idle connection; lets answers be completed, and streams by finishing them.
  virtual void shut_down() = 0;

  // The exchange number `serial` speaks through these; calls for one that is over are ignored.
  virtual bool in_progress(uint64_t serial) const = 0;
  virtual void respond(uint64_t serial, Response response) = 0;
  virtual void start(uint64_t serial, int status, const Headers& headers) = 0;
  virtual void write(uint64_t serial, Bytes chunk) = 0;
  virtual void finish(uint64_t serial) = 0;
  virtual size_t queued_bytes(uint64_t serial) const = 0;
  virtual void on_close(uint64_t serial, std::function<void()> closed) = 0;
  virtual void on_drain(uint64_t serial, std::function<void()> drained) = 0;
  virtual void relay(uint64_t serial, const Request& request, const Upstream& upstream, const std::string& target) = 0;
  virtual void join(uint64_t serial, const Request& request, const Upstream& upstream, const std::string& target,
                    Headers headers, Exchange::Joined joined) = 0;
  // Its handler has dropped the exchange unanswered.
  virtual void abandoned(uint64_t serial) = 0;
};

}  // namespace stead::http
