// Any quantity text: canonical text is the same amount and its own canonical text.

#include "base/check.h"
#include "object/quantity.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stead::object;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto amount = Quantity::parse(text);
  auto stored = Quantity::canonical(text);
  STEAD_CHECK(amount.ok() == stored.ok());
  if (!amount.ok()) return 0;
  for (const std::string& form : {amount->str(), *stored}) {
    auto again = Quantity::parse(form);
    STEAD_CHECK(again.ok(), form);
    STEAD_CHECK(*again == *amount, form);
  }
  STEAD_CHECK(Quantity::parse(amount->str())->str() == amount->str(), amount->str());
  STEAD_CHECK(*Quantity::canonical(*stored) == *stored, *stored);
  return 0;
}
