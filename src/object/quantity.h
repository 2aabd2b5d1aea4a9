#pragma once

// Quantities (k8s.io/apimachinery/pkg/api/resource): "100m", "1Gi", "1e3". Exact within 128-bit nano units, which
// covers every quantity below 10^29; larger ones are rejected.

#include <compare>
#include <string>
#include <string_view>

#include "base/result.h"

namespace stead::object {

class Quantity {
 public:
  Quantity() = default;
  static Quantity from_units(int64_t units);
  static Quantity from_milli(int64_t milli);
  // kBadRequest: "quantities must match the regular expression …" or "unable to parse quantity's suffix".
  static Result<Quantity> parse(std::string_view text);

  // Rounded up, as Kubernetes does.
  int64_t value() const;
  int64_t milli_value() const;
  bool is_negative() const { return nano_ < 0; }
  bool is_zero() const { return nano_ == 0; }
  // Canonical form: mantissa without fraction, largest possible suffix, in the family the text was written in.
  std::string str() const;

  // The text that Kubernetes stores for `text`: str(), except that its parser keeps some spellings as they came
  // ("1.234", "1E3"). kBadRequest as parse().
  static Result<std::string> canonical(std::string_view text);

  // Saturate at 10^29.
  Quantity operator+(const Quantity& other) const;
  Quantity operator-(const Quantity& other) const;
  friend bool operator==(const Quantity& a, const Quantity& b) { return a.nano_ == b.nano_; }
  friend auto operator<=>(const Quantity& a, const Quantity& b) { return a.nano_ <=> b.nano_; }

 private:
  enum class Format : uint8_t { kDecimalSi, kBinarySi, kDecimalExponent };
  struct Parts;
  static Result<Parts> split(std::string_view text);
  static Result<Quantity> compute(const Parts& parts);

  __int128 nano_ = 0;
  Format format_ = Format::kDecimalSi;
};

}  // namespace stead::object
