#include "network/dns/message.h"

#include <ldns/ldns.h>

#include <algorithm>
#include <cctype>
#include <memory>

namespace stead::network::dns {
namespace {

// CoreDNS's, too. Negative answers are kept no longer: a peer that is not there yet comes in seconds.
constexpr uint32_t kTtlSeconds = 5;

struct PacketFree {
  void operator()(ldns_pkt* packet) const { ldns_pkt_free(packet); }
};
using Packet = std::unique_ptr<ldns_pkt, PacketFree>;

const uint8_t* bytes_of(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

uint16_t number_at(std::string_view packet, size_t at) {
  return static_cast<uint16_t>(bytes_of(packet)[at] << 8 | bytes_of(packet)[at + 1]);
}

Packet read_packet(std::string_view text) {
  ldns_pkt* packet = nullptr;
  if (ldns_wire2pkt(&packet, bytes_of(text), text.size()) != LDNS_STATUS_OK) return nullptr;
  return Packet(packet);
}

// The bytes of the only question, which stands behind the header; empty if malformed. A compressed name has nothing
// to point at there.
std::string_view question_of(std::string_view packet) {
  size_t at = kHeaderBytes;
  while (at < packet.size()) {
    uint8_t length = bytes_of(packet)[at];
    if (length > 63 || at - kHeaderBytes > 254) return {};
    at += 1 + length;
    if (length == 0)
      return at + 4 <= packet.size() ? packet.substr(kHeaderBytes, at + 4 - kHeaderBytes) : std::string_view();
  }
  return {};
}

Name name_in(std::string_view question) {
  Name name;
  for (size_t at = 0; bytes_of(question)[at] != 0;) {
    size_t length = bytes_of(question)[at];
    std::string label(question.substr(at + 1, length));
    for (char& c : label) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    name.push_back(std::move(label));
    at += 1 + length;
  }
  return name;
}

// Header only: the id and opcode of `packet`, no sections.
std::string refusal(std::string_view packet, Rcode rcode) {
  std::string reply(packet.substr(0, kHeaderBytes));
  reply[2] = static_cast<char>((bytes_of(packet)[2] & 0x79) | 0x80);  // QR; opcode and RD as they came
  reply[3] = static_cast<char>(rcode);
  std::fill(reply.begin() + 4, reply.end(), '\0');
  return reply;
}

// nullptr if the text is no name (a label over 63 bytes, over 255 in all).
ldns_rdf* name_data(std::string_view text) {
  std::string wire;
  for (const std::string& label : name_of(text)) {
    if (label.size() > 63) return nullptr;
    wire.push_back(static_cast<char>(label.size()));
    wire.append(label);
  }
  wire.push_back('\0');
  if (wire.size() > 255) return nullptr;
  return ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, wire.size(), wire.data());
}

class ReplyBuilder {
 public:
  ReplyBuilder(const Query& query, const Reply& reply) : query_(query), reply_(reply), packet_(ldns_pkt_new()) {
    ldns_pkt* raw = packet_.get();
    ldns_pkt_set_id(raw, query.id);
    ldns_pkt_set_qr(raw, true);
    ldns_pkt_set_rd(raw, query.recursion_desired);
    ldns_pkt_set_ra(raw, true);
    ldns_pkt_set_aa(raw, reply.authoritative);
    ldns_pkt_set_rcode(raw, static_cast<uint8_t>(reply.rcode));
    if (query.edns) ldns_pkt_set_edns_udp_size(raw, kUdpBytesMax);
    if (query.unknown_edns_version) ldns_pkt_set_edns_extended_rcode(raw, 1);  // with rcode 0: BADVERS
    ldns_rr* question = ldns_rr_new();
    ldns_rr_set_question(question, true);
    ldns_rr_set_owner(question, question_name());
    ldns_rr_set_type(question, static_cast<ldns_rr_type>(query.type));
    ldns_rr_set_class(question, static_cast<ldns_rr_class>(number_at(query.question, query.question.size() - 2)));
    ldns_pkt_push_rr(raw, LDNS_SECTION_QUESTION, question);
  }

  // With the first `answers` of the answer section.
  std::string write(size_t answers, bool additional, bool truncated) {
    ldns_pkt_set_tc(packet_.get(), truncated);
    size_t left = answers;
    if (reply_.answer) {
      const auto& records = reply_.answer->records;
      for (size_t at = 0; at < records.size() && left > 0; ++at, --left) {
        // A CNAME stays first: its target's records follow it.
        bool chain = records[0].type == Type::kCname;
        push(LDNS_SECTION_ANSWER, records[chain ? at : (at + reply_.rotation) % records.size()]);
      }
    }
    push_alias_answers(left);
    if (reply_.answer && reply_.answer->records.empty() && !reply_.answer->zone.empty()) {
      push(LDNS_SECTION_AUTHORITY, {reply_.answer->zone, Type::kSoa, "ns.dns." + reply_.answer->zone});
    }
    if (additional && reply_.answer) {
      for (const Record& record : reply_.answer->additional) push(LDNS_SECTION_ADDITIONAL, record);
    }
    uint8_t* wire = nullptr;
    size_t size = 0;
    if (ldns_pkt2wire(&wire, packet_.get(), &size) != LDNS_STATUS_OK) return {};
    std::string text(reinterpret_cast<char*>(wire), size);
    free(wire);
    return text;
  }

 private:
  ldns_rdf* question_name() const {
    return ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, query_.question.size() - 4, query_.question.data());
  }

  void push(ldns_pkt_section section, const Record& record) {
    ldns_rdf* owner = record.owner.empty() ? question_name() : name_data(record.owner);
    if (!owner) return;
    ldns_rr* rr = ldns_rr_new();
    ldns_rr_set_owner(rr, owner);
    ldns_rr_set_type(rr, static_cast<ldns_rr_type>(record.type));
    ldns_rr_set_class(rr, LDNS_RR_CLASS_IN);
    ldns_rr_set_ttl(rr, kTtlSeconds);
    if (push_data(rr, record)) {
      ldns_pkt_push_rr(packet_.get(), section, rr);
    } else {
      ldns_rr_free(rr);
    }
  }

  bool push_data(ldns_rr* rr, const Record& record) const {
    auto push_number = [rr](uint16_t number) {
      ldns_rr_push_rdf(rr, ldns_native2rdf_int16(LDNS_RDF_TYPE_INT16, number));
    };
    auto push_period = [rr](uint32_t number) {
      ldns_rr_push_rdf(rr, ldns_native2rdf_int32(LDNS_RDF_TYPE_INT32, number));
    };
    switch (record.type) {
      case Type::kA:
      case Type::kAaaa:
        return ldns_rr_push_rdf(rr,
                                ldns_rdf_new_frm_data(record.type == Type::kA ? LDNS_RDF_TYPE_A : LDNS_RDF_TYPE_AAAA,
                                                      record.data.size(), record.data.data()));
      case Type::kTxt: {
        std::string text(1, static_cast<char>(record.data.size()));
        text.append(record.data);
        return ldns_rr_push_rdf(rr, ldns_rdf_new_frm_data(LDNS_RDF_TYPE_STR, text.size(), text.data()));
      }
      default:
        break;
    }
    ldns_rdf* name = name_data(record.data);
    if (!name) return false;
    if (record.type == Type::kSrv) {
      push_number(0);  // priority
      push_number(record.weight);
      push_number(record.port);
    }
    ldns_rr_push_rdf(rr, name);
    if (record.type == Type::kSoa) {
      // Responsible person, serial, refresh, retry, expire, and the time that negative answers are kept.
      ldns_rr_push_rdf(rr, name_data("hostmaster." + record.data.substr(record.data.find('.', 3) + 1)));
      for (uint32_t number : {reply_.serial, 7200u, 1800u, 86400u, kTtlSeconds}) push_period(number);
    }
    return true;
  }

  void push_alias_answers(size_t& left) {
    if (reply_.alias_reply.empty()) return;
    Packet other = read_packet(reply_.alias_reply);
    if (!other) return;
    const ldns_rr_list* answers = ldns_pkt_answer(other.get());
    for (size_t at = 0; at < ldns_rr_list_rr_count(answers) && left > 0; ++at, --left) {
      ldns_pkt_push_rr(packet_.get(), LDNS_SECTION_ANSWER, ldns_rr_clone(ldns_rr_list_rr(answers, at)));
    }
  }

  const Query& query_;
  const Reply& reply_;
  Packet packet_;
};

}  // namespace

ParsedQuery parse_query(std::string_view packet) {
  ParsedQuery parsed;
  if (packet.size() < kHeaderBytes || (bytes_of(packet)[2] & 0x80) != 0) return parsed;
  if ((bytes_of(packet)[2] & 0x78) != 0) {
    parsed.refusal = refusal(packet, Rcode::kNotImplemented);
    return parsed;
  }
  std::string_view question = number_at(packet, 4) == 1 ? question_of(packet) : std::string_view();
  Packet read = question.empty() ? nullptr : read_packet(packet);
  if (!read) {
    parsed.refusal = refusal(packet, Rcode::kFormatError);
    return parsed;
  }
  constexpr uint16_t kClassIn = 1;
  constexpr uint16_t kClassAny = 255;
  uint16_t the_class = number_at(question, question.size() - 2);
  if (the_class != kClassIn && the_class != kClassAny) {
    parsed.refusal = refusal(packet, Rcode::kRefused);
    return parsed;
  }
  Query query;
  query.id = number_at(packet, 0);
  query.recursion_desired = (bytes_of(packet)[2] & 0x01) != 0;
  query.name = name_in(question);
  query.question = question;
  query.type = number_at(question, question.size() - 4);
  query.edns = ldns_pkt_edns(read.get());
  if (query.edns) {
    query.unknown_edns_version = ldns_pkt_edns_version(read.get()) > 0;
    query.udp_bytes_max = std::clamp<size_t>(ldns_pkt_edns_udp_size(read.get()), kUdpBytesPlain, kUdpBytesMax);
  }
  parsed.query = std::move(query);
  return parsed;
}

std::string write_reply(const Query& query, const Reply& reply, size_t bytes_max) {
  size_t all = SIZE_MAX;
  std::string text = ReplyBuilder(query, reply).write(all, true, false);
  if (text.size() > bytes_max) text = ReplyBuilder(query, reply).write(all, false, false);
  if (text.size() <= bytes_max && !text.empty()) return text;
  // How many answers fit: each takes at least 12 bytes.
  size_t fitting = 0;
  for (size_t low = 0, high = bytes_max / 12 + 1; low < high;) {
    size_t middle = (low + high) / 2;
    if (ReplyBuilder(query, reply).write(middle, false, true).size() <= bytes_max) {
      fitting = middle;
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return ReplyBuilder(query, reply).write(fitting, false, true);
}

std::string write_bad_version(const Query& query) {
  Reply reply;
  reply.authoritative = false;
  return write_reply(query, reply, kUdpBytesPlain);
}

std::string write_query(uint16_t id, const Name& name, uint16_t type) {
  std::string packet;
  auto number = [&packet](uint16_t value) {
    packet.push_back(static_cast<char>(value >> 8));
    packet.push_back(static_cast<char>(value & 0xff));
  };
  // Header: recursion desired, one question, one additional record.
  for (uint16_t value : {id, uint16_t{0x0100}, uint16_t{1}, uint16_t{0}, uint16_t{0}, uint16_t{1}}) number(value);
  for (const std::string& label : name) {
    packet.push_back(static_cast<char>(label.size()));
    packet.append(label);
  }
  packet.push_back('\0');
  number(type);
  number(1);               // class IN
  packet.push_back('\0');  // OPT: root name, type 41, size, no flags, no options
  for (uint16_t value : {uint16_t{41}, static_cast<uint16_t>(kUdpBytesMax), uint16_t{0}, uint16_t{0}, uint16_t{0}}) {
    number(value);
  }
  return packet;
}

bool answers_question(std::string_view packet, std::string_view query_packet) {
  if (packet.size() < kHeaderBytes || (bytes_of(packet)[2] & 0x80) == 0) return false;
  std::string_view asked = question_of(query_packet);
  // Some servers send an error without repeating the question.
  if (number_at(packet, 4) == 0) return rcode_of(packet) != Rcode::kNoError;
  if (number_at(packet, 4) != 1) return false;
  std::string_view answered = question_of(packet);
  return !asked.empty() && std::equal(asked.begin(), asked.end(), answered.begin(), answered.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  });
}

bool is_truncated(std::string_view packet) {
  return packet.size() >= kHeaderBytes && (bytes_of(packet)[2] & 0x02) != 0;
}

Rcode rcode_of(std::string_view packet) {
  return packet.size() < kHeaderBytes ? Rcode::kServerFailure : static_cast<Rcode>(bytes_of(packet)[3] & 0x0f);
}

}  // namespace stead::network::dns
