#include "base/ipv4_range.h"

#include <arpa/inet.h>

#include <charconv>

namespace stead {

std::optional<uint32_t> parse_ipv4(std::string_view text) {
  in_addr parsed{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &parsed) != 1) return std::nullopt;
  return ntohl(parsed.s_addr);
}

std::string ipv4_text(uint32_t address) {
  in_addr raw{htonl(address)};
  char text[INET_ADDRSTRLEN];
  return inet_ntop(AF_INET, &raw, text, sizeof text);
}

std::optional<Ipv4Range> Ipv4Range::parse(std::string_view text) {
  size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  std::optional<uint32_t> address = parse_ipv4(text.substr(0, slash));
  std::string_view length = text.substr(slash + 1);
  int prefix = -1;
  auto [stop, error] = std::from_chars(length.data(), length.data() + length.size(), prefix);
  if (!address || error != std::errc() || stop != length.data() + length.size() || prefix < 0 || prefix > 32) {
    return std::nullopt;
  }
  uint32_t mask = prefix == 0 ? 0 : ~uint32_t{0} << (32 - prefix);
  return Ipv4Range{*address & mask, (*address & mask) | ~mask, prefix};
}

bool Ipv4Range::holds(std::string_view address) const {
  std::optional<uint32_t> number = parse_ipv4(address);
  return number && holds(*number);
}

std::string Ipv4Range::text() const { return ipv4_text(first) + "/" + std::to_string(prefix); }

}  // namespace stead
