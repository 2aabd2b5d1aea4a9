#pragma once

// Rules for names and label syntax (RFC 1123, RFC 1035, Kubernetes' validation package). Each returns the empty
// string when `text` is fine, otherwise the sentence clients know.

#include <string>
#include <string_view>

namespace stead::object {

inline constexpr std::string_view kBetweenSentences = "; ";

std::string check_dns1123_label(std::string_view text);
std::string check_dns1123_subdomain(std::string_view text);
std::string check_dns1035_label(std::string_view text);
std::string check_qualified_name(std::string_view text);  // label keys: [prefix/]name
std::string check_label_value(std::string_view text);
std::string check_config_map_key(std::string_view text);
std::string check_env_var_name(std::string_view text);  // relaxed rules of v1.34+: printable ASCII but '='
std::string check_port_name(std::string_view text);     // IANA service name
std::string check_path_segment(std::string_view text);  // names that are not DNS: no '/', '%', not '.' or '..'
std::string check_ip(std::string_view text);
std::string check_cidr(std::string_view text);
// Whether every address of `inner` is one of `outer`, which has more. Both must pass check_cidr().
bool is_strict_subset(std::string_view inner, std::string_view outer);
// Dispatches on a Field.format name; empty for unknown formats.
std::string check_format(std::string_view format, std::string_view text);

}  // namespace stead::object
