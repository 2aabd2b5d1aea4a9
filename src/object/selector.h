#pragma once

// Label and field selectors: text form of query parameters, and LabelSelector documents.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "object/value.h"

namespace stead::object {

class LabelSelector {
 public:
  enum class Operator : uint8_t { kIn, kNotIn, kExists, kDoesNotExist, kGreaterThan, kLessThan };
  struct Requirement {
    std::string key;
    Operator op = Operator::kExists;
    std::vector<std::string> values;  // sorted
  };

  // Matches everything.
  LabelSelector() = default;
  // "a=b,c!=d,e in (f,g),!h". kBadRequest with the offending part.
  static Result<LabelSelector> parse(std::string_view text);
  // A LabelSelector document {matchLabels, matchExpressions}; null matches nothing, {} everything.
  // kInvalid on unknown operators or values that do not fit the operator.
  static Result<LabelSelector> from_document(const Value& document);
  // A plain map, as Service.spec.selector: all must be equal. An empty or null map matches nothing.
  static LabelSelector from_map(const Value& map);

  bool matches(const Value& labels) const;
  bool matches_everything() const { return !nothing_ && requirements_.empty(); }
  bool matches_nothing() const { return nothing_; }
  const std::vector<Requirement>& requirements() const { return requirements_; }
  std::string str() const;

 private:
  bool nothing_ = false;
  std::vector<Requirement> requirements_;
};

// "metadata.name=x,status.phase!=Running"; only =, == and !=.
class FieldSelector {
 public:
  struct Requirement {
    std::string path;
    bool equal = true;
    std::string value;
  };
  static Result<FieldSelector> parse(std::string_view text);
  // `field` gives the text of a path of the object under test.
  bool matches(const std::function<std::string(std::string_view path)>& field) const;
  bool empty() const { return requirements_.empty(); }
  const std::vector<Requirement>& requirements() const { return requirements_; }
  // The value that `path` must equal, if the selector says so: lets callers use an index.
  std::optional<std::string> required_value(std::string_view path) const;

 private:
  std::vector<Requirement> requirements_;
};

}  // namespace stead::object
