#include "network/dns/name_index.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>
#include <utility>

namespace stead::network::dns {
namespace {

constexpr char kSchemaVersion[] = "1.1.0";
constexpr int kAliasesMax = 8;  // in-zone CNAME chain; a longer one is a loop

bool wants_address(Type type, const std::string& bytes) {
  return type == Type::kAny || (type == Type::kA && bytes.size() == 4) || (type == Type::kAaaa && bytes.size() == 16);
}

Record address_record(const std::string& bytes, std::string owner = {}) {
  return {std::move(owner), bytes.size() == 4 ? Type::kA : Type::kAaaa, bytes};
}

Answer::Outcome found_or_no_data(const Answer& answer) {
  return answer.records.empty() ? Answer::Outcome::kNoData : Answer::Outcome::kFound;
}

Answer outcome(Answer::Outcome kind) {
  Answer answer;
  answer.outcome = kind;
  return answer;
}

Answer addresses(const std::set<std::string>& all, Type type) {
  Answer answer;
  for (const std::string& bytes : all) {
    if (wants_address(type, bytes)) answer.records.push_back(address_record(bytes));
  }
  answer.outcome = found_or_no_data(answer);
  return answer;
}

// RFC 2782: equal priority, and weights that share a hundred.
void set_weights(Answer& answer) {
  size_t count = std::max<size_t>(answer.records.size(), 1);
  auto weight = static_cast<uint16_t>(std::max<size_t>(100 / count, 1));
  for (Record& record : answer.records) record.weight = weight;
}

// Which ports a question is about; empty fields match all.
struct PortFilter {
  std::string name;
  std::string protocol;
  bool matches(const ServicePort& port) const {
    return (name.empty() || name == port.name) && (protocol.empty() || protocol == port.protocol);
  }
};

// The endpoints of a service, all or those of one name.
class EndpointView {
 public:
  EndpointView(std::vector<const SliceEntry*> slices, std::string only)
      : slices_(std::move(slices)), only_(std::move(only)) {}

  std::set<std::string> addresses() const {
    std::set<std::string> found;
    for (const SliceEntry* slice : slices_) {
      for (const Endpoint& endpoint : slice->endpoints) {
        if (shown(endpoint)) found.insert(endpoint.address);
      }
    }
    return found;
  }

  bool has_port(const PortFilter& filter) const {
    return std::any_of(slices_.begin(), slices_.end(), [&](const SliceEntry* slice) {
      return !slice->endpoints.empty() && std::any_of(slice->ports.begin(), slice->ports.end(),
                                                      [&](const auto& port) { return filter.matches(port); });
    });
  }

  // `suffix`: the service's full name.
  Answer srv(const PortFilter& filter, const std::string& suffix) const {
    std::set<std::pair<std::string, uint16_t>> targets;
    std::set<std::pair<std::string, std::string>> target_addresses;
    for (const SliceEntry* slice : slices_) {
      for (const ServicePort& port : slice->ports) {
        if (!filter.matches(port)) continue;
        for (const Endpoint& endpoint : slice->endpoints) {
          if (!shown(endpoint)) continue;
          std::string target = endpoint.name + "." + suffix;
          targets.emplace(target, port.port);
          target_addresses.emplace(target, endpoint.address);
        }
      }
    }
    Answer answer;
    for (const auto& [target, port] : targets) answer.records.push_back({{}, Type::kSrv, target, port});
    for (const auto& [target, bytes] : target_addresses) answer.additional.push_back(address_record(bytes, target));
    set_weights(answer);
    answer.outcome = found_or_no_data(answer);
    return answer;
  }

 private:
  bool shown(const Endpoint& endpoint) const { return only_.empty() || endpoint.name == only_; }

  std::vector<const SliceEntry*> slices_;
  std::string only_;
};

Answer cluster_srv(const ServiceEntry& service, const PortFilter& filter, const std::string& full_name) {
  Answer answer;
  for (const ServicePort& port : service.ports) {
    if (filter.matches(port)) answer.records.push_back({{}, Type::kSrv, full_name, port.port});
  }
  if (!answer.records.empty()) {
    for (const std::string& bytes : service.cluster_ips) answer.additional.push_back(address_record(bytes, full_name));
  }
  set_weights(answer);
  answer.outcome = found_or_no_data(answer);
  return answer;
}

bool same_prefix(const std::string& a, const std::string& b, int bits) {
  for (int bit = 0; bit < bits; ++bit) {
    int mask = 0x80 >> (bit % 8);
    if ((a[static_cast<size_t>(bit / 8)] & mask) != (b[static_cast<size_t>(bit / 8)] & mask)) return false;
  }
  return true;
}

// "42.10.in-addr.arpa" for 10.42.0.0/16: the smallest zone on a label boundary that holds the range.
std::string reverse_zone(const std::string& first, int bits) {
  std::string zone = first.size() == 4 ? "in-addr.arpa" : "ip6.arpa";
  if (first.size() == 4) {
    for (int at = 0; at < bits / 8; ++at) {
      zone = std::to_string(static_cast<unsigned char>(first[static_cast<size_t>(at)])) + "." + zone;
    }
    return zone;
  }
  for (int at = 0; at < bits / 4; ++at) {
    int byte = static_cast<unsigned char>(first[static_cast<size_t>(at / 2)]);
    zone = std::string(1, "0123456789abcdef"[at % 2 == 0 ? byte >> 4 : byte & 15]) + "." + zone;
  }
  return zone;
}

// A reverse name read from its most significant label on.
struct ReverseName {
  std::string bytes;  // 4 or 16; zero where the name says nothing
  int bits = 0;
  bool complete = false;  // names one address and no more
};

std::optional<ReverseName> parse_reverse(const Name& name) {
  size_t size = name.size();
  if (size < 2 || name[size - 1] != "arpa") return std::nullopt;
  bool v4 = name[size - 2] == "in-addr";
  if (!v4 && name[size - 2] != "ip6") return std::nullopt;
  ReverseName reverse;
  reverse.bytes.assign(v4 ? 4 : 16, '\0');
  const int bits_max = v4 ? 32 : 128;
  size_t at = size - 2;
  while (at > 0 && reverse.bits < bits_max) {
    const std::string& label = name[at - 1];
    int value = 0;
    auto [end, error] = std::from_chars(label.data(), label.data() + label.size(), value, v4 ? 10 : 16);
    bool fine = error == std::errc() && end == label.data() + label.size() && value >= 0 && value <= (v4 ? 255 : 15) &&
                label.size() <= (v4 ? 3u : 1u);
    if (!fine) break;
    char& byte = reverse.bytes[static_cast<size_t>(reverse.bits / 8)];
    byte = static_cast<char>(v4 || reverse.bits % 8 == 4 ? (static_cast<unsigned char>(byte) | value) : (value << 4));
    reverse.bits += v4 ? 8 : 4;
    --at;
  }
  reverse.complete = at == 0 && reverse.bits == bits_max;
  return reverse;
}

}  // namespace

Name name_of(std::string_view text) {
  Name labels;
  std::string label;
  for (char c : text) {
    if (c != '.') {
      label.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    } else if (!label.empty()) {
      labels.push_back(std::exchange(label, {}));
    }
  }
  if (!label.empty()) labels.push_back(std::move(label));
  return labels;
}

std::string name_text(const Name& name) {
  std::string text;
  for (const std::string& label : name) {
    if (!text.empty()) text.push_back('.');
    text.append(label);
  }
  return text;
}

Result<NameIndex> NameIndex::make(const Options& options) {
  NameIndex index;
  index.domain_labels_ = name_of(options.domain);
  index.domain_ = name_text(index.domain_labels_);
  if (index.domain_labels_.empty() || index.domain_.size() > 200) {
    return make_error(Reason::kBadRequest, "domain: \"" + options.domain + "\" is not a DNS domain");
  }
  for (const std::string& cidr : options.cidrs) {
    size_t slash = cidr.find('/');
    auto first = address_bytes(std::string_view(cidr).substr(0, slash));
    int bits = -1;
    if (slash != std::string::npos) std::from_chars(cidr.data() + slash + 1, cidr.data() + cidr.size(), bits);
    if (!first || bits < 0 || bits > static_cast<int>(first->size()) * 8) {
      return make_error(Reason::kBadRequest, "cidrs: \"" + cidr + "\" is not an address range");
    }
    index.ranges_.push_back({*first, bits, reverse_zone(*first, bits)});
  }
  for (const std::string& address : options.addresses) {
    if (auto bytes = address_bytes(address)) index.addresses_.push_back(std::move(*bytes));
  }
  return index;
}

std::string NameIndex::full_name(std::string_view front) const { return std::string(front) + "." + domain_; }

Answer NameIndex::resolve(const Name& name, Type type) const {
  bool reverse_is_ours = false;
  Answer reverse = resolve_reverse(name, type, reverse_is_ours);
  if (reverse_is_ours) return reverse;
  return resolve_in_zone(name, type, kAliasesMax);
}

Answer NameIndex::resolve_in_zone(const Name& name, Type type, int aliases_left) const {
  if (name.size() < domain_labels_.size() ||
      !std::equal(domain_labels_.rbegin(), domain_labels_.rend(), name.rbegin())) {
    return outcome(Answer::Outcome::kNotOurs);
  }
  const Name front(name.begin(), name.end() - static_cast<ptrdiff_t>(domain_labels_.size()));
  Answer answer = outcome(Answer::Outcome::kNoSuchName);
  if (front.empty()) {
    answer = apex(type);
  } else if (front == Name{"dns-version"}) {
    answer.outcome = Answer::Outcome::kNoData;
    if (type == Type::kTxt || type == Type::kAny) {
      answer.records.push_back({{}, Type::kTxt, kSchemaVersion});
      answer.outcome = Answer::Outcome::kFound;
    }
  } else if (front == Name{"dns"}) {
    answer.outcome = Answer::Outcome::kNoData;
  } else if (front == Name{"ns", "dns"}) {
    answer = addresses({addresses_.begin(), addresses_.end()}, type);
  } else if (front.back() == "pod") {
    if (front.size() <= 2) answer.outcome = Answer::Outcome::kNoData;
    if (front.size() == 3) answer = resolve_pod(front[0], type);
  } else if (front.back() == "svc") {
    size_t size = front.size();
    if (size == 1 || (size == 2 && records_.has_namespace(front[0]))) {
      answer.outcome = Answer::Outcome::kNoData;
    } else if (size >= 3) {
      const ServiceEntry* service = records_.service(front[size - 2] + "/" + front[size - 3]);
      if (service) answer = resolve_service({front.begin(), front.end() - 3}, *service, type, aliases_left);
    }
  }
  answer.zone = domain_;
  return answer;
}

// `front`: the labels before the service's own.
Answer NameIndex::resolve_service(const Name& front, const ServiceEntry& service, Type type, int aliases_left) const {
  const std::string full = full_name(service.name + "." + service.ns + ".svc");
  if (!service.external_name.empty()) {
    if (!front.empty() || address_bytes(service.external_name)) return outcome(Answer::Outcome::kNoSuchName);
    Answer answer = outcome(Answer::Outcome::kFound);
    answer.records.push_back({{}, Type::kCname, service.external_name});
    if (type == Type::kCname || aliases_left == 0) return answer;
    // Stub resolvers follow no CNAME themselves: they expect the whole chain.
    Answer target = resolve_in_zone(name_of(service.external_name), type, aliases_left - 1);
    if (target.outcome == Answer::Outcome::kNotOurs) answer.outside_alias = service.external_name;
    if (!target.outside_alias.empty()) answer.outside_alias = target.outside_alias;
    for (Record& record : target.records) {
      if (record.owner.empty()) record.owner = service.external_name;
      answer.records.push_back(std::move(record));
    }
    return answer;
  }

  bool one_endpoint = front.size() == 1 && !front[0].starts_with('_');
  if (front.size() > 2) return outcome(Answer::Outcome::kNoSuchName);
  EndpointView endpoints(records_.slices_of(service.ns + "/" + service.name), one_endpoint ? front[0] : "");
  bool by_endpoint = service.headless || one_endpoint;
  if (front.empty() || one_endpoint) {
    std::set<std::string> all = by_endpoint
                                    ? endpoints.addresses()
                                    : std::set<std::string>(service.cluster_ips.begin(), service.cluster_ips.end());
    if (all.empty()) return outcome(Answer::Outcome::kNoSuchName);
    if (type != Type::kSrv) return addresses(all, type);
    return by_endpoint ? endpoints.srv({}, full) : cluster_srv(service, {}, full);
  }

  PortFilter filter;
  filter.protocol = front.back();
  filter.name = front.size() == 2 ? front[0] : "_";
  if (filter.protocol.size() < 2 || filter.protocol[0] != '_' || filter.name[0] != '_') {
    return outcome(Answer::Outcome::kNoSuchName);
  }
  filter.protocol.erase(0, 1);
  filter.name.erase(0, 1);
  if (front.size() == 2 && filter.name.empty()) return outcome(Answer::Outcome::kNoSuchName);
  bool there = by_endpoint ? endpoints.has_port(filter)
                           : std::any_of(service.ports.begin(), service.ports.end(),
                                         [&](const ServicePort& port) { return filter.matches(port); });
  if (!there) return outcome(Answer::Outcome::kNoSuchName);
  bool asked = front.size() == 2 && (type == Type::kSrv || type == Type::kAny);
  if (!asked) return outcome(Answer::Outcome::kNoData);
  return by_endpoint ? endpoints.srv(filter, full) : cluster_srv(service, filter, full);
}

Answer NameIndex::resolve_pod(const std::string& label, Type type) const {
  bool v4 = std::count(label.begin(), label.end(), '-') == 3 && label.find("--") == std::string::npos;
  std::string text = label;
  std::replace(text.begin(), text.end(), '-', v4 ? '.' : ':');
  auto bytes = address_bytes(text);
  return bytes ? addresses({*bytes}, type) : outcome(Answer::Outcome::kNoSuchName);
}

Answer NameIndex::apex(Type type) const {
  Answer answer = outcome(Answer::Outcome::kFound);
  const std::string server = full_name("ns.dns");
  if (type == Type::kSoa || type == Type::kAny) answer.records.push_back({{}, Type::kSoa, server});
  if (type == Type::kNs || type == Type::kAny) {
    answer.records.push_back({{}, Type::kNs, server});
    for (const std::string& bytes : addresses_) answer.additional.push_back(address_record(bytes, server));
  }
  answer.outcome = found_or_no_data(answer);
  return answer;
}

Answer NameIndex::resolve_reverse(const Name& name, Type type, bool& ours) const {
  auto reverse = parse_reverse(name);
  if (!reverse) return {};
  Answer answer;
  for (const Range& range : ranges_) {
    if (range.first.size() != reverse->bytes.size() || reverse->bits < range.bits) continue;
    if (!same_prefix(range.first, reverse->bytes, range.bits)) continue;
    ours = true;
    answer.zone = range.zone;
    int bits_max = static_cast<int>(reverse->bytes.size()) * 8;
    bool above =
        reverse->bits < bits_max && name.size() == 2 + static_cast<size_t>(reverse->bits) / (bits_max == 32 ? 8 : 4);
    answer.outcome = above ? Answer::Outcome::kNoData : Answer::Outcome::kNoSuchName;
  }
  if (!reverse->complete) return answer;
  // Endpoints outside the ranges, those on the host's network, have names too.
  std::vector<std::string> names;
  if (const ServiceEntry* service = records_.service_at(reverse->bytes)) {
    names.push_back(service->name + "." + service->ns);
  } else {
    std::set<std::string> endpoints = records_.endpoint_names_at(reverse->bytes);
    names.assign(endpoints.begin(), endpoints.end());
  }
  if (names.empty()) return answer;
  if (!ours) answer.zone = reverse->bytes.size() == 4 ? "in-addr.arpa" : "ip6.arpa";
  ours = true;
  if (type == Type::kPtr || type == Type::kAny) {
    for (const std::string& front : names) answer.records.push_back({{}, Type::kPtr, full_name(front + ".svc")});
  }
  answer.outcome = found_or_no_data(answer);
  return answer;
}

}  // namespace stead::network::dns
