#include "http/message_parser.h"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>
#include <limits>

namespace stead::http {

namespace beast_http = boost::beast::http;
using boost::system::error_code;
using BeastText = boost::beast::string_view;

namespace {

std::string_view view(BeastText text) { return {text.data(), text.size()}; }

int status_of(const error_code& code) {
  if (code == beast_http::error::header_limit) return 431;
  if (code == beast_http::error::body_limit) return 413;
  if (code == beast_http::error::bad_version) return 505;
  return 400;
}

// What both kinds of message share: fields, body and the handling of Beast's events.
template <bool is_request>
class Sink : public beast_http::basic_parser<is_request> {
 public:
  Sink(size_t header_bytes_max, size_t body_bytes_max) {
    constexpr size_t kLimitMax = std::numeric_limits<uint32_t>::max();
    this->header_limit(static_cast<uint32_t>(std::min(header_bytes_max, kLimitMax)));
    this->body_limit(boost::optional<uint64_t>(body_bytes_max));
    this->eager(true);
  }

  std::string method;
  std::string target;
  int* status = nullptr;  // known to whoever takes the body as it comes
  int version = 11;
  Headers* headers = nullptr;
  std::string* body = nullptr;
  std::function<void(std::string_view)>* on_body = nullptr;
  bool unknown_coding = false;

  // The next bytes are the head of a chunk, or the end of the body.
  bool at_chunk_head() const { return this->is_header_done() && this->chunked() && chunk_left_ == 0; }

 private:
  void on_request_impl(beast_http::verb, BeastText method_text, BeastText target_text, int the_version,
                       error_code&) override {
    method = view(method_text);
    target = view(target_text);
    version = the_version;
  }
  void on_response_impl(int code, BeastText, int the_version, error_code&) override {
    if (status) *status = code;
    version = the_version;
  }
  void on_field_impl(beast_http::field field, BeastText name, BeastText value, error_code&) override {
    if (this->is_header_done()) return;  // trailers: nobody asked for them
    if (field == beast_http::field::transfer_encoding && !equal_ignoring_case(view(value), "chunked")) {
      unknown_coding = true;
    }
    headers->emplace_back(view(name), view(value));
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<uint64_t>& length, error_code&) override {
    // Beast has compared the length with the body limit already.
    if (length && !(on_body && *on_body)) body->reserve(*length);
  }
  size_t on_body_impl(BeastText piece, error_code&) override {
    if (on_body && *on_body) {
      (*on_body)(view(piece));
    } else {
      body->append(piece.data(), piece.size());
    }
    return piece.size();
  }
  void on_chunk_header_impl(uint64_t size, BeastText, error_code&) override { chunk_left_ = size; }
  size_t on_chunk_body_impl(uint64_t, BeastText piece, error_code& code) override {
    chunk_left_ -= piece.size();
    return on_body_impl(piece, code);
  }
  void on_finish_impl(error_code&) override {}

  uint64_t chunk_left_ = 0;
};

// Feeds `sink`; true while nothing failed.
template <bool is_request>
size_t feed(Sink<is_request>& sink, std::string_view bytes, error_code& code) {
  size_t used = 0;
  while (used < bytes.size() && !sink.is_done()) {
    // "0", CRLF, CRLF: Beast aborts where it is shown a part of that twice.
    constexpr size_t kLastChunkBytes = 5;
    if (sink.at_chunk_head() && bytes.size() - used < kLastChunkBytes) break;
    size_t taken = sink.put({bytes.data() + used, bytes.size() - used}, code);
    used += taken;
    if (code == beast_http::error::need_more) {
      code = {};
      if (taken == 0) break;
    }
    if (code) break;
  }
  return used;
}

class BeastRequestParser final : public RequestParser {
 public:
  BeastRequestParser(size_t header_bytes_max, size_t body_bytes_max) : sink_(header_bytes_max, body_bytes_max) {
    sink_.headers = &request.headers;
    sink_.body = &request.body;
  }

  size_t consume(std::string_view bytes) override {
    error_code code;
    size_t used = feed(sink_, bytes, code);
    http_1_0_ = sink_.version == 10;
    if (code) return fail(status_of(code), used);
    if (!sink_.is_header_done()) return used;
    if (state_ == State::kHead) {
      request.method = std::move(sink_.method);
      request.target = std::move(sink_.target);
      if (sink_.unknown_coding) return fail(501, used);
      if (!host_is_fine()) return fail(400, used);
      expects_continue = !http_1_0_ && equal_ignoring_case(request.header("Expect"), "100-continue");
      state_ = State::kBody;
    }
    if (sink_.is_done()) {
      keep_alive_ = sink_.keep_alive();
      state_ = State::kComplete;
    }
    return used;
  }

  void end_of_input() override { state_ = State::kFailed; }

 private:
  size_t fail(int status, size_t used) {
    state_ = State::kFailed;
    failure_status_ = status;
    return used;
  }

  // RFC 9112 section 3.2: exactly one Host in HTTP/1.1.
  bool host_is_fine() const {
    int hosts = 0;
    for (const auto& [name, value] : request.headers) hosts += equal_ignoring_case(name, "Host") ? 1 : 0;
    return hosts == 1 || (hosts == 0 && http_1_0_);
  }

  Sink<true> sink_;
};

// Where the head ends whose lines end in CRLF or LF; npos if it is not complete.
size_t head_end(std::string_view bytes) {
  for (size_t at = bytes.find('\n'); at != std::string_view::npos; at = bytes.find('\n', at + 1)) {
    std::string_view rest = bytes.substr(at + 1);
    if (rest.starts_with('\n')) return at + 2;
    if (rest.starts_with("\r\n")) return at + 3;
  }
  return std::string_view::npos;
}

std::string with_crlf(std::string_view head) {
  std::string text;
  text.reserve(head.size() + 16);
  for (char c : head) {
    if (c == '\n' && !text.ends_with('\r')) text += '\r';
    text += c;
  }
  return text;
}

// What small servers send, CGI scripts above all, may end lines with LF alone (RFC 9112 section 2.2).
class BeastResponseParser final : public ResponseParser {
 public:
  BeastResponseParser(size_t header_bytes_max, size_t body_bytes_max, bool head_only)
      : header_bytes_max_(header_bytes_max), sink_(header_bytes_max, body_bytes_max) {
    sink_.headers = &headers;
    sink_.body = &body;
    sink_.on_body = &on_body;
    sink_.status = &status;
    sink_.skip(head_only);
  }

  size_t consume(std::string_view bytes) override {
    error_code code;
    size_t used = 0;
    if (state_ == State::kHead) {
      used = head_end(bytes);
      if (used == std::string_view::npos) {
        if (bytes.size() > header_bytes_max_) state_ = State::kFailed;
        return 0;
      }
      feed(sink_, with_crlf(bytes.substr(0, used)), code);
      if (!sink_.is_header_done()) {  // a line too short to be judged
        state_ = State::kFailed;
        return used;
      }
    }
    if (!code) used += feed(sink_, bytes.substr(used), code);
    settle(code);
    return used;
  }

  void end_of_input() override {
    if (state_ == State::kBody) {  // Beast aborts where it has got nothing yet
      error_code code;
      sink_.put_eof(code);
      settle(code);
    }
    if (state_ != State::kComplete) state_ = State::kFailed;
  }

 private:
  void settle(const error_code& code) {
    http_1_0_ = sink_.version == 10;
    if (code) {
      state_ = State::kFailed;
    } else if (sink_.is_done()) {
      keep_alive_ = sink_.keep_alive();
      state_ = State::kComplete;
    } else if (sink_.is_header_done()) {
      state_ = State::kBody;
    }
  }

  const size_t header_bytes_max_;
  Sink<false> sink_;
};

}  // namespace

std::unique_ptr<RequestParser> make_request_parser(size_t header_bytes_max, size_t body_bytes_max) {
  return std::make_unique<BeastRequestParser>(header_bytes_max, body_bytes_max);
}

std::unique_ptr<ResponseParser> make_response_parser(size_t header_bytes_max, size_t body_bytes_max, bool head_only) {
  return std::make_unique<BeastResponseParser>(header_bytes_max, body_bytes_max, head_only);
}

std::string_view reason_phrase(int status) {
  return view(beast_http::obsolete_reason(static_cast<beast_http::status>(status)));
}

}  // namespace stead::http
