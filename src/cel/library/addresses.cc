#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "cel/library/library.h"
#include "cel/library/opaque.h"
#include "object/quote.h"

namespace stead::cel {

namespace {

struct Address {
  static constexpr std::string_view kTypeName = "net.IP";
  bool v6 = false;
  std::array<uint8_t, 16> bytes{};  // the first four for IPv4
  uint64_t size() const { return v6 ? 16 : 4; }
  friend bool operator==(const Address&, const Address&) = default;
};

struct Network {
  static constexpr std::string_view kTypeName = "net.CIDR";
  Address address;
  int bits = 0;
  uint64_t size() const { return address.size(); }
  friend bool operator==(const Network&, const Network&) = default;
};

bool is_mapped(const Address& address) {
  return address.v6 && address.bytes[10] == 0xff && address.bytes[11] == 0xff &&
         std::all_of(address.bytes.begin(), address.bytes.begin() + 10, [](uint8_t byte) { return byte == 0; });
}

std::optional<Address> read_address(std::string_view text) {
  Address address;
  std::string copy(text);
  if (copy.size() > INET6_ADDRSTRLEN || copy.find('\0') != std::string::npos) return std::nullopt;
  address.v6 = copy.find(':') != std::string::npos;
  if (inet_pton(address.v6 ? AF_INET6 : AF_INET, copy.c_str(), address.bytes.data()) != 1) return std::nullopt;
  return address;
}

// RFC 5952: lower case, the longest run of zero groups (two at least) shortened.
std::string address_text(const Address& address) {
  char part[8];
  std::string text;
  if (!address.v6) {
    for (size_t i = 0; i < 4; ++i) text += (i > 0 ? "." : "") + std::to_string(address.bytes[i]);
    return text;
  }
  std::array<unsigned, 8> groups{};
  for (size_t i = 0; i < 8; ++i) groups[i] = address.bytes[2 * i] * 256u + address.bytes[2 * i + 1];
  size_t run_start = 8;
  size_t run_length = 1;
  for (size_t i = 0; i < 8; ++i) {
    size_t length = 0;
    while (i + length < 8 && groups[i + length] == 0) ++length;
    if (length > run_length) {
      run_start = i;
      run_length = length;
    }
  }
  for (size_t i = 0; i < 8; ++i) {
    if (i == run_start) {
      text += "::";
      i += run_length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    text.append(part, std::to_chars(part, part + sizeof part, groups[i], 16).ptr);
  }
  return text;
}

// The address, or why it is none.
Result<Address> parse_address(std::string_view text) {
  auto fail = [](std::string message) { return make_error(Reason::kInvalid, std::move(message)); };
  std::string quoted = object::quote(text);
  size_t zone = text.find('%');
  auto address = read_address(text.substr(0, zone));
  if (!address) {
    return fail("IP Address " + quoted + " parse error during conversion from string: ParseAddr(" + quoted +
                "): unable to parse IP");
  }
  if (zone != std::string_view::npos) return fail("IP address " + quoted + " with zone value is not allowed");
  if (is_mapped(*address)) return fail("IPv4-mapped IPv6 address " + quoted + " is not allowed");
  return *address;
}

Result<Network> parse_network(std::string_view text) {
  auto fail = [&](std::string_view why) {
    return make_error(Reason::kInvalid,
                      "network address parse error during conversion from string: netip.ParsePrefix(" +
                          object::quote(text) + "): " + std::string(why));
  };
  size_t slash = text.rfind('/');
  if (slash == std::string_view::npos) return fail("no '/'");
  auto address = read_address(text.substr(0, slash));
  if (!address) return fail("unable to parse IP");
  std::string_view length = text.substr(slash + 1);
  int bits = 0;
  auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
  bool plain = !length.empty() && length[0] != '-' && (length.size() == 1 || length[0] != '0');
  if (error != std::errc() || end != length.data() + length.size() || !plain) return fail("bad bits after slash");
  if (bits > (address->v6 ? 128 : 32)) return fail("prefix length out of range");
  if (is_mapped(*address)) {
    return make_error(Reason::kInvalid, "IPv4-mapped IPv6 address " + object::quote(text) + " is not allowed");
  }
  return Network{*address, bits};
}

Address masked_address(const Address& address, int bits) {
  Address masked = address;
  for (int i = 0; i < 16; ++i) {
    int kept = std::clamp(bits - 8 * i, 0, 8);
    masked.bytes[static_cast<size_t>(i)] &= static_cast<uint8_t>(0xff00 >> kept);
  }
  return masked;
}

Value ip(const Call& call) {
  auto address = parse_address(call[0].as_string());
  return address.ok() ? hold(address.value()) : Value::error(address.error().message);
}
Value is_ip(const Call& call) { return Value::boolean(parse_address(call[0].as_string()).ok()); }
Value is_canonical(const Call& call) {
  auto address = parse_address(call[0].as_string());
  if (!address.ok()) return Value::error(address.error().message);
  return Value::boolean(address_text(address.value()) == call[0].as_string());
}
Value ip_text(const Call& call) { return Value::string(address_text(held<Address>(call[0]))); }
Value family(const Call& call) { return Value::integer(held<Address>(call[0]).v6 ? 6 : 4); }

bool is_all(const Address& address, uint8_t byte) {
  return std::all_of(address.bytes.begin(), address.bytes.begin() + address.size(),
                     [&](uint8_t each) { return each == byte; });
}
bool is_loopback(const Address& address) {
  if (!address.v6) return address.bytes[0] == 127;
  return address.bytes[15] == 1 &&
         std::all_of(address.bytes.begin(), address.bytes.end() - 1, [](uint8_t byte) { return byte == 0; });
}
bool is_link_local(const Address& address) {
  if (!address.v6) return address.bytes[0] == 169 && address.bytes[1] == 254;
  return address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80;
}
bool is_multicast(const Address& address) {
  return address.v6 ? address.bytes[0] == 0xff : (address.bytes[0] & 0xf0) == 0xe0;
}

Value ip_unspecified(const Call& call) { return Value::boolean(is_all(held<Address>(call[0]), 0)); }
Value ip_loopback(const Call& call) { return Value::boolean(is_loopback(held<Address>(call[0]))); }
Value ip_link_local_unicast(const Call& call) { return Value::boolean(is_link_local(held<Address>(call[0]))); }
Value ip_link_local_multicast(const Call& call) {
  const auto& address = held<Address>(call[0]);
  if (address.v6) return Value::boolean(address.bytes[0] == 0xff && (address.bytes[1] & 0x0f) == 2);
  return Value::boolean(address.bytes[0] == 224 && address.bytes[1] == 0 && address.bytes[2] == 0);
}
Value ip_global_unicast(const Call& call) {
  const auto& address = held<Address>(call[0]);
  bool broadcast = !address.v6 && is_all(address, 0xff);
  return Value::boolean(!broadcast && !is_all(address, 0) && !is_loopback(address) && !is_multicast(address) &&
                        !is_link_local(address));
}

Value cidr(const Call& call) {
  auto network = parse_network(call[0].as_string());
  return network.ok() ? hold(network.value()) : Value::error(network.error().message);
}
Value is_cidr(const Call& call) { return Value::boolean(parse_network(call[0].as_string()).ok()); }
Value cidr_text(const Call& call) {
  const auto& network = held<Network>(call[0]);
  return Value::string(address_text(network.address) + "/" + std::to_string(network.bits));
}
Value cidr_ip(const Call& call) { return hold(held<Network>(call[0]).address); }
Value prefix_length(const Call& call) { return Value::integer(held<Network>(call[0]).bits); }
Value masked(const Call& call) {
  const auto& network = held<Network>(call[0]);
  return hold(Network{masked_address(network.address, network.bits), network.bits});
}

bool contains(const Network& network, const Address& address) {
  return network.address.v6 == address.v6 &&
         masked_address(network.address, network.bits) == masked_address(address, network.bits);
}
Value contains_ip(const Call& call) { return Value::boolean(contains(held<Network>(call[0]), held<Address>(call[1]))); }
Value contains_ip_text(const Call& call) {
  auto address = parse_address(call[1].as_string());
  if (!address.ok()) return Value::error(address.error().message);
  return Value::boolean(contains(held<Network>(call[0]), address.value()));
}
bool contains(const Network& network, const Network& other) {
  return network.bits <= other.bits && contains(network, other.address);
}
Value contains_cidr(const Call& call) {
  return Value::boolean(contains(held<Network>(call[0]), held<Network>(call[1])));
}
Value contains_cidr_text(const Call& call) {
  auto network = parse_network(call[1].as_string());
  if (!network.ok()) return Value::error(network.error().message);
  return Value::boolean(contains(held<Network>(call[0]), network.value()));
}

constexpr Overload kAddresses[] = {
    {"ip", "string:ip", ip, CostRule::kTraverse},
    {"ip", "cidr.:ip", cidr_ip},
    {"isIP", "string:bool", is_ip, CostRule::kTraverse},
    {"ip.isCanonical", "string:bool", is_canonical, CostRule::kTraverseTwice},
    {"string", "ip:string", ip_text},
    {"family", "ip.:int", family},
    {"isUnspecified", "ip.:bool", ip_unspecified},
    {"isLoopback", "ip.:bool", ip_loopback},
    {"isLinkLocalMulticast", "ip.:bool", ip_link_local_multicast},
    {"isLinkLocalUnicast", "ip.:bool", ip_link_local_unicast},
    {"isGlobalUnicast", "ip.:bool", ip_global_unicast},
    {"cidr", "string:cidr", cidr, CostRule::kTraverse},
    {"isCIDR", "string:bool", is_cidr, CostRule::kTraverse},
    {"string", "cidr:string", cidr_text},
    {"prefixLength", "cidr.:int", prefix_length},
    {"masked", "cidr.:cidr", masked},
    {"containsIP", "cidr.string:bool", contains_ip_text, CostRule::kContainsAddress},
    {"containsIP", "cidr.ip:bool", contains_ip, CostRule::kContainsAddress},
    {"containsCIDR", "cidr.string:bool", contains_cidr_text, CostRule::kContainsNetwork},
    {"containsCIDR", "cidr.cidr:bool", contains_cidr, CostRule::kContainsNetwork},
};

}  // namespace

std::span<const Overload> address_functions() { return kAddresses; }

}  // namespace stead::cel
