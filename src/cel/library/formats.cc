#include <algorithm>
#include <array>

#include "cel/library/library.h"
#include "cel/library/opaque.h"
#include "cel/library/texts.h"
#include "cel/library/url.h"
#include "cel/times.h"
#include "object/base64.h"
#include "object/names.h"

namespace stead::cel {

namespace {

// Prefixes of generated names may end with a dash, which a letter stands for.
std::string as_prefix(std::string_view text) {
  std::string masked(text);
  if (masked.size() > 1 && masked.back() == '-') masked.replace(masked.size() - 2, 2, "a");
  return masked;
}
std::string dns1123_label_prefix(std::string_view text) { return object::check_dns1123_label(as_prefix(text)); }
std::string dns1123_subdomain_prefix(std::string_view text) { return object::check_dns1123_subdomain(as_prefix(text)); }
std::string dns1035_label_prefix(std::string_view text) { return object::check_dns1035_label(as_prefix(text)); }

std::string uri(std::string_view text) {
  auto url = parse_url(text);
  return url.ok() ? "" : url.error().message;
}

std::string uuid(std::string_view text) {
  // 8-4-4-4-12 hexadecimal digits; each dash may be missing.
  constexpr std::array<int, 5> kGroups = {8, 4, 4, 4, 12};
  for (size_t group = 0; group < kGroups.size(); ++group) {
    if (group > 0 && text.starts_with('-')) text.remove_prefix(1);
    for (int i = 0; i < kGroups[group]; ++i) {
      if (text.empty() || !std::isxdigit(static_cast<unsigned char>(text[0]))) return "does not match the UUID format";
      text.remove_prefix(1);
    }
  }
  return text.empty() ? "" : "does not match the UUID format";
}

std::string byte(std::string_view text) {
  bool broken = text.empty() || text.find_first_of("\r\n") != std::string_view::npos;
  return !broken && object::decode_base64(text).ok() ? "" : "invalid base64";
}
std::string date(std::string_view text) {
  return text.size() == 10 && parse_timestamp(std::string(text) + "T00:00:00Z") ? "" : "invalid date";
}
std::string datetime(std::string_view text) { return parse_timestamp(text) ? "" : "invalid datetime"; }

struct Format {
  std::string_view name;
  std::string (*check)(std::string_view text);  // empty: valid
};
constexpr std::array<Format, 13> kFormats = {{
    {"dns1123Label", object::check_dns1123_label},
    {"dns1123Subdomain", object::check_dns1123_subdomain},
    {"dns1035Label", object::check_dns1035_label},
    {"qualifiedName", object::check_qualified_name},
    {"dns1123LabelPrefix", dns1123_label_prefix},
    {"dns1123SubdomainPrefix", dns1123_subdomain_prefix},
    {"dns1035LabelPrefix", dns1035_label_prefix},
    {"labelValue", object::check_label_value},
    {"uri", uri},
    {"uuid", uuid},
    {"byte", byte},
    {"date", date},
    {"datetime", datetime},
}};

struct HeldFormat {
  static constexpr std::string_view kTypeName = "kubernetes.NamedFormat";
  const Format* format;
  friend bool operator==(const HeldFormat&, const HeldFormat&) = default;
};

template <size_t kIndex>
Value constant(const Call&) {
  return hold(HeldFormat{&kFormats[kIndex]});
}

Value named(const Call& call) {
  auto found = std::ranges::find(kFormats, call[0].as_string(), &Format::name);
  return found == kFormats.end() ? Value::optional_none() : Value::optional_of(hold(HeldFormat{&*found}));
}

Value validate(const Call& call) {
  std::string problem = held<HeldFormat>(call[0]).format->check(call[1].as_string());
  return problem.empty() ? Value::optional_none() : Value::optional_of(string_list({problem}));
}

constexpr Overload kFunctions[] = {
    {"format.named", "string:optional<format>", named},
    {"validate", "format.string:optional<list<string>>", validate},
    {"format.dns1123Label", ":format", constant<0>},
    {"format.dns1123Subdomain", ":format", constant<1>},
    {"format.dns1035Label", ":format", constant<2>},
    {"format.qualifiedName", ":format", constant<3>},
    {"format.dns1123LabelPrefix", ":format", constant<4>},
    {"format.dns1123SubdomainPrefix", ":format", constant<5>},
    {"format.dns1035LabelPrefix", ":format", constant<6>},
    {"format.labelValue", ":format", constant<7>},
    {"format.uri", ":format", constant<8>},
    {"format.uuid", ":format", constant<9>},
    {"format.byte", ":format", constant<10>},
    {"format.date", ":format", constant<11>},
    {"format.datetime", ":format", constant<12>},
};

}  // namespace

std::span<const Overload> format_functions() { return kFunctions; }

}  // namespace stead::cel
