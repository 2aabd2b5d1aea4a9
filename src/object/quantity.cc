#include "object/quantity.h"

#include <algorithm>
#include <span>

namespace stead::object {
namespace {

constexpr __int128 kNano = 1'000'000'000;
constexpr int kNanoDigits = 9;
// Smaller amounts have at most as many digits as a 128-bit integer always holds, so that their text reads back.
constexpr __int128 kNanoMax = kNano * kNano * kNano * kNano * 100;
// Binary amounts are capped here, as upstream caps them.
constexpr __int128 kBinaryMax = INT64_MAX;

struct Suffix {
  std::string_view text;
  int exponent;
};
constexpr Suffix kBinary[] = {{"Ki", 10}, {"Mi", 20}, {"Gi", 30}, {"Ti", 40}, {"Pi", 50}, {"Ei", 60}};
constexpr Suffix kDecimal[] = {{"n", -9}, {"u", -6}, {"m", -3}, {"", 0},   {"k", 3},
                               {"M", 6},  {"G", 9},  {"T", 12}, {"P", 15}, {"E", 18}};

const Suffix* find_suffix(std::span<const Suffix> table, std::string_view text) {
  for (const Suffix& suffix : table) {
    if (suffix.text == text) return &suffix;
  }
  return nullptr;
}

Error bad_format() {
  return make_error(Reason::kBadRequest,
                    "quantities must match the regular expression "
                    "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
}
Error bad_suffix() { return make_error(Reason::kBadRequest, "unable to parse quantity's suffix"); }
Error bad_number() { return make_error(Reason::kBadRequest, "unable to parse numeric part of quantity"); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view take_digits(std::string_view& text) {
  size_t length = static_cast<size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
  std::string_view digits = text.substr(0, length);
  text.remove_prefix(length);
  return digits;
}

// "3" of "e3"; false where it is no small integer.
bool exponent_of(std::string_view text, int& exponent) {
  bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.size() > 4 || !std::all_of(text.begin(), text.end(), is_digit)) return false;
  exponent = 0;
  for (char c : text) exponent = exponent * 10 + (c - '0');
  if (negative) exponent = -exponent;
  return true;
}

bool multiply(__int128& number, __int128 factor) { return !__builtin_mul_overflow(number, factor, &number); }

std::string decimal_text(__int128 number) {
  if (number == 0) return "0";
  std::string text;
  bool negative = number < 0;
  for (; number != 0; number /= 10) text += static_cast<char>('0' + std::abs(static_cast<int>(number % 10)));
  if (negative) text += '-';
  std::reverse(text.begin(), text.end());
  return text;
}

int64_t saturate(__int128 number) { return static_cast<int64_t>(std::clamp<__int128>(number, INT64_MIN, INT64_MAX)); }

// Sums stay where their text reads back.
__int128 add(__int128 a, __int128 b) {
  __int128 sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) sum = a < 0 ? -kNanoMax : kNanoMax;
  return std::clamp(sum, 1 - kNanoMax, kNanoMax - 1);
}

// Away from zero, as inf.RoundUp.
__int128 divide_up(__int128 number, __int128 divisor) {
  __int128 quotient = number / divisor;
  if (number % divisor != 0) quotient += number < 0 ? -1 : 1;
  return quotient;
}

}  // namespace

struct Quantity::Parts {
  bool negative = false;
  std::string_view whole;  // without leading zeros
  std::string_view fraction;
  int exponent = 0;  // of 2 for kBinarySi, of 10 otherwise
  Format format = Format::kDecimalSi;
};

Result<Quantity::Parts> Quantity::split(std::string_view text) {
  Parts parts;
  if (text.empty()) return bad_format();
  parts.negative = text[0] == '-';
  if (parts.negative || text[0] == '+') text.remove_prefix(1);
  parts.whole = take_digits(text);
  bool any = !parts.whole.empty();
  parts.whole.remove_prefix(std::min(parts.whole.find_first_not_of('0'), parts.whole.size()));
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    parts.fraction = take_digits(text);
    any = any || !parts.fraction.empty();
  }
  if (!any) return bad_format();
  std::string_view tail = text;
  tail.remove_prefix(std::min(tail.find_first_not_of("eEinumkKMGTP"), tail.size()));
  if (tail.starts_with('-') || tail.starts_with('+')) tail.remove_prefix(1);
  if (!std::all_of(tail.begin(), tail.end(), is_digit)) return bad_format();
  if (const Suffix* decimal = find_suffix(kDecimal, text)) {
    parts.exponent = decimal->exponent;
  } else if (const Suffix* binary = find_suffix(kBinary, text)) {
    parts.exponent = binary->exponent;
    parts.format = Format::kBinarySi;
  } else if (text.size() > 1 && (text[0] == 'e' || text[0] == 'E') && exponent_of(text.substr(1), parts.exponent)) {
    parts.format = Format::kDecimalExponent;
  } else {
    return bad_suffix();
  }
  return parts;
}

Result<Quantity> Quantity::compute(const Parts& parts) {
  constexpr size_t kDigitsMax = 38;
  constexpr size_t kBinaryDigitsMax = 19;  // times 2^60 still fits
  const bool binary = parts.format == Format::kBinarySi;
  const size_t digits_max = binary ? kBinaryDigitsMax : kDigitsMax;
  Quantity made;
  made.format_ = parts.format;
  std::string_view fraction = parts.fraction;
  bool cut = false;
  if (size_t room = digits_max - std::min(parts.whole.size(), digits_max); fraction.size() > room) {
    cut = fraction.find_first_not_of('0', room) != std::string_view::npos;
    fraction = fraction.substr(0, room);
  }
  bool fits = parts.whole.size() <= digits_max;
  __int128 number = 0;
  if (fits) {
    for (char c : parts.whole) number = number * 10 + (c - '0');
    for (char c : fraction) number = number * 10 + (c - '0');
    if (binary) number <<= parts.exponent;
  }
  int power = kNanoDigits - static_cast<int>(fraction.size()) + (binary ? 0 : parts.exponent);
  for (; fits && number != 0 && power > 0; --power) fits = multiply(number, 10);
  for (; power < 0; ++power) {
    cut = cut || number % 10 != 0;
    number /= 10;
  }
  if (!fits && !binary) return bad_number();
  if (cut) ++number;
  if (number >= kNanoMax && !binary) return bad_number();
  if (binary && (!fits || number > kBinaryMax * kNano)) number = kBinaryMax * kNano;
  if (binary && number < kNano && number > 0) made.format_ = Format::kDecimalSi;
  made.nano_ = parts.negative ? -number : number;
  return made;
}

Result<Quantity> Quantity::parse(std::string_view text) {
  STEAD_TRY(parts, split(text));
  return compute(parts);
}

Result<std::string> Quantity::canonical(std::string_view text) {
  STEAD_TRY(parts, split(text));
  STEAD_TRY(quantity, compute(parts));
  if (quantity.is_zero()) return std::string("0");
  // Upstream keeps the text where a quick look says that it is canonical already. The look is a little short-sighted
  // (quantity.go, ParseQuantity), but what it keeps is what clients see.
  const size_t digits = std::max<size_t>(parts.whole.size(), 1) + parts.fraction.size();
  bool keep = false;
  if (parts.format == Format::kBinarySi) {
    const int precision = 15 - static_cast<int>(digits) - parts.exponent * 3 / 10 - 1;
    keep = parts.fraction.empty() && precision >= 0 && ((quantity.nano_ / kNano) >> parts.exponent) % 8 != 0;
  } else {
    const int scale = parts.exponent - static_cast<int>(parts.fraction.size());
    std::string shifted = (parts.whole.empty() ? "0" : std::string(parts.whole)) + std::string(parts.fraction);
    keep = digits <= 18 && scale >= -kNanoDigits && scale % 3 == 0 && !shifted.ends_with("000") && shifted[0] != '0';
  }
  if (keep) return std::string(text);
  std::string made = quantity.str();
  // A binary amount that no binary suffix divides reads as a decimal one from then on: upstream's store reads back what
  // it wrote before it answers.
  return parts.format == Format::kBinarySi && !made.ends_with('i') ? canonical(made) : made;
}

Quantity Quantity::from_units(int64_t units) {
  Quantity made;
  made.nano_ = units * kNano;
  return made;
}

Quantity Quantity::from_milli(int64_t milli) {
  Quantity made;
  made.nano_ = milli * (kNano / 1000);
  return made;
}

int64_t Quantity::value() const { return saturate(divide_up(nano_, kNano)); }
int64_t Quantity::milli_value() const { return saturate(divide_up(nano_, kNano / 1000)); }

std::string Quantity::str() const {
  if (nano_ == 0) return "0";
  Format format = format_;
  if (format == Format::kBinarySi) {
    // Small and fractional amounts would lose precision in binary units.
    if ((nano_ > -1024 * kNano && nano_ < 1024 * kNano) || nano_ % kNano != 0) format = Format::kDecimalSi;
  }
  if (format == Format::kBinarySi) {
    __int128 mantissa = nano_ / kNano;
    size_t times = 0;
    for (; mantissa % 1024 == 0 && times < std::size(kBinary); ++times) mantissa /= 1024;
    return decimal_text(mantissa) + (times == 0 ? "" : std::string(kBinary[times - 1].text));
  }
  __int128 mantissa = nano_;
  int exponent = -kNanoDigits;
  constexpr int kExponentMax = 18;
  while (mantissa % 1000 == 0 && (exponent < kExponentMax || format == Format::kDecimalExponent)) {
    mantissa /= 1000;
    exponent += 3;
  }
  std::string text = decimal_text(mantissa);
  if (format == Format::kDecimalExponent) return exponent == 0 ? text : text + "e" + std::to_string(exponent);
  return text + std::string(kDecimal[(exponent + kNanoDigits) / 3].text);
}

Quantity Quantity::operator+(const Quantity& other) const {
  Quantity sum = *this;
  if (is_zero()) sum.format_ = other.format_;
  sum.nano_ = add(sum.nano_, other.nano_);
  return sum;
}

Quantity Quantity::operator-(const Quantity& other) const {
  Quantity difference = *this;
  if (is_zero()) difference.format_ = other.format_;
  difference.nano_ = add(difference.nano_, -other.nano_);
  return difference;
}

}  // namespace stead::object
