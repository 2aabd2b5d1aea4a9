#include "http/channel.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>

namespace stead::http {

Io Channel::outcome(int result) {
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_NONE:
      return Io::kDone;
    case SSL_ERROR_WANT_READ:
      return Io::kWantRead;
    case SSL_ERROR_WANT_WRITE:
      return Io::kWantWrite;
    case SSL_ERROR_ZERO_RETURN:
      return Io::kClosed;
    default:
      return Io::kFailed;
  }
}

Io Channel::handshake() {
  if (!tls_) return Io::kDone;
  ERR_clear_error();
  return outcome(SSL_do_handshake(tls_.get()));
}

IoResult Channel::read(char* to, size_t size) {
  if (tls_) {
    ERR_clear_error();
    size_t got = 0;
    int result = SSL_read_ex(tls_.get(), to, size, &got);
    if (result == 1) return {Io::kDone, got};
    return {outcome(result), 0};
  }
  ssize_t got = ::recv(fd_, to, size, MSG_DONTWAIT);
  if (got > 0) return {Io::kDone, static_cast<size_t>(got)};
  if (got == 0) return {Io::kClosed, 0};
  return {errno == EAGAIN || errno == EINTR ? Io::kWantRead : Io::kFailed, 0};
}

IoResult Channel::write(const char* from, size_t size) {
  if (tls_) {
    ERR_clear_error();
    size_t sent = 0;
    int result = SSL_write_ex(tls_.get(), from, size, &sent);
    if (result == 1) return {Io::kDone, sent};
    return {outcome(result), 0};
  }
  ssize_t sent = ::send(fd_, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent >= 0) return {Io::kDone, static_cast<size_t>(sent)};
  return {errno == EAGAIN || errno == EINTR ? Io::kWantWrite : Io::kFailed, 0};
}

void Channel::shut_down() {
  if (tls_ && SSL_is_init_finished(tls_.get())) {
    ERR_clear_error();
    SSL_shutdown(tls_.get());
    ERR_clear_error();
  }
  if (fd_ >= 0) ::shutdown(fd_, SHUT_WR);
}

}  // namespace stead::http
