#pragma once

// Bytes over one non-blocking TCP connection, plain or TLS, in the terms of readiness: each call does what it can now
// and says what to wait for. Owns no socket and waits for nothing itself. One thread.

#include <cstddef>
#include <cstdint>

#include "http/tls.h"

namespace stead::http {

enum class Io : uint8_t { kDone, kWantRead, kWantWrite, kClosed, kFailed };

struct IoResult {
  Io state = Io::kFailed;
  size_t bytes = 0;  // with kDone; at least one
};

class Channel {
 public:
  // `tls` null: plain.
  explicit Channel(int fd = -1, Tls tls = nullptr) : fd_(fd), tls_(std::move(tls)) {}

  Io handshake();
  // kClosed: the peer has ended its side in order. A TLS connection cut without close_notify is kFailed.
  IoResult read(char* to, size_t size);
  // After kWantRead or kWantWrite the same bytes, or more, must be offered again.
  IoResult write(const char* from, size_t size);
  // Ends our side: nothing can be written afterwards. Best effort.
  void shut_down();

  int fd() const { return fd_; }
  const Tls& tls() const { return tls_; }

 private:
  Io outcome(int result);

  int fd_;
  Tls tls_;
};

}  // namespace stead::http
