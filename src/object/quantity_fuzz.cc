// Any quantity text, or two with a blank between: canonical text is the same amount and its own canonical text; amounts
// are ordered and add up as numbers do.

#include "base/check.h"
#include "object/quantity.h"

namespace {

using stead::object::Quantity;

void check_text(std::string_view text, const Quantity& amount) {
  auto stored = Quantity::canonical(text);
  STEAD_CHECK(stored.ok(), text);
  for (const std::string& form : {amount.str(), *stored}) {
    auto again = Quantity::parse(form);
    STEAD_CHECK(again.ok(), form);
    STEAD_CHECK(*again == amount, form);
    STEAD_CHECK(again->value() == amount.value(), form);
    STEAD_CHECK(again->milli_value() == amount.milli_value(), form);
  }
  STEAD_CHECK(Quantity::parse(amount.str())->str() == amount.str(), amount.str());
  STEAD_CHECK(*Quantity::canonical(*stored) == *stored, *stored);
  STEAD_CHECK(amount.is_negative() == (amount < Quantity()), text);
  STEAD_CHECK(amount.is_zero() == (amount.value() == 0), text);  // what is cut is rounded away from zero
}

void check_printed(const Quantity& amount) {
  std::string text = amount.str();
  auto again = Quantity::parse(text);
  STEAD_CHECK(again.ok(), text);
  // Binary amounts are capped where they are read, not where they are added.
  STEAD_CHECK(*again == amount || text.ends_with('i'), text);
}

void check_pair(const Quantity& a, const Quantity& b) {
  Quantity sum = a + b;
  STEAD_CHECK(sum == b + a, sum.str());
  STEAD_CHECK(b.is_negative() ? sum <= a : sum >= a, sum.str());
  check_printed(sum);
  Quantity difference = a - b;
  STEAD_CHECK(((a <=> b) < 0) == difference.is_negative(), difference.str());
  STEAD_CHECK((a == b) == difference.is_zero(), difference.str());
  check_printed(difference);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  size_t blank = text.find(' ');
  std::string_view first = text.substr(0, blank);
  auto a = Quantity::parse(first);
  STEAD_CHECK(a.ok() == Quantity::canonical(first).ok());
  if (!a.ok()) return 0;
  check_text(first, *a);
  if (blank == std::string_view::npos) return 0;
  auto b = Quantity::parse(text.substr(blank + 1));
  if (b.ok()) check_pair(*a, *b);
  return 0;
}
