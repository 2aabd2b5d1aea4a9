#include "kinds/core/core_rules.h"
#include "kinds/meta/cells.h"

namespace stead::kinds {
namespace {

std::vector<Value> cells(const Value& component, WallTime) {
  std::string_view status = "Unknown";
  std::string_view message;
  std::string_view error;
  for (const Value& condition : component.at("conditions").items()) {
    if (condition.at("type").as_string() != "Healthy") continue;
    status = condition.at("status").as_string() == "True" ? "Healthy" : "Unhealthy";
    message = condition.at("message").as_string();
    error = condition.at("error").as_string();
  }
  return {component.at({"metadata", "name"}), Value(status), Value(message), Value(error)};
}

}  // namespace

KindRules component_status_rules() {
  KindRules made;
  made.rules = {.cells = cells};
  made.columns = {name_column(),
                  {"Status", "string", "", "Healthy or Unhealthy; Unknown if nobody tells."},
                  {"Message", "string", "", "What the component says of itself."},
                  {"Error", "string", "", "What is wrong."}};
  return made;
}

}  // namespace stead::kinds
