#pragma once

// DNS packets (RFC 1035, EDNS0 of RFC 6891): queries in, replies out. ldns reads and writes them, in this file only.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "network/dns/name_index.h"

namespace stead::network::dns {

enum class Rcode : uint8_t {
  kNoError = 0,
  kFormatError = 1,
  kServerFailure = 2,
  kNoSuchName = 3,
  kNotImplemented = 4,
  kRefused = 5,
};

constexpr size_t kHeaderBytes = 12;
constexpr size_t kUdpBytesPlain = 512;  // RFC 1035, without EDNS0
constexpr size_t kUdpBytesMax = 1232;   // fits any path unfragmented (DNS flag day 2020)
constexpr size_t kMessageBytesMax = 65535;

struct Query {
  uint16_t id = 0;
  bool recursion_desired = false;
  Name name;             // lower case
  std::string question;  // as sent: name in its own case, type, class
  uint16_t type = 0;
  bool edns = false;
  bool unknown_edns_version = false;
  size_t udp_bytes_max = kUdpBytesPlain;  // that the client takes
};

struct ParsedQuery {
  std::optional<Query> query;
  std::string refusal;  // without a query: what to send back; empty: nothing
};

// Malformed packets are answered FORMERR, or not at all where even the header is missing or says "response".
ParsedQuery parse_query(std::string_view packet);

struct Reply {
  Rcode rcode = Rcode::kNoError;
  bool authoritative = true;
  const Answer* answer = nullptr;  // records; a negative one brings its SOA
  std::string_view alias_reply;    // another server's reply whose answers follow ours
  uint32_t serial = 0;             // SOA
  size_t rotation = 0;             // answers begin with this one, modulo their number
};

// At most `bytes_max`: additional records are left out first; if the answers do not fit either, as many as fit go out
// with the truncation bit set.
std::string write_reply(const Query& query, const Reply& reply, size_t bytes_max);

// To a query of an EDNS version other than 0: BADVERS (RFC 6891 section 6.1.3).
std::string write_bad_version(const Query& query);

// A recursive query with EDNS0, to send to a resolver.
std::string write_query(uint16_t id, const Name& name, uint16_t type);

// Whether `packet` is a response to the question of `query_packet`.
bool answers_question(std::string_view packet, std::string_view query_packet);
bool is_truncated(std::string_view packet);
Rcode rcode_of(std::string_view packet);

}  // namespace stead::network::dns
