// Any bytes of an HTTP/1.1 client or server, in any pieces: bounded, and the pieces make no difference.

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "http/message_parser.h"

namespace {

using namespace stead::http;

constexpr size_t kHeaderBytesMax = 2000;
constexpr size_t kBodyBytesMax = 1000;

std::string text_of(const Headers& headers) {
  std::string text;
  for (const auto& [name, value] : headers) text.append("|").append(name).append(":").append(value);
  return text;
}

// As a connection does: what is not consumed is offered again, with what follows.
template <class Parser>
void feed(Parser& parser, std::string_view bytes, size_t piece) {
  std::string pending;
  auto done = [&] {
    return parser.state() == MessageParser::State::kComplete || parser.state() == MessageParser::State::kFailed;
  };
  while (!bytes.empty() && !done()) {
    pending.append(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    size_t used = parser.consume(pending);
    STEAD_CHECK(used <= pending.size());
    pending.erase(0, used);
    STEAD_CHECK(done() || pending.size() <= kHeaderBytesMax + piece + kBodyBytesMax);
  }
  if (!done()) parser.end_of_input();
}

std::string read_request(std::string_view bytes, size_t piece) {
  auto parser = make_request_parser(kHeaderBytesMax, kBodyBytesMax);
  feed(*parser, bytes, piece);
  if (parser->state() != MessageParser::State::kComplete) {
    STEAD_CHECK(parser->failure_status() >= 400 && parser->failure_status() < 600);
    return "failed";
  }
  const Request& request = parser->request;
  STEAD_CHECK(!request.method.empty() && !request.target.empty());
  STEAD_CHECK(request.body.size() <= kBodyBytesMax);
  for (const auto& [name, value] : request.headers) {
    STEAD_CHECK(!name.empty() && value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
  }
  return request.method + " " + request.target + text_of(request.headers) + "\n" + request.body +
         (parser->keep_alive() ? "+" : "-");
}

std::string read_response(std::string_view bytes, size_t piece, bool head_only) {
  auto parser = make_response_parser(kHeaderBytesMax, kBodyBytesMax, head_only);
  feed(*parser, bytes, piece);
  if (parser->state() != MessageParser::State::kComplete) return "failed";
  STEAD_CHECK(parser->body.size() <= kBodyBytesMax);
  STEAD_CHECK(!head_only || parser->body.empty());
  return std::to_string(parser->status) + text_of(parser->headers) + "\n" + parser->body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  STEAD_CHECK(read_request(bytes, 7) == read_request(bytes, size + 1));
  for (bool head_only : {false, true}) {
    STEAD_CHECK(read_response(bytes, 7, head_only) == read_response(bytes, size + 1, head_only));
  }
  return 0;
}
