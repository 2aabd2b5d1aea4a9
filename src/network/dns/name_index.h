#pragma once

// NameIndex: questions about the cluster's names, answered as Kubernetes DNS-Based Service Discovery 1.1.0 says:
//
//   dns-version.ZONE                          TXT
//   SERVICE.NS.svc.ZONE                       A/AAAA of the cluster address, or of each endpoint of a headless service;
//                                             SRV of all ports (peer finders ask so); CNAME of an external name
//   ENDPOINT.SERVICE.NS.svc.ZONE              A/AAAA, SRV of one endpoint
//   _PORT._PROTOCOL.SERVICE.NS.svc.ZONE       SRV of one named port
//   1-2-3-4.NS.pod.ZONE                       A/AAAA of the address in the name
//   4.3.2.1.in-addr.arpa, … .ip6.arpa         PTR of service addresses and endpoints
//
// Where the specification is silent it answers as CoreDNS does. Pure; one thread.

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "network/dns/service_records.h"

namespace stead::network::dns {

// Labels of a name, lower case, most specific first: {"web", "default", "svc", "cluster", "local"}.
using Name = std::vector<std::string>;
// Splits at dots; empty labels are dropped.
Name name_of(std::string_view text);
std::string name_text(const Name& name);

enum class Type : uint16_t {
  kA = 1,
  kNs = 2,
  kCname = 5,
  kSoa = 6,
  kPtr = 12,
  kTxt = 16,
  kAaaa = 28,
  kSrv = 33,
  kAny = 255,
};

struct Record {
  std::string owner;  // empty: the name asked for
  Type type = Type::kA;
  std::string data;     // A, AAAA: the address's bytes; TXT: the text; others: a name
  uint16_t port = 0;    // SRV
  uint16_t weight = 0;  // SRV
  friend bool operator==(const Record&, const Record&) = default;
};

struct Answer {
  enum class Outcome : uint8_t {
    kNotOurs,  // to be forwarded
    kFound,
    kNoData,      // the name is there, this type is not
    kNoSuchName,  // NXDOMAIN
  };
  Outcome outcome = Outcome::kNotOurs;
  std::vector<Record> records;
  std::vector<Record> additional;
  std::string zone;           // where ours: the owner of the SOA record that goes with negative answers
  std::string outside_alias;  // the records end in a CNAME to this name, which is not ours to resolve
};

class NameIndex {
 public:
  struct Options {
    std::string domain = "cluster.local";
    std::vector<std::string> cidrs;      // the ranges whose reverse names are ours: pods and services
    std::vector<std::string> addresses;  // where this server is reached, for ns.dns.ZONE
  };
  // kBadRequest names the domain or range that is none.
  static Result<NameIndex> make(const Options& options);

  ServiceRecords& records() { return records_; }

  // `name` in lower case. Never fails; nothing outside the zones is ever kFound.
  Answer resolve(const Name& name, Type type) const;

 private:
  struct Range {
    std::string first;  // bytes
    int bits = 0;
    std::string zone;
  };

  NameIndex() = default;
  Answer resolve_in_zone(const Name& name, Type type, int aliases_left) const;
  Answer resolve_service(const Name& front, const ServiceEntry& service, Type type, int aliases_left) const;
  Answer resolve_reverse(const Name& name, Type type, bool& ours) const;
  Answer resolve_pod(const std::string& label, Type type) const;
  Answer apex(Type type) const;
  std::string full_name(std::string_view front) const;

  std::string domain_;
  Name domain_labels_;
  std::vector<Range> ranges_;
  std::vector<std::string> addresses_;  // bytes
  ServiceRecords records_;
};

}  // namespace stead::network::dns
