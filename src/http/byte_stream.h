#pragma once

// A connection that has left HTTP behind (RFC 9110 section 7.8): bytes both ways. One loop.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace stead::http {

class ByteStream {
 public:
  struct Events {
    std::function<void(std::string_view)> received;
    std::function<void()> drained;  // all that was written has gone out
    std::function<void()> ended;    // nothing more comes: the other side has ended, or the connection is lost
  };

  virtual ~ByteStream() = default;
  // Nothing is received before this. The events own what they use; close() lets go of them.
  virtual void begin(Events events) = 0;
  // Never blocks; what the other side has not taken is queued.
  virtual void write(std::string bytes) = 0;
  virtual size_t queued_bytes() const = 0;
  // While paused nothing is received.
  virtual void pause(bool paused) = 0;
  // Closes once all that was written has gone out, or after a few seconds; nothing is received any more.
  virtual void end() = 0;
  virtual void close() = 0;
};

using ByteStreamPtr = std::shared_ptr<ByteStream>;

}  // namespace stead::http
