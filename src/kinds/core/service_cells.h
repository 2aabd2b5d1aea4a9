#pragma once

// The columns and cells of `kubectl get services`. Pure.

#include <vector>

#include "kinds/registry.h"

namespace stead::kinds {

std::vector<Column> service_columns();
std::vector<Value> service_cells(const Value& service, WallTime now);

}  // namespace stead::kinds
