#include "kinds/meta/conditions.h"

namespace stead::kinds {

using object::Value;

const Value* find_condition(const Value& status, std::string_view type) {
  for (const Value& condition : status.at("conditions").items()) {
    if (condition.at("type").as_string() == type) return &condition;
  }
  return nullptr;
}

bool is_condition_true(const Value& status, std::string_view type) {
  const Value* condition = find_condition(status, type);
  return condition != nullptr && condition->at("status").as_string() == "True";
}

}  // namespace stead::kinds
