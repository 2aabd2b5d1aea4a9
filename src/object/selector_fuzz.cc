// Any selector text: what parses prints to text that parses to the same selector, and to a LabelSelector document that
// says the same.

#include "base/check.h"
#include "object/selector.h"

namespace {

using namespace stead::object;
using Operator = LabelSelector::Operator;

std::string escaped(std::string_view value) {
  std::string out;
  for (char c : value) {
    if (c == '\\' || c == ',' || c == '=') out += '\\';
    out += c;
  }
  return out;
}

void check_fields(std::string_view text) {
  auto fields = FieldSelector::parse(text);
  if (!fields.ok()) return;
  std::string printed;
  for (const auto& requirement : fields->requirements()) {
    printed += requirement.path + (requirement.equal ? "=" : "!=") + escaped(requirement.value) + ",";
    if (requirement.equal) STEAD_CHECK(fields->required_value(requirement.path).has_value(), text);
  }
  auto again = FieldSelector::parse(printed);
  STEAD_CHECK(again.ok(), printed);
  auto field = [&](std::string_view path) { return fields->required_value(path).value_or("other"); };
  STEAD_CHECK(again->requirements().size() == fields->requirements().size(), printed);
  STEAD_CHECK(again->matches(field) == fields->matches(field), printed);
}

// As a document, where that can say it.
Value document_of(const LabelSelector& selector) {
  Value expressions = Value::array();
  for (const auto& requirement : selector.requirements()) {
    std::string_view op = requirement.op == Operator::kIn             ? "In"
                          : requirement.op == Operator::kNotIn        ? "NotIn"
                          : requirement.op == Operator::kExists       ? "Exists"
                          : requirement.op == Operator::kDoesNotExist ? "DoesNotExist"
                                                                      : "";
    if (op.empty()) return {};
    Value expression = Value::object({{"key", requirement.key}, {"operator", op}});
    for (const std::string& value : requirement.values) expression["values"].append(value);
    expressions.append(std::move(expression));
  }
  return Value::object({{"matchExpressions", std::move(expressions)}});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  check_fields(text);
  auto selector = LabelSelector::parse(text);
  if (!selector.ok()) return 0;
  auto again = LabelSelector::parse(selector->str());
  STEAD_CHECK(again.ok(), selector->str());
  STEAD_CHECK(again->str() == selector->str(), selector->str());
  STEAD_CHECK(again->requirements().size() == selector->requirements().size(), selector->str());
  STEAD_CHECK(!selector->matches_nothing() && selector->matches_everything() == selector->requirements().empty());
  Value labels = Value::object();
  for (const auto& requirement : selector->requirements()) {
    if (!requirement.values.empty()) labels.set(requirement.key, requirement.values[0]);
  }
  Value document = document_of(*selector);
  for (const Value& each : {Value(), Value::object(), labels}) {
    STEAD_CHECK(again->matches(each) == selector->matches(each), selector->str());
    if (document.is_null()) continue;
    auto same = LabelSelector::from_document(document);
    STEAD_CHECK(same.ok(), selector->str());
    STEAD_CHECK(same->matches(each) == selector->matches(each), selector->str());
    STEAD_CHECK(same->str() == selector->str(), selector->str());
  }
  return 0;
}
