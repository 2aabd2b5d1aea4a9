#pragma once

// A range of IPv4 addresses, "10.42.0.0/16". Pure values.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stead {

struct Ipv4Range {
  uint32_t first = 0;
  uint32_t last = 0;
  int prefix = 32;

  // nullopt unless `text` is an address and a prefix length between 0 and 32; bits behind the prefix are cleared.
  static std::optional<Ipv4Range> parse(std::string_view text);

  bool overlaps(const Ipv4Range& other) const { return first <= other.last && other.first <= last; }
  bool holds(uint32_t address) const { return first <= address && address <= last; }
  bool holds(std::string_view address) const;
  std::string text() const;
};

// nullopt if `text` is no IPv4 address.
std::optional<uint32_t> parse_ipv4(std::string_view text);
std::string ipv4_text(uint32_t address);

}  // namespace stead
