#include "cel/language/cost.h"

#include <algorithm>

#include "cel/library/texts.h"

namespace stead::cel {

namespace {

// A tenth of each size, rounded up.
uint64_t tenth(uint64_t size) { return size / 10 + (size % 10 != 0); }
uint64_t quarter(uint64_t size) { return size / 4 + (size % 4 != 0); }

// Every scalar counts one, texts a tenth of their bytes; stops at a bound that no budget passes.
uint64_t traversal(const Value& value, uint64_t most) {
  switch (value.kind()) {
    case ValueKind::kString:
      return value.as_string().size() / 10;
    case ValueKind::kBytes:
      return value.as_bytes().size() / 10;
    case ValueKind::kList: {
      uint64_t total = 0;
      for (size_t i = 0; i < value.as_list().size() && total < most; ++i) {
        total += traversal(value.as_list().at(i), most - total);
      }
      return total;
    }
    case ValueKind::kMap: {
      uint64_t total = 0;
      for (const Value& key : value.as_map().keys()) {
        auto member = value.as_map().find(key);
        if (total < most) total += traversal(key, most) + (member ? traversal(*member, most - total) : 0);
      }
      return total;
    }
    default:
      return 1;
  }
}

}  // namespace

uint64_t call_cost(CostRule rule, std::span<const Value> arguments) {
  auto size = [&](size_t index) { return size_of(arguments[index]); };
  switch (rule) {
    case CostRule::kOne:
      return 1;
    case CostRule::kTraverse:
      return tenth(size(0));
    case CostRule::kTraverseTwice:
      return tenth(2 * size(0));
    case CostRule::kTraverseResult:
      return 0;
    case CostRule::kTraverseBoth:
      return tenth(size(0) + size(1));
    case CostRule::kCompare:
      return tenth(std::min(size(0), size(1)));
    case CostRule::kSearch:
      return tenth(size(0)) * tenth(size(1));
    case CostRule::kRegex:
      return tenth(1 + size(0)) * quarter(size(1));
    case CostRule::kElements:
      return size(1);
    case CostRule::kEachElement:
      return traversal(arguments[0], kCostBudget);
    case CostRule::kPairs:
      return 1 + size(0) * size(1);
    case CostRule::kPairsTwice:
      return 1 + 2 * size(0) * size(1);
    case CostRule::kContainsAddress:
      return tenth(2 * size(0)) + (arguments[1].is_string() ? tenth(size(1)) : 0);
    case CostRule::kContainsNetwork:
      return tenth(2 * size(0)) + tenth(size(0)) + 1 + (arguments[1].is_string() ? tenth(size(1)) : 0);
    case CostRule::kAuthorization:
      return kAuthorizationCost;
  }
  return 1;
}

uint64_t result_cost(CostRule rule, const Value& result) {
  return rule == CostRule::kTraverseResult ? tenth(2 * size_of(result)) : 0;
}

}  // namespace stead::cel
