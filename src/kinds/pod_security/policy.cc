#include "kinds/pod_security/policy.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace stead::kinds {
namespace {

using object::FieldErrors;
using object::Path;
using object::Value;

constexpr std::string_view kPrefix = "pod-security.kubernetes.io/";
constexpr std::string_view kLevels[] = {"privileged", "baseline", "restricted"};

std::optional<SecurityLevel> parse_level(std::string_view text) {
  for (size_t i = 0; i < std::size(kLevels); ++i) {
    if (kLevels[i] == text) return static_cast<SecurityLevel>(i);
  }
  return std::nullopt;
}

std::optional<int> parse_version(std::string_view text) {
  if (text == "latest") return LevelVersion::kLatest;
  if (!text.starts_with("v1.")) return std::nullopt;
  text.remove_prefix(3);
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  int minor = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), minor);
  if (error != std::errc() || end != text.data() + text.size() || minor < 0) return std::nullopt;
  return minor;
}

struct Given {
  bool level = false;
  bool level_valid = false;
  bool version = false;
};

// Reads the two labels of one mode.
Given read(const Value& labels, const std::string& mode, SecurityLevel if_unreadable, LevelVersion& into,
           FieldErrors& errors) {
  Given given;
  Path metadata("metadata");
  Path path = metadata.child("labels");
  std::string level_label = std::string(kPrefix) + mode;
  if (const Value* text = labels.find(level_label)) {
    std::optional<SecurityLevel> level = parse_level(text->as_string());
    given.level = true;
    given.level_valid = level.has_value();
    into.level = level.value_or(if_unreadable);
    if (!level) errors.invalid(path.key(level_label), *text, "must be one of privileged, baseline, restricted");
  }
  std::string version_label = level_label + "-version";
  if (const Value* text = labels.find(version_label)) {
    std::optional<int> minor = parse_version(text->as_string());
    given.version = true;
    into.minor = minor.value_or(LevelVersion::kLatest);
    if (!minor) errors.invalid(path.key(version_label), *text, "must be \"latest\" or \"v1.x\"");
  }
  return given;
}

}  // namespace

std::string LevelVersion::str() const {
  std::string_view name = kLevels[static_cast<size_t>(level)];
  return minor == kLatest ? fmt::format("{}:latest", name) : fmt::format("{}:v1.{}", name, minor);
}

SecurityPolicy security_policy(const Value& labels, FieldErrors& errors) {
  SecurityPolicy policy;
  Given enforce = read(labels, "enforce", SecurityLevel::kRestricted, policy.enforce, errors);
  read(labels, "audit", SecurityLevel::kPrivileged, policy.audit, errors);
  Given warn = read(labels, "warn", SecurityLevel::kPrivileged, policy.warn, errors);
  if (!warn.level && enforce.level_valid && policy.enforce.level > policy.warn.level) {
    policy.warn.level = policy.enforce.level;
    if (!warn.version) policy.warn.minor = policy.enforce.minor;
  }
  return policy;
}

}  // namespace stead::kinds
