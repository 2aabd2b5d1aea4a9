#pragma once

// What a filter says of one node.

#include <string>
#include <vector>

namespace stead::scheduler {

struct Verdict {
  // Empty: the node will do. Texts are those that upstream's plugins give, as users search for them.
  std::vector<std::string> reasons;
  // Whether removing pods from the node could help.
  bool resolvable = true;
  bool ok() const { return reasons.empty(); }

  static Verdict fits() { return {}; }
  static Verdict rejects(std::string reason) { return {{std::move(reason)}, true}; }
  static Verdict rejects_for_good(std::string reason) { return {{std::move(reason)}, false}; }
};

}  // namespace stead::scheduler
