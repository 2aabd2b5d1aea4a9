// Any packet is answered, refused or dropped, and what is answered is a response that ldns reads back.

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "network/dns/message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stead::network::dns;
  static const NameIndex index = *NameIndex::make({"cluster.local", {"10.42.0.0/16", "fd00::/64"}, {"10.43.0.10"}});
  std::string_view packet(reinterpret_cast<const char*>(data), size);
  answers_question(packet, packet);
  ParsedQuery parsed = parse_query(packet);
  if (!parsed.query) {
    STEAD_CHECK(parsed.refusal.empty() || parsed.refusal.size() == kHeaderBytes);
    return 0;
  }
  Answer answer = index.resolve(parsed.query->name, static_cast<Type>(parsed.query->type));
  Reply reply;
  reply.answer = &answer;
  reply.alias_reply = packet;
  std::string text = write_reply(*parsed.query, reply, parsed.query->udp_bytes_max);
  STEAD_CHECK(text.size() <= parsed.query->udp_bytes_max);
  STEAD_CHECK(answers_question(text, packet));
  return 0;
}
