// Any text as a target of the kubelet's port, as the URL of a runtime's stream and as a message of exec's channels.

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "node/server/channel_protocol.h"
#include "node/server/stream_url.h"
#include "node/server/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stead::node;
  std::string text(reinterpret_cast<const char*>(data), size);
  auto target = parse_kubelet_target(text, stead::WallTime(std::chrono::hours(24 * 20'000)));
  if (target.ok()) {
    using Kind = KubeletTarget::Kind;
    STEAD_CHECK(target->kind != Kind::kExec || !target->command.empty(), text);
    STEAD_CHECK(target->kind == Kind::kHealth || target->kind == Kind::kStats || !target->pod.empty(), text);
    STEAD_CHECK(!target->logs.tail_lines || *target->logs.tail_lines >= 0, text);
  } else {
    STEAD_CHECK(!target.error().message.empty());
  }
  if (auto url = parse_stream_url(text); url.ok())
    STEAD_CHECK(!url->host.empty() && url->target.starts_with('/'), text);
  for (const char* name : {"v5.channel.k8s.io", "base64.channel.k8s.io"}) {
    auto protocol = choose_channel_protocol({name});
    STEAD_CHECK(protocol.has_value());
    (void)read_channel_message(*protocol, text);
  }
  return 0;
}
