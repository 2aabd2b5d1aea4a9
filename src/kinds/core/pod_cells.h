#pragma once

// The columns and cells of `kubectl get pods`. Pure.

#include <string>
#include <vector>

#include "kinds/registry.h"

namespace stead::kinds {

std::vector<Column> pod_columns();
std::vector<Value> pod_cells(const Value& pod, WallTime now);
// The STATUS cell: the phase, or what one has to know instead of it ("CrashLoopBackOff", "Init:0/1", "Terminating").
std::string pod_status_text(const Value& pod);

}  // namespace stead::kinds
