#pragma once

// HTTP/1.1 messages as they arrive in pieces. Beast's parser does the work; this keeps its templates in one file.
// One parser reads one message.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/http.h"

namespace stead::http {

class MessageParser {
 public:
  enum class State : uint8_t { kHead, kBody, kComplete, kFailed };

  virtual ~MessageParser() = default;

  // Takes bytes and says how many it used: all of them but an unfinished line or header block (to be offered again
  // together with what follows) and what lies behind the message's end.
  virtual size_t consume(std::string_view bytes) = 0;
  // The connection has ended: completes a message that extends to the end, fails others.
  virtual void end_of_input() = 0;

  State state() const { return state_; }
  bool keep_alive() const { return keep_alive_; }
  bool http_1_0() const { return http_1_0_; }
  // kFailed: the status that tells the client (400, 413, 431, 501, 505).
  int failure_status() const { return failure_status_; }

 protected:
  State state_ = State::kHead;
  bool keep_alive_ = false;
  bool http_1_0_ = false;
  int failure_status_ = 400;
};

class RequestParser : public MessageParser {
 public:
  // method, target, headers and body so far.
  Request request;
  bool expects_continue = false;
};

class ResponseParser : public MessageParser {
 public:
  int status = 0;
  Headers headers;
  std::string body;  // empty where on_body takes it
  std::function<void(std::string_view)> on_body;
};

std::unique_ptr<RequestParser> make_request_parser(size_t header_bytes_max, size_t body_bytes_max);
// `head_only`: the answer to a HEAD request, which has no body whatever its headers say.
std::unique_ptr<ResponseParser> make_response_parser(size_t header_bytes_max, size_t body_bytes_max,
                                                     bool head_only = false);

// "Not Found" for 404; empty if unknown.
std::string_view reason_phrase(int status);
bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace stead::http
