#pragma once

// What expressions cost: calls at run time, and bounds beforehand. Internal to the room.

#include <span>

#include "cel/environment.h"
#include "cel/language/syntax.h"
#include "cel/library/library.h"

namespace stead::cel {

inline constexpr uint64_t kListCost = 10;
inline constexpr uint64_t kMapCost = 30;
inline constexpr uint64_t kAuthorizationCost = 350'000;

// Of a call whose result does not matter, before it is made.
uint64_t call_cost(CostRule rule, std::span<const Value> arguments);
// Of making the result, after it is made.
uint64_t result_cost(CostRule rule, const Value& result);

CostEstimate estimate(const Expression& root);

}  // namespace stead::cel
