// Any bytes from a client, in any pieces: no crash, no request without a method, and what is kept of it stays bounded.
// Requests are answered in the ways that handlers do, chosen by their paths.

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/clock.h"
#include "http/http2_protocol.h"

namespace {

using namespace stead;
using namespace stead::http;

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

void answer(Http2Protocol& protocol, const Http2Protocol::Event& event) {
  static const Bytes kPiece = std::make_shared<const std::string>(40'000, 'x');
  STEAD_CHECK(!event.request.method.empty());
  STEAD_CHECK(event.request.body.size() <= 1000);
  switch (event.request.target.size() % 4) {
    case 0:
      return protocol.respond(event.stream, Response::text(200, "x"));
    case 1:
      protocol.start(event.stream, 200, {{"X-Name", event.request.target}});
      protocol.write(event.stream, kPiece);
      return protocol.finish(event.stream);
    case 2:
      protocol.start(event.stream, 200, {});
      return protocol.cut_short(event.stream);
    default:
      return;  // never answered
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  size_t piece = input.empty() ? 1 : static_cast<size_t>(static_cast<unsigned char>(input.front())) + 1;
  Http2Protocol protocol({4096, 1000, 10}, system_clock());
  STEAD_CHECK(protocol.receive(kPreface));
  bool open = true;
  std::string out;
  while (open && !input.empty()) {
    std::string_view bytes = input.substr(0, piece);
    input.remove_prefix(bytes.size());
    open = protocol.receive(bytes);
    for (const auto& event : protocol.take_events()) {
      if (event.kind == Http2Protocol::Event::Kind::kRequest) answer(protocol, event);
    }
    out.clear();
    open = open && protocol.send(out, 64 * 1024) && !protocol.is_over();
    STEAD_CHECK(out.size() < 100'000);
    STEAD_CHECK(protocol.streams() <= 20);
  }
  protocol.shut_down();
  protocol.reset_stalled(system_clock().now() + std::chrono::hours(1));
  out.clear();
  protocol.send(out, 64 * 1024);
  return 0;
}
