#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "object/value.h"

namespace stead::apiserver {

// What a node's containers have used so far, declared by its only caller; the app joins it to the nodes.
class UsageSource {
 public:
  using Done = std::function<void(Result<object::Value> summary)>;
  virtual ~UsageSource() = default;
  // The node's Summary (the kubelet's stats/v1alpha1). API loop; `done` runs there, later and at most once: never for a
  // node that does not answer.
  virtual void read(const std::string& node, Done done) = 0;
};

}  // namespace stead::apiserver
