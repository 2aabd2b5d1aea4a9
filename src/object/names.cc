#include "object/names.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace stead::object {
namespace {

constexpr std::string_view kLabelForm = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
constexpr std::string_view kSubdomainForm = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
constexpr std::string_view kDns1035Form = "[a-z]([-a-z0-9]*[a-z0-9])?";
constexpr std::string_view kKeyForm = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
constexpr size_t kLabelMax = 63;
constexpr size_t kSubdomainMax = 253;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower_alnum(char c) { return is_lower(c) || is_digit(c); }
bool is_alnum(char c) { return is_lower_alnum(c) || (c >= 'A' && c <= 'Z'); }

template <class Rule>
bool all(std::string_view text, Rule rule) {
  return std::all_of(text.begin(), text.end(), rule);
}

// Sentences of one check.
class Sentences {
 public:
  void add(std::string_view sentence) {
    if (!text_.empty()) text_ += kBetweenSentences;
    text_ += prefix_;
    text_ += sentence;
  }
  void too_long(size_t length, size_t length_max) {
    if (length > length_max) add("must be no more than " + std::to_string(length_max) + " characters");
  }
  void form(std::string_view rule, std::string_view expression, std::initializer_list<std::string_view> examples) {
    add(form_sentence(rule, expression, examples));
  }
  static std::string form_sentence(std::string_view rule, std::string_view expression,
                                   std::initializer_list<std::string_view> examples) {
    std::string text(rule);
    text += " (";
    std::string_view lead = "e.g. ";
    for (std::string_view example : examples) {
      text += lead;
      text += "'";
      text += example;
      text += "', ";
      lead = " or ";
    }
    text += "regex used for validation is '";
    text += expression;
    text += "')";
    return text;
  }
  void prefix(std::string_view prefix) { prefix_ = prefix; }
  std::string str() && { return std::move(text_); }

 private:
  std::string text_;
  std::string_view prefix_;
};

bool label_form(std::string_view text) {
  return !text.empty() && is_lower_alnum(text.front()) && is_lower_alnum(text.back()) &&
         all(text, [](char c) { return is_lower_alnum(c) || c == '-'; });
}

bool subdomain_form(std::string_view text) {
  for (;;) {
    size_t dot = text.find('.');
    if (!label_form(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool key_form(std::string_view text) {
  return !text.empty() && is_alnum(text.front()) && is_alnum(text.back()) &&
         all(text, [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; });
}

void subdomain_into(std::string_view text, Sentences& found) {
  found.too_long(text.size(), kSubdomainMax);
  if (!subdomain_form(text)) {
    found.form(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
        "start and end with an alphanumeric character",
        kSubdomainForm, {"example.com"});
  }
}

void no_parent_directory(std::string_view text, Sentences& found) {
  if (text == ".") {
    found.add("must not be '.'");
  } else if (text == "..") {
    found.add("must not be '..'");
  } else if (text.starts_with("..")) {
    found.add("must not start with '..'");
  }
}

// Kubernetes accepts leading zeros in stored IPv4 addresses ("legacy" fields); inet_pton alone would not.
bool ipv4_form(std::string_view text) {
  int parts = 0;
  for (;;) {
    size_t dot = text.find('.');
    std::string_view part = text.substr(0, dot);
    unsigned number = 0;
    auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
    if (part.empty() || error != std::errc() || end != part.data() + part.size() || number > 255) return false;
    ++parts;
    if (dot == std::string_view::npos) return parts == 4;
    text.remove_prefix(dot + 1);
  }
}

bool ipv6_form(std::string_view text) {
  std::array<char, 64> copy{};
  if (text.size() >= copy.size() || text.find('\0') != std::string_view::npos) return false;
  std::copy(text.begin(), text.end(), copy.begin());
  in6_addr address;
  return inet_pton(AF_INET6, copy.data(), &address) == 1;
}

std::string check_path(std::string_view text, bool absolute) {
  if (text.empty()) return {};
  if (absolute != text.starts_with('/')) return absolute ? "must be an absolute path" : "must be a relative path";
  if (absolute) return {};
  while (!text.empty()) {
    size_t slash = text.find('/');
    if (text.substr(0, slash) == "..") return "must not contain '..'";
    text.remove_prefix(slash == std::string_view::npos ? text.size() : slash + 1);
  }
  return {};
}

}  // namespace

std::string check_dns1123_label(std::string_view text) {
  Sentences found;
  found.too_long(text.size(), kLabelMax);
  if (!label_form(text)) {
    if (subdomain_form(text)) {
      found.add("must not contain dots");
    } else {
      found.form(
          "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and "
          "end with an alphanumeric character",
          kLabelForm, {"my-name", "123-abc"});
    }
  }
  return std::move(found).str();
}

std::string check_dns1123_subdomain(std::string_view text) {
  Sentences found;
  subdomain_into(text, found);
  return std::move(found).str();
}

std::string check_dns1035_label(std::string_view text) {
  Sentences found;
  found.too_long(text.size(), kLabelMax);
  if (!label_form(text) || !is_lower(text.front())) {
    found.form(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
        "character, and end with an alphanumeric character",
        kDns1035Form, {"my-name", "abc-123"});
  }
  return std::move(found).str();
}

std::string check_qualified_name(std::string_view text) {
  constexpr std::string_view kRule =
      "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  Sentences found;
  std::string_view name = text;
  if (auto slashes = std::count(text.begin(), text.end(), '/'); slashes > 1) {
    return "a valid label key " + Sentences::form_sentence(kRule, kKeyForm, {"MyName", "my.name", "123-abc"}) +
           " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
  } else if (slashes == 1) {
    std::string_view prefix = text.substr(0, text.find('/'));
    name = text.substr(prefix.size() + 1);
    found.prefix("prefix part ");
    if (prefix.empty()) {
      found.add("must be non-empty");
    } else {
      subdomain_into(prefix, found);
    }
  }
  found.prefix("name part ");
  if (name.empty()) found.add("must be non-empty");
  found.too_long(name.size(), kLabelMax);
  if (!key_form(name)) found.form(kRule, kKeyForm, {"MyName", "my.name", "123-abc"});
  return std::move(found).str();
}

std::string check_label_value(std::string_view text) {
  Sentences found;
  found.too_long(text.size(), kLabelMax);
  if (!text.empty() && !key_form(text)) {
    found.form(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
        "and end with an alphanumeric character",
        "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?", {"MyValue", "my_value", "12345"});
  }
  return std::move(found).str();
}

std::string check_config_map_key(std::string_view text) {
  Sentences found;
  found.too_long(text.size(), kSubdomainMax);
  if (text.empty() || !all(text, [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; })) {
    found.form("a valid config key must consist of alphanumeric characters, '-', '_' or '.'", "[-._a-zA-Z0-9]+",
               {"key.name", "KEY_NAME", "key-name"});
  }
  no_parent_directory(text, found);
  return std::move(found).str();
}

std::string check_env_var_name(std::string_view text) {
  if (text.empty()) return "environment variable name must be non-empty";
  if (all(text, [](char c) { return c >= 0x20 && c < 0x7f && c != '='; })) return {};
  return "a valid environment variable name must consist only of printable ASCII characters other than '='";
}

std::string check_port_name(std::string_view text) {
  Sentences found;
  found.too_long(text.size(), 15);
  if (text.empty() || !all(text, [](char c) { return is_lower_alnum(c) || c == '-'; })) {
    found.add("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (std::none_of(text.begin(), text.end(), is_lower)) found.add("must contain at least one letter (a-z)");
  if (text.find("--") != std::string_view::npos) found.add("must not contain consecutive hyphens");
  if (text.starts_with('-') || text.ends_with('-')) found.add("must not begin or end with a hyphen");
  return std::move(found).str();
}

std::string check_path_segment(std::string_view text) {
  Sentences found;
  if (text == "." || text == "..") {
    found.add("may not be '" + std::string(text) + "'");
  } else {
    if (text.find('/') != std::string_view::npos) found.add("may not contain '/'");
    if (text.find('%') != std::string_view::npos) found.add("may not contain '%'");
  }
  return std::move(found).str();
}

std::string check_ip(std::string_view text) {
  if (ipv4_form(text) || ipv6_form(text)) return {};
  return "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
}

std::string check_cidr(std::string_view text) {
  size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    std::string_view address = text.substr(0, slash);
    std::string_view bits = text.substr(slash + 1);
    unsigned number = 0;
    auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), number);
    bool whole = !bits.empty() && error == std::errc() && end == bits.data() + bits.size();
    if (whole && ((ipv4_form(address) && number <= 32) || (ipv6_form(address) && number <= 128))) return {};
  }
  return "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
}

namespace {

// The bytes of a range's address (4 or 16), and how many of its bits are fixed.
struct AddressRange {
  std::array<uint8_t, 16> bytes{};
  size_t size = 0;
  size_t bits = 0;
};

AddressRange read_range(std::string_view text) {
  AddressRange range;
  size_t slash = std::min(text.find('/'), text.size());
  std::string address(text.substr(0, slash));
  bool is_v6 = address.find(':') != std::string::npos;
  range.size = is_v6 ? 16 : 4;
  inet_pton(is_v6 ? AF_INET6 : AF_INET, address.c_str(), range.bytes.data());
  std::from_chars(text.data() + std::min(slash + 1, text.size()), text.data() + text.size(), range.bits);
  return range;
}

}  // namespace

bool is_strict_subset(std::string_view inner, std::string_view outer) {
  AddressRange small = read_range(inner);
  AddressRange large = read_range(outer);
  if (small.size != large.size || small.bits <= large.bits) return false;
  for (size_t bit = 0; bit < large.bits; ++bit) {
    uint8_t mask = static_cast<uint8_t>(0x80 >> (bit % 8));
    if ((small.bytes[bit / 8] & mask) != (large.bytes[bit / 8] & mask)) return false;
  }
  return true;
}

std::string check_format(std::string_view format, std::string_view text) {
  if (format == "dns1123Label") return check_dns1123_label(text);
  if (format == "dns1123Subdomain") return check_dns1123_subdomain(text);
  if (format == "dns1035Label") return check_dns1035_label(text);
  if (format == "qualifiedName") return check_qualified_name(text);
  if (format == "labelValue") return check_label_value(text);
  if (format == "configMapKey") return check_config_map_key(text);
  if (format == "envVarName") return check_env_var_name(text);
  if (format == "portName") return check_port_name(text);
  if (format == "pathSegment") return check_path_segment(text);
  if (format == "ip") return check_ip(text);
  if (format == "cidr") return check_cidr(text);
  if (format == "path") return check_path(text, false);
  if (format == "absolutePath") return check_path(text, true);
  return {};
}

}  // namespace stead::object
