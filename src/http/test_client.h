#pragma once

// For tests: a blocking plain TCP connection that sends any bytes and reads what comes, waiting at most ten seconds.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "http/client.h"
#include "http/message_parser.h"

namespace stead::http {

class TestClient {
 public:
  explicit TestClient(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    timeval limit{10, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;
  ~TestClient() { ::close(fd_); }

  void send(std::string_view text) {
    while (!text.empty()) {
      ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<size_t>(sent));
    }
  }
  void end_sending() { ::shutdown(fd_, SHUT_WR); }

  // Up to and including `mark`; shorter if the connection ends first.
  std::string read_until(std::string_view mark) {
    size_t at = 0;
    while ((at = pending_.find(mark)) == std::string::npos) {
      if (!more()) return std::exchange(pending_, {});
    }
    std::string text = pending_.substr(0, at + mark.size());
    pending_.erase(0, text.size());
    return text;
  }

  std::string read_to_end() {
    while (more()) {
    }
    return std::exchange(pending_, {});
  }

  // Whether the server has ended the connection, with nothing unread.
  bool at_end() { return pending_.empty() && !more() && !timed_out_; }

  ClientResponse read_response() {
    auto parser = make_response_parser(65536, size_t{1} << 30);
    do {
      pending_.erase(0, parser->consume(pending_));
      if (parser->state() == MessageParser::State::kComplete) {
        return {parser->status, parser->headers, parser->body};
      }
    } while (parser->state() != MessageParser::State::kFailed && more());
    ADD_FAILURE() << "no complete response";
    return {};
  }

 private:
  bool more() {
    char buffer[65536];
    ssize_t got = ::recv(fd_, buffer, sizeof(buffer), 0);
    timed_out_ = got < 0 && errno == EAGAIN;
    if (got <= 0) return false;
    pending_.append(buffer, static_cast<size_t>(got));
    return true;
  }

  int fd_;
  bool timed_out_ = false;
  std::string pending_;
};

}  // namespace stead::http
