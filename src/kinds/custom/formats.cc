// Formats of texts in schemas (OpenAPI's and those that CustomResourceDefinitions add).

#include <re2/re2.h>

#include <unordered_map>

#include "kinds/custom/schema_validation.h"
#include "object/base64.h"
#include "object/names.h"
#include "object/time.h"

namespace stead::kinds {
namespace {

struct Known {
  Known() {
    auto add = [this](std::string_view name, const char* pattern) {
      patterns.emplace(name, std::make_unique<RE2>(pattern, RE2::Quiet));
    };
    constexpr const char* kOctets = "(25[0-5]|2[0-4]\\d|1?\\d?\\d)(\\.(25[0-5]|2[0-4]\\d|1?\\d?\\d)){3}";
    const std::string ipv4 = std::string("^") + kOctets + "$";
    const std::string cidr =
        std::string("^(") + kOctets + "/(3[0-2]|[12]?\\d)|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*/\\d{1,3})$";
    add("ipv4", ipv4.c_str());
    add("cidr", cidr.c_str());
    add("ipv6", "^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$");
    add("date", "^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$");
    add("email", "^[^@\\s]+@[^@\\s]+$");
    add("hostname", "^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$");
    add("uri", "^[a-zA-Z][a-zA-Z0-9+.-]*:\\S*$|^/\\S*$");
    const char* uuid = "^(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$";
    for (std::string_view name : {"uuid", "uuid3", "uuid4", "uuid5"}) add(name, uuid);
    add("mac", "^([0-9a-fA-F]{2}[:-]){5}([0-9a-fA-F]{2})$");
    add("duration",
        "^[+-]?(\\d+(\\.\\d+)?\\s*(ns|us|µs|ms|s|sec|second|seconds|m|min|minute|minutes|h|hour|hours|d|day|"
        "days|w|week|weeks))+$|^0$");
    add("k8s-short-name", "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$");
    add("k8s-long-name", "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$");
    add("hexcolor", "^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$");
  }
  std::unordered_map<std::string_view, std::unique_ptr<RE2>> patterns;
};

}  // namespace

bool has_format(std::string_view text, std::string_view format) {
  static const Known& kKnown = *new Known;
  if (format == "date-time" || format == "datetime") return object::parse_time(text).has_value();
  if (format == "byte") return object::decode_base64(text).ok();
  if (format == "ip") return has_format(text, "ipv4") || has_format(text, "ipv6");
  auto found = kKnown.patterns.find(format);
  if (found == kKnown.patterns.end()) return true;
  return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *found->second);
}

}  // namespace stead::kinds
