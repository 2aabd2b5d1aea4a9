// Bounds of cost from what the types say of sizes. The API server refuses rules of CustomResourceDefinitions by these
// numbers, so they follow its formulas, also where a closer bound would be possible.

#include <algorithm>
#include <cmath>

#include "cel/language/cost.h"
#include "cel/library/texts.h"

namespace stead::cel {

namespace {

constexpr uint64_t kMost = Type::kUnbounded;
constexpr double kText = 0.1;      // cost of traversing one code point
constexpr double kPattern = 0.25;  // cost of one code point of a regular expression

uint64_t add(uint64_t a, uint64_t b) { return a > kMost - b ? kMost : a + b; }
uint64_t multiply(uint64_t a, uint64_t b) { return b != 0 && a > kMost / b ? kMost : a * b; }
uint64_t scale(uint64_t a, double factor) {
  double scaled = std::ceil(static_cast<double>(a) * factor);
  return scaled >= 18446744073709551616.0 ? kMost : static_cast<uint64_t>(scaled);
}

// A range of sizes or of costs.
struct Range {
  uint64_t min = 0;
  uint64_t max = kMost;

  static Range fixed(uint64_t value) { return {value, value}; }
  Range operator+(Range other) const { return {add(min, other.min), add(max, other.max)}; }
  Range operator*(Range other) const { return {multiply(min, other.min), multiply(max, other.max)}; }
  Range operator*(double factor) const { return {scale(min, factor), scale(max, factor)}; }
  Range either(Range other) const { return {std::min(min, other.min), std::max(max, other.max)}; }
};

// What is known of an expression's value.
struct Known {
  Range cost = Range::fixed(0);
  std::optional<Range> size;     // computed; otherwise the type tells, if the value is part of a document
  std::optional<Range> entries;  // of the elements of a list, or the values of a map, likewise
  bool in_document = false;      // reached from a variable
};

bool is_scalar(const Type& type) {
  switch (type.kind()) {
    case TypeKind::kBool:
    case TypeKind::kDouble:
    case TypeKind::kDuration:
    case TypeKind::kInt:
    case TypeKind::kTimestamp:
    case TypeKind::kUint:
      return true;
    case TypeKind::kOptional:
      return is_scalar(type.parameter(0));
    default:
      return false;
  }
}

// What a document's part of this type can hold at most.
Range declared_size(const Type& type) {
  bool sized = type.is_dyn() || type.is(TypeKind::kString) || type.is(TypeKind::kBytes) || type.is(TypeKind::kList) ||
               type.is(TypeKind::kMap);
  return {0, type.max_size() == kMost && !sized ? 0 : type.max_size()};
}

class Estimator {
 public:
  Known visit(const Expression& expression) {
    switch (expression.kind) {
      case ExpressionKind::kLiteral:
        return {.size = literal_size(expression)};
      case ExpressionKind::kIdentifier:
        return identifier(expression);
      case ExpressionKind::kSelect:
        return select(expression);
      case ExpressionKind::kCall:
        return call(expression);
      case ExpressionKind::kList:
      case ExpressionKind::kMap:
        return literal(expression);
      case ExpressionKind::kComprehension:
        return comprehension(expression);
      default:
        return {};
    }
  }

 private:
  static std::optional<Range> literal_size(const Expression& expression) {
    if (expression.value.is(ValueKind::kType)) return std::nullopt;
    return Range::fixed(size_of(expression.value));
  }

  static Range size_of_known(const Known& known, const Type& type) {
    if (known.size) return *known.size;
    if (known.in_document) return declared_size(type);
    return is_scalar(type) ? Range::fixed(1) : Range();
  }

  Known identifier(const Expression& expression) {
    Known known{.in_document = true};
    if (expression.local >= 0) known = locals_[static_cast<size_t>(expression.local)];
    known.cost = Range::fixed(1);
    return known;
  }

  Known select(const Expression& expression) {
    const Type& from = expression.child(0).type;
    Known operand = visit(expression.child(0));
    Known known{.cost = operand.cost, .in_document = operand.in_document};
    if (expression.test_only) return {.cost = operand.cost};
    if (from.is(TypeKind::kMap) || from.is(TypeKind::kObject)) known.cost = known.cost + Range::fixed(1);
    return known;
  }

  Known literal(const Expression& expression) {
    bool is_map = expression.kind == ExpressionKind::kMap;
    Known known{.cost = Range::fixed(is_map ? kMapCost : kListCost)};
    Range entries{kMost, 0};
    if (expression.children.empty()) entries.min = 0;
    for (size_t i = 0; i < expression.children.size(); ++i) {
      Known child = visit(expression.child(i));
      known.cost = known.cost + child.cost;
      if (!is_map || i % 2 == 1) entries = entries.either(size_of_known(child, expression.child(i).type));
    }
    known.size = Range::fixed(is_map ? expression.children.size() / 2 : expression.children.size());
    known.entries = entries;
    return known;
  }

  // The cost of a call's arguments and their sizes, which most rules are about.
  struct Arguments {
    std::vector<Known> known;
    std::vector<Range> sizes;
    Range cost = Range::fixed(0);
  };
  Arguments arguments(const Expression& expression) {
    Arguments all;
    for (const auto& child : expression.children) {
      all.known.push_back(visit(*child));
      all.sizes.push_back(size_of_known(all.known.back(), child->type));
      all.cost = all.cost + all.known.back().cost;
    }
    return all;
  }

  Known call(const Expression& expression);
  Known comprehension(const Expression& expression);
  static Known overload(const Expression& expression, const Overload& overload, const Arguments& all);
  static Known traversed(const Expression& expression, const Arguments& all);
  static Range replaced_size(const Arguments& all);

  std::vector<Known> locals_;
};

Known Estimator::call(const Expression& expression) {
  Arguments all = arguments(expression);
  const std::string& name = expression.name;
  if (name == "_&&_" || name == "_||_") return {.cost = {all.known[0].cost.min, all.cost.max}};
  if (name == "_?_:_") {
    Known known{.cost = all.known[0].cost + all.known[1].cost.either(all.known[2].cost)};
    known.size = all.sizes[1].either(all.sizes[2]);
    if (all.known[1].entries && all.known[2].entries) {
      known.entries = all.known[1].entries->either(*all.known[2].entries);
    }
    return known;
  }
  if (name == "dyn") {
    Known known = all.known[0];
    known.cost = known.cost + Range::fixed(1);
    return known;
  }
  Known known{.cost = {kMost, 0}};
  for (const Signature& candidate : expression.candidates) {
    Known one = overload(expression, *candidate.overload, all);
    known.cost = known.cost.either(one.cost);
    if (one.size) known.size = known.size ? known.size->either(*one.size) : *one.size;
    if (one.entries) known.entries = one.entries;
  }
  if (expression.candidates.empty()) known.cost = Range::fixed(1);
  if (name == "_[_]" || name == "_[?_]" || name == "_?._") {
    known.in_document = all.known[0].in_document;
    if (all.known[0].entries) known.size = all.known[0].entries;
  }
  known.cost = known.cost + all.cost;
  return known;
}

Range Estimator::replaced_size(const Arguments& all) {
  Range text = all.sizes[0];
  Range old = all.sizes[1];
  Range fresh = all.sizes[2];
  Range count = Range::fixed(0);
  Range kept = Range::fixed(0);
  if (old.min == 0) {
    count.max = add(text.max, 1);
    kept.max = text.max;
  } else if (fresh.max <= old.min) {
    kept.max = text.max;
  } else {
    count.max = text.max / old.min + (text.max % old.min != 0);
  }
  if (old.max == 0) {
    count.min = add(text.min, 1);
    kept.min = text.min;
  } else if (old.max <= fresh.min) {
    kept.min = text.min;
  } else {
    count.min = text.min / old.max + (text.min % old.max != 0);
  }
  return count * fresh + kept;
}

// Functions that read one text.
Known Estimator::traversed(const Expression& expression, const Arguments& all) {
  const std::string& name = expression.name;
  Range text = all.sizes[0];
  if (name == "startsWith" || name == "endsWith") return {.cost = all.sizes[1] * kText};
  Known known{.cost = text * kText};
  if (name == "bytes") {
    known.size = Range{text.min, multiply(text.max, 4)};
  } else if (name == "string") {
    known.size = Range{text.min / 4, text.max};
  } else if (name == "strings.quote") {
    known.size = Range{add(text.min, 2), add(multiply(text.max, 2), 2)};
  } else if (expression.member && name != "format") {
    known.size = text;
  } else if (name != "format" && name != "url") {
    known.cost = Range::fixed(1);
  }
  return known;
}

Known Estimator::overload(const Expression& expression, const Overload& overload, const Arguments& all) {
  const std::vector<Range>& sizes = all.sizes;
  switch (overload.cost) {
    case CostRule::kOne: {
      Known known{.cost = Range::fixed(1)};
      if (expression.name != "_+_" || !expression.child(0).type.is(TypeKind::kList)) return known;
      known.size = sizes[0] + sizes[1];
      if (all.known[0].entries && all.known[1].entries)
        known.entries = all.known[0].entries->either(*all.known[1].entries);
      return known;
    }
    case CostRule::kTraverse:
      return traversed(expression, all);
    case CostRule::kTraverseTwice: {
      if (!expression.member) return {.cost = Range::fixed(1)};
      Known known{.cost = sizes[0] * (2 * kText)};
      known.size = expression.name == "replace" ? replaced_size(all) : Range{0, sizes[0].max};
      return known;
    }
    case CostRule::kTraverseResult: {
      Range joined = Range::fixed(0);
      const Known& list = all.known[0];
      Range item = list.entries       ? *list.entries
                   : list.in_document ? declared_size(expression.child(0).type.parameter(0))
                                      : Range();
      joined = sizes[0] * item;
      if (sizes.size() > 1) {
        Range between{sizes[0].min > 0 ? sizes[0].min - 1 : 0, sizes[0].max > 0 ? sizes[0].max - 1 : 0};
        joined = joined + sizes[1] * between;
      }
      return {.cost = joined * kText, .size = joined};
    }
    case CostRule::kTraverseBoth:
      return {.cost = (sizes[0] + sizes[1]) * kText, .size = sizes[0] + sizes[1]};
    case CostRule::kCompare: {
      uint64_t most = std::min(sizes[0].max, sizes[1].max);
      return {.cost = Range{most > 0 ? 1u : 0u, most} * kText};
    }
    case CostRule::kSearch:
      return {.cost = (sizes[0] * kText) * (sizes[1] * kText)};
    case CostRule::kRegex: {
      if (!expression.member) return {.cost = Range::fixed(1)};
      Known known{.cost = ((sizes[0] + Range::fixed(1)) * kText) * (sizes[1] * kPattern)};
      if (expression.name != "matches") known.size = Range{0, sizes[0].max};
      return known;
    }
    case CostRule::kElements:
      return {.cost = sizes[1]};
    case CostRule::kEachElement: {
      const Type& list = expression.child(0).type;
      if (!list.is(TypeKind::kList)) return {.cost = sizes[0] * kText};
      Range each = Range::fixed(1);
      Type element = list.parameter(0);
      if (element.is(TypeKind::kString) || element.is(TypeKind::kBytes)) {
        each = each + (all.known[0].in_document ? declared_size(element) : Range()) * kText;
      }
      return {.cost = sizes[0] * each};
    }
    case CostRule::kPairs:
      return {.cost = sizes[0] * sizes[1] + Range::fixed(1)};
    case CostRule::kPairsTwice:
      return {.cost = sizes[0] * sizes[1] * 2.0 + Range::fixed(1)};
    case CostRule::kContainsAddress:
    case CostRule::kContainsNetwork: {
      Range cost{1, 4};
      if (overload.cost == CostRule::kContainsNetwork) cost = cost + Range{1, 2} + Range::fixed(1);
      if (expression.child(1).type.is(TypeKind::kString)) cost = cost + sizes[1] * kText;
      return {.cost = cost};
    }
    case CostRule::kAuthorization:
      return {.cost = Range::fixed(kAuthorizationCost)};
  }
  return {.cost = Range::fixed(1)};
}

Known Estimator::comprehension(const Expression& expression) {
  const Expression& over = expression.child(0);
  Known range = visit(over);
  bool two = !expression.name2.empty();
  bool optional = expression.macro == Macro::kOptMap || expression.macro == Macro::kOptFlatMap;
  bool keys_first = over.type.is(TypeKind::kMap) || two;
  Known first{.in_document = range.in_document && !optional};
  if (!keys_first) first.size = range.entries;
  size_t outside = locals_.size();
  locals_.push_back(first);
  if (two) locals_.push_back({.size = range.entries, .in_document = range.in_document});
  Known body = visit(expression.child(1));
  Range condition = expression.children.size() > 2 ? visit(expression.child(2)).cost : Range::fixed(0);
  locals_.resize(outside);

  Range body_size = size_of_known(body, expression.child(1).type);
  Range skipped = Range::fixed(1);
  Range step;
  Known known{.cost = range.cost + Range::fixed(1)};
  Range count = size_of_known(range, over.type);
  switch (expression.macro) {
    case Macro::kAll:
      step = Range::fixed(2) + Range{1, add(1, body.cost.max)};
      break;
    case Macro::kExists:
      step = Range::fixed(3) + Range{1, add(1, body.cost.max)};
      break;
    case Macro::kExistsOne:
      step = body.cost + Range{1, 2};
      known.cost = known.cost + Range::fixed(1);
      break;
    case Macro::kFilter:
      step = body.cost + Range::fixed(3 + kListCost).either(skipped);
      known.size = count;
      known.entries = Range{0, size_of_known(first, expression.type.parameter(0)).max};
      known.in_document = range.in_document;
      break;
    case Macro::kMap:
      step = Range::fixed(2 + kListCost) + body.cost;
      known.cost = known.cost + Range::fixed(kListCost);
      known.size = count;
      known.entries = Range{0, body_size.max};
      break;
    case Macro::kTransformMap:
    case Macro::kTransformMapEntry:
      step = Range::fixed(expression.macro == Macro::kTransformMap ? 3 : 2) + body.cost;
      known.cost = known.cost + Range::fixed(kMapCost);
      known.size = count;
      break;
    case Macro::kOptMap:
    case Macro::kOptFlatMap: {
      Range mapped = Range::fixed(kListCost + (expression.macro == Macro::kOptMap ? 2 : 1)) + range.cost + body.cost;
      return {.cost = range.cost + Range::fixed(1) + mapped.either(Range::fixed(1))};
    }
  }
  if (expression.macro == Macro::kFilter) known.cost = known.cost + Range::fixed(kListCost);
  if (expression.children.size() > 2) step = condition + step.either(skipped);
  known.cost = known.cost + count * step;
  return known;
}

}  // namespace

CostEstimate estimate(const Expression& root) {
  Range cost = Estimator().visit(root).cost;
  return {cost.min, cost.max};
}

}  // namespace stead::cel
