#include <algorithm>
#include <charconv>

#include "cel/library/library.h"
#include "cel/library/opaque.h"
#include "object/quote.h"

namespace stead::cel {

namespace {

// Semantic Versioning 2.0.0; the build does not count when versions are compared.
struct Version {
  static constexpr std::string_view kTypeName = "kubernetes.Semver";
  uint64_t major = 0;
  uint64_t minor = 0;
  uint64_t patch = 0;
  std::vector<std::string> prerelease;
};

bool is_numeric(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::strong_ordering compare_identifiers(std::string_view a, std::string_view b) {
  if (is_numeric(a) != is_numeric(b)) return is_numeric(a) ? std::strong_ordering::less : std::strong_ordering::greater;
  // Without leading zeros, longer numbers are larger.
  if (is_numeric(a) && a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

std::strong_ordering compare(const Version& a, const Version& b) {
  if (auto order = a.major <=> b.major; order != 0) return order;
  if (auto order = a.minor <=> b.minor; order != 0) return order;
  if (auto order = a.patch <=> b.patch; order != 0) return order;
  if (a.prerelease.empty() != b.prerelease.empty()) {
    return a.prerelease.empty() ? std::strong_ordering::greater : std::strong_ordering::less;
  }
  for (size_t i = 0; i < a.prerelease.size() && i < b.prerelease.size(); ++i) {
    if (auto order = compare_identifiers(a.prerelease[i], b.prerelease[i]); order != 0) return order;
  }
  return a.prerelease.size() <=> b.prerelease.size();
}
bool operator==(const Version& a, const Version& b) { return compare(a, b) == 0; }

Error fail(std::string message) { return make_error(Reason::kInvalid, std::move(message)); }

Result<uint64_t> read_number(std::string_view text, std::string_view what) {
  std::string name(what);
  if (!is_numeric(text)) return fail("Invalid character(s) found in " + name + " number " + object::quote(text));
  if (text.size() > 1 && text[0] == '0') {
    return fail("The " + name + " number must not contain leading zeroes " + object::quote(text));
  }
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return fail("The " + name + " number is out of range " + object::quote(text));
  return number;
}

bool is_identifier(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-'; });
}

std::vector<std::string> split(std::string_view text, char separator, size_t most = SIZE_MAX) {
  std::vector<std::string> parts;
  while (parts.size() + 1 < most && text.find(separator) != std::string_view::npos) {
    parts.emplace_back(text.substr(0, text.find(separator)));
    text.remove_prefix(text.find(separator) + 1);
  }
  parts.emplace_back(text);
  return parts;
}

Result<Version> parse(std::string_view text) {
  if (text.empty()) return fail("Version string empty");
  auto parts = split(text, '.', 3);
  if (parts.size() != 3) return fail("No Major.Minor.Patch elements found");
  Version version;
  STEAD_TRY(major, read_number(parts[0], "major"));
  STEAD_TRY(minor, read_number(parts[1], "minor"));
  std::string_view rest = parts[2];
  std::string_view build;
  bool has_build = rest.find('+') != std::string_view::npos;
  if (has_build) {
    build = rest.substr(rest.find('+') + 1);
    rest = rest.substr(0, rest.find('+'));
  }
  size_t dash = rest.find('-');
  STEAD_TRY(patch, read_number(rest.substr(0, dash), "patch"));
  if (dash != std::string_view::npos) version.prerelease = split(rest.substr(dash + 1), '.');
  for (const std::string& identifier : version.prerelease) {
    if (!is_identifier(identifier))
      return fail("Invalid character(s) found in prerelease " + object::quote(identifier));
    if (is_numeric(identifier) && identifier.size() > 1 && identifier[0] == '0') {
      return fail("Numeric PreRelease version must not contain leading zeroes " + object::quote(identifier));
    }
  }
  for (const std::string& identifier : has_build ? split(build, '.') : std::vector<std::string>()) {
    if (!is_identifier(identifier))
      return fail("Invalid character(s) found in build meta data " + object::quote(identifier));
  }
  version.major = major;
  version.minor = minor;
  version.patch = patch;
  return version;
}

// Without "v" and leading zeros, and with the parts that are missing.
Result<Version> parse_lenient(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  auto parts = split(text, '.', 3);
  for (std::string& part : parts) {
    size_t zeros = std::min(part.find_first_not_of('0'), part.size());
    if (part.size() <= 1 || zeros == 0) continue;
    bool number_follows = zeros < part.size() && part[zeros] >= '0' && part[zeros] <= '9';
    part.erase(0, number_follows ? zeros : zeros - 1);
  }
  if (parts.size() < 3 && parts.back().find_first_of("+-") != std::string::npos) {
    return fail("short version cannot contain PreRelease/Build meta data");
  }
  while (parts.size() < 3) parts.emplace_back("0");
  return parse(parts[0] + "." + parts[1] + "." + parts[2]);
}

Result<Version> read(const Call& call) {
  bool lenient = call.size() > 1 && call[1].as_bool();
  return lenient ? parse_lenient(call[0].as_string()) : parse(call[0].as_string());
}

Value semver(const Call& call) {
  auto version = read(call);
  return version.ok() ? hold(std::move(version).value()) : Value::error(version.error().message);
}
Value is_semver(const Call& call) { return Value::boolean(read(call).ok()); }

const Version& of(const Call& call, size_t index) { return held<Version>(call[index]); }
Value major(const Call& call) { return Value::integer(static_cast<int64_t>(of(call, 0).major)); }
Value minor(const Call& call) { return Value::integer(static_cast<int64_t>(of(call, 0).minor)); }
Value patch(const Call& call) { return Value::integer(static_cast<int64_t>(of(call, 0).patch)); }
Value is_greater(const Call& call) { return Value::boolean(compare(of(call, 0), of(call, 1)) > 0); }
Value is_less(const Call& call) { return Value::boolean(compare(of(call, 0), of(call, 1)) < 0); }
Value compare_to(const Call& call) {
  auto order = compare(of(call, 0), of(call, 1));
  return Value::integer(order < 0 ? -1 : order > 0 ? 1 : 0);
}

constexpr Overload kSemver[] = {
    {"semver", "string:semver", semver},
    {"semver", "string,bool:semver", semver},
    {"isSemver", "string:bool", is_semver},
    {"isSemver", "string,bool:bool", is_semver},
    {"major", "semver.:int", major},
    {"minor", "semver.:int", minor},
    {"patch", "semver.:int", patch},
    {"isGreaterThan", "semver.semver:bool", is_greater},
    {"isLessThan", "semver.semver:bool", is_less},
    {"compareTo", "semver.semver:int", compare_to},
};

}  // namespace

std::span<const Overload> semver_functions() { return kSemver; }

}  // namespace stead::cel
