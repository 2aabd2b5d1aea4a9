#include "kinds/semantics/tolerations.h"

#include <algorithm>
#include <string_view>

namespace stead::kinds {

const Value* toleration_of(const Value& tolerations, const Value& taint) {
  std::span<const Value> all = tolerations.items();
  auto found = std::find_if(all.begin(), all.end(), [&](const Value& toleration) {
    std::string_view effect = toleration.at("effect").as_string();
    if (!effect.empty() && effect != taint.at("effect").as_string()) return false;
    std::string_view key = toleration.at("key").as_string();
    // An empty key, which validation allows with Exists only, tolerates every key.
    if (!key.empty() && key != taint.at("key").as_string()) return false;
    if (toleration.at("operator").as_string() == "Exists") return true;
    return !key.empty() && toleration.at("value").as_string() == taint.at("value").as_string();
  });
  return found == all.end() ? nullptr : &*found;
}

bool tolerates(const Value& tolerations, const Value& taint) { return toleration_of(tolerations, taint) != nullptr; }

}  // namespace stead::kinds
