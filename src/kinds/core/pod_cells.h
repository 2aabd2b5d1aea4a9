#pragma once

// The columns and cells of `kubectl get pods`. Pure.

#include <string>
#include <vector>

#include "kinds/registry.h"

namespace stead::kinds {

std::vector<Column> pod_columns();
std::vector<Value> pod_cells(const Value& pod, WallTime now);

}  // namespace stead::kinds
