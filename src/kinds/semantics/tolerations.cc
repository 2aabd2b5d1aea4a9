#include "kinds/semantics/tolerations.h"

#include <algorithm>
#include <string_view>

namespace stead::kinds {

bool tolerates(const Value& tolerations, const Value& taint) {
  std::span<const Value> all = tolerations.items();
  return std::any_of(all.begin(), all.end(), [&](const Value& toleration) {
    std::string_view effect = toleration.at("effect").as_string();
    if (!effect.empty() && effect != taint.at("effect").as_string()) return false;
    std::string_view key = toleration.at("key").as_string();
    // An empty key, which validation allows with Exists only, tolerates every key.
    if (!key.empty() && key != taint.at("key").as_string()) return false;
    if (toleration.at("operator").as_string() == "Exists") return true;
    return !key.empty() && toleration.at("value").as_string() == taint.at("value").as_string();
  });
}

}  // namespace stead::kinds
