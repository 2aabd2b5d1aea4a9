#include "kinds/semantics/node_selector.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace stead::kinds {
namespace {

std::optional<int64_t> to_integer(std::string_view text) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// `actual` is null where the node lacks the key.
bool holds(const Value& requirement, const Value* actual) {
  std::string_view op = requirement.at("operator").as_string();
  std::span<const Value> values = requirement.at("values").items();
  auto listed = [&] {
    return std::any_of(values.begin(), values.end(),
                       [&](const Value& value) { return value.as_string() == actual->as_string(); });
  };
  if (op == "Exists") return actual != nullptr;
  if (op == "DoesNotExist") return actual == nullptr;
  if (op == "In") return actual != nullptr && listed();
  if (op == "NotIn") return actual == nullptr || !listed();
  if (actual == nullptr || values.size() != 1) return false;
  auto left = to_integer(actual->as_string());
  auto right = to_integer(values[0].as_string());
  if (!left || !right) return false;
  if (op == "Gt") return *left > *right;
  if (op == "Lt") return *left < *right;
  return false;
}

}  // namespace

bool matches_node_selector_term(const Value& term, const Object& node) {
  std::span<const Value> expressions = term.at("matchExpressions").items();
  std::span<const Value> fields = term.at("matchFields").items();
  if (expressions.empty() && fields.empty()) return false;
  const Value& labels = node.metadata().at("labels");
  bool labels_hold = std::all_of(expressions.begin(), expressions.end(), [&](const Value& requirement) {
    return holds(requirement, labels.find(requirement.at("key").as_string()));
  });
  return labels_hold && std::all_of(fields.begin(), fields.end(), [&](const Value& requirement) {
           bool by_name = requirement.at("key").as_string() == "metadata.name";
           return holds(requirement, by_name ? node.metadata().find("name") : nullptr);
         });
}

bool matches_node_selector(const Value& node_selector, const Object& node) {
  std::span<const Value> terms = node_selector.at("nodeSelectorTerms").items();
  return std::any_of(terms.begin(), terms.end(),
                     [&](const Value& term) { return matches_node_selector_term(term, node); });
}

bool has_labels(const Value& wanted, const Object& node) {
  const Value& labels = node.metadata().at("labels");
  std::span<const object::Member> members = wanted.members();
  return std::all_of(members.begin(), members.end(), [&](const object::Member& label) {
    const Value* actual = labels.find(label.name());
    return actual != nullptr && *actual == label.value;
  });
}

}  // namespace stead::kinds
