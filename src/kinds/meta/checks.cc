#include "kinds/meta/checks.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <cstring>

#include "object/names.h"

namespace stead::kinds {
namespace {

void check_requirement(const Path& path, const Value& requirement, FieldErrors& errors) {
  std::string_view op = requirement.at("operator").as_string();
  const Value& values = requirement.at("values");
  if (op == "In" || op == "NotIn") {
    if (values.empty()) {
      errors.required(path.child("values"), "must be specified when `operator` is 'In' or 'NotIn'");
    }
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (!values.empty()) {
      errors.forbidden(path.child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    }
  } else {
    errors.invalid(path.child("operator"), Value(op), "not a valid selector operator");
  }
  std::string_view key = requirement.at("key").as_string();
  check(path.child("key"), Value(key), object::check_qualified_name(key), errors);
  Path values_path = path.child("values");
  for (size_t i = 0; i < values.size(); ++i) {
    const Value& value = values.items()[i];
    check(values_path.index(i), value, object::check_label_value(value.as_string()), errors);
  }
}

}  // namespace

bool check(const Path& path, const Value& value, const std::string& problem, FieldErrors& errors) {
  if (problem.empty()) return true;
  // Each broken rule is a cause of its own.
  std::string_view rest = problem;
  for (;;) {
    size_t end = std::min(rest.find(object::kBetweenSentences), rest.size());
    errors.invalid(path, value, rest.substr(0, end));
    if (end == rest.size()) return false;
    rest.remove_prefix(end + object::kBetweenSentences.size());
  }
}

void check_one_of(const Path& path, const Value& value, std::initializer_list<std::string_view> allowed,
                  FieldErrors& errors) {
  if (check_present(path, value, errors)) check_optional_one_of(path, value, allowed, errors);
}

void check_optional_one_of(const Path& path, const Value& value, std::initializer_list<std::string_view> allowed,
                           FieldErrors& errors) {
  if (value.is_null()) return;
  if (std::find(allowed.begin(), allowed.end(), value.as_string()) == allowed.end()) {
    errors.not_supported(path, value, {allowed.begin(), allowed.size()});
  }
}

bool check_present(const Path& path, const Value& value, FieldErrors& errors) {
  if (!is_absent_or_empty(value)) return true;
  errors.required(path);
  return false;
}

void check_not_negative(const Path& path, const Value& value, FieldErrors& errors) {
  if (value.as_int() < 0) errors.invalid(path, value, kNotNegative);
}

void check_range(const Path& path, const Value& value, int64_t low, int64_t high, FieldErrors& errors) {
  int64_t number = value.as_int();
  if (number >= low && number <= high) return;
  errors.invalid(path, Value(number),
                 "must be between " + std::to_string(low) + " and " + std::to_string(high) + ", inclusive");
}

void check_port_number(const Path& path, const Value& value, FieldErrors& errors) {
  check_range(path, value, 1, 65535, errors);
}

void check_port(const Path& path, const Value& value, FieldErrors& errors) {
  if (value.is_string()) {
    check(path, value, object::check_port_name(value.as_string()), errors);
  } else {
    check_port_number(path, value, errors);
  }
}

void check_not_special(const Path& path, const Value& address, FieldErrors& errors) {
  std::string_view text = address.as_string();
  in6_addr v6{};
  in_addr v4{};
  std::string copy(text);
  bool is_v4 = inet_pton(AF_INET, copy.c_str(), &v4) == 1;
  bool is_v6 = !is_v4 && inet_pton(AF_INET6, copy.c_str(), &v6) == 1;
  if (is_v6 && IN6_IS_ADDR_V4MAPPED(&v6)) {
    std::memcpy(&v4, &v6.s6_addr[12], sizeof v4);
    is_v4 = true;
    is_v6 = false;
  }
  uint32_t number = ntohl(v4.s_addr);
  if ((is_v4 && number == 0) || (is_v6 && IN6_IS_ADDR_UNSPECIFIED(&v6))) {
    errors.invalid(path, address, "may not be unspecified (" + copy + ")");
  }
  if ((is_v4 && number >> 24 == 127) || (is_v6 && IN6_IS_ADDR_LOOPBACK(&v6))) {
    errors.invalid(path, address, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
  }
  if ((is_v4 && number >> 16 == 0xa9fe) || (is_v6 && IN6_IS_ADDR_LINKLOCAL(&v6))) {
    errors.invalid(path, address, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
  }
  if ((is_v4 && number >> 8 == 0xe00000) || (is_v6 && IN6_IS_ADDR_MC_LINKLOCAL(&v6))) {
    errors.invalid(path, address, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
  }
}

void check_unchanged(const Path& path, const Value& value, const Value& old, FieldErrors& errors) {
  if (!(value == old)) errors.invalid(path, value, kImmutable);
}

void check_labels(const Path& path, const Value& labels, FieldErrors& errors) {
  for (const object::Member& label : labels.members()) {
    check(path, Value(label.name()), object::check_qualified_name(label.name()), errors);
    check(path, label.value, object::check_label_value(label.value.as_string()), errors);
  }
}

void check_label_selector(const Path& path, const Value& selector, FieldErrors& errors) {
  check_labels(path.child("matchLabels"), selector.at("matchLabels"), errors);
  Path expressions = path.child("matchExpressions");
  auto items = selector.at("matchExpressions").items();
  for (size_t i = 0; i < items.size(); ++i) check_requirement(expressions.index(i), items[i], errors);
}

void check_descending_path(const Path& path, const Value& value, FieldErrors& errors) {
  if (value.as_string().starts_with('/')) errors.invalid(path, value, "must be a relative path");
  check_no_backsteps(path, value, errors);
}

void check_no_backsteps(const Path& path, const Value& value, FieldErrors& errors) {
  std::string_view text = value.as_string();
  while (!text.empty()) {
    size_t slash = text.find('/');
    if (text.substr(0, slash) == "..") {
      errors.invalid(path, value, "must not contain '..'");
      return;
    }
    if (slash == std::string_view::npos) return;
    text.remove_prefix(slash + 1);
  }
}

bool is_absent_or_empty(const Value& value) {
  return value.is_null() || (value.is_string() && value.as_string().empty()) ||
         ((value.is_array() || value.is_object()) && value.empty());
}

object::Quantity quantity_of(const Value& value) {
  // A bare number is a quantity too; shaping makes it text, templates inside raw data may not have been shaped.
  auto parsed =
      object::Quantity::parse(value.is_int() ? std::to_string(value.as_int()) : std::string(value.as_string()));
  return parsed.ok() ? *parsed : object::Quantity();
}

std::string lower(std::string_view text) {
  std::string made(text);
  std::transform(made.begin(), made.end(), made.begin(), [](unsigned char c) { return std::tolower(c); });
  return made;
}

bool contains(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace stead::kinds
