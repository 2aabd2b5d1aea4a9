// Any selector text: what parses prints to text that parses to the same selector.

#include "base/check.h"
#include "object/selector.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stead::object;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto fields = FieldSelector::parse(text);
  if (fields.ok()) (void)fields->matches([](std::string_view path) { return std::string(path); });
  auto selector = LabelSelector::parse(text);
  if (!selector.ok()) return 0;
  auto again = LabelSelector::parse(selector->str());
  STEAD_CHECK(again.ok(), selector->str());
  STEAD_CHECK(again->str() == selector->str(), selector->str());
  Value labels = Value::object();
  for (const auto& requirement : selector->requirements()) {
    if (!requirement.values.empty()) labels.set(requirement.key, requirement.values[0]);
  }
  STEAD_CHECK(again->matches(labels) == selector->matches(labels));
  return 0;
}
