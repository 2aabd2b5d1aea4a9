// Any packet is answered, refused or dropped, and what is answered is a response that ldns reads back, to the question
// that was asked, no longer than the client takes, of records that belong there.

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/check.h"
#include "network/dns/message.h"
#include "object/codec.h"

// After all others: it makes a macro of bool.
#include <ldns/ldns.h>

namespace {

using namespace stead::network::dns;
using stead::object::make_object;
using stead::object::parse_yaml;

constexpr std::string_view kDocuments[] = {
    R"({"kind":"Service","metadata":{"name":"web","namespace":"default"},"spec":{"clusterIPs":["10.43.0.5","fd00::5"],
        "ports":[{"name":"http","port":80,"protocol":"TCP"},{"name":"dns","port":53,"protocol":"UDP"}]}})",
    R"({"kind":"Service","metadata":{"name":"db","namespace":"default"},"spec":{"clusterIP":"None"}})",
    R"({"kind":"Service","metadata":{"name":"out","namespace":"default"},
        "spec":{"type":"ExternalName","externalName":"www.Example.com."}})",
    R"({"kind":"Service","metadata":{"name":"alias","namespace":"default"},
        "spec":{"type":"ExternalName","externalName":"db.default.svc.cluster.local"}})",
    R"({"kind":"Service","metadata":{"name":"loop","namespace":"default"},
        "spec":{"type":"ExternalName","externalName":"loop.default.svc.cluster.local"}})",
};

NameIndex make_index() {
  NameIndex index = *NameIndex::make({"cluster.local", {"10.42.0.0/16", "fd00::/64"}, {"10.43.0.10"}});
  for (std::string_view text : kDocuments) {
    index.records().apply_service(nullptr, make_object(*parse_yaml(text), 1));
  }
  // More endpoints than a plain UDP answer holds.
  std::string endpoints;
  for (int at = 0; at < 60; ++at) {
    if (at > 0) endpoints += ",";
    endpoints +=
        R"({"hostname":"db-)" + std::to_string(at) + R"(","addresses":["10.42.0.)" + std::to_string(at) + "\"]}";
  }
  std::string slice = R"({"kind":"EndpointSlice","metadata":{"name":"db-1","namespace":"default",
      "labels":{"kubernetes.io/service-name":"db"}},"addressType":"IPv4","endpoints":[)" +
                      endpoints + R"(],"ports":[{"name":"peer","port":8300,"protocol":"TCP"}]})";
  index.records().apply_endpoint_slice(nullptr, make_object(*parse_yaml(slice), 1));
  return index;
}

struct PacketFree {
  void operator()(ldns_pkt* packet) const { ldns_pkt_free(packet); }
};
using Packet = std::unique_ptr<ldns_pkt, PacketFree>;

Packet read_back(const std::string& text) {
  ldns_pkt* raw = nullptr;
  STEAD_CHECK(ldns_wire2pkt(&raw, reinterpret_cast<const uint8_t*>(text.data()), text.size()) == LDNS_STATUS_OK);
  return Packet(raw);
}

void check_reply(const std::string& text, std::string_view asked, const Query& query, size_t records) {
  STEAD_CHECK(answers_question(text, asked));
  Packet packet = read_back(text);
  STEAD_CHECK(ldns_pkt_qr(packet.get()) && ldns_pkt_id(packet.get()) == query.id);
  STEAD_CHECK(ldns_pkt_rd(packet.get()) == query.recursion_desired);
  STEAD_CHECK(ldns_pkt_edns(packet.get()) == query.edns);
  STEAD_CHECK(ldns_pkt_qdcount(packet.get()) == 1);
  STEAD_CHECK(ldns_pkt_ancount(packet.get()) <= records);
  STEAD_CHECK(ldns_pkt_ancount(packet.get()) == records || is_truncated(text));
}

void check_answer(const NameIndex& index, const Query& query, std::string_view asked, bool with_alias) {
  Answer answer = index.resolve(query.name, static_cast<Type>(query.type));
  Reply reply;
  reply.answer = &answer;
  reply.rcode = answer.outcome == Answer::Outcome::kNoSuchName ? Rcode::kNoSuchName : Rcode::kNoError;
  reply.rotation = query.id;
  if (with_alias) {
    // Another server's answer: whatever the client sent will do.
    reply.alias_reply = asked;
    std::string text = write_reply(query, reply, query.udp_bytes_max);
    STEAD_CHECK(text.size() <= query.udp_bytes_max && answers_question(text, asked));
    return;
  }
  STEAD_CHECK(answer.records.empty() || answer.outcome == Answer::Outcome::kFound);
  for (size_t limit : {query.udp_bytes_max, kMessageBytesMax}) {
    std::string text = write_reply(query, reply, limit);
    STEAD_CHECK(text.size() <= limit);
    check_reply(text, asked, query, answer.records.size());
    STEAD_CHECK(limit < kMessageBytesMax || !is_truncated(text));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const NameIndex index = make_index();
  std::string_view packet(reinterpret_cast<const char*>(data), size);
  answers_question(packet, packet);
  ParsedQuery parsed = parse_query(packet);
  if (!parsed.query) {
    STEAD_CHECK(parsed.refusal.empty() || parsed.refusal.size() == kHeaderBytes);
    STEAD_CHECK(parsed.refusal.empty() || (parsed.refusal[2] & 0x80) != 0);
    return 0;
  }
  const Query& query = *parsed.query;
  if (query.unknown_edns_version) {
    read_back(write_bad_version(query));
    return 0;
  }
  check_answer(index, query, packet, false);
  check_answer(index, query, packet, true);
  std::string sent = write_query(query.id, query.name, query.type);
  ParsedQuery again = parse_query(sent);
  STEAD_CHECK(again.query.has_value() && again.query->name == query.name && again.query->type == query.type);
  return 0;
}
