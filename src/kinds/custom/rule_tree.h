#pragma once

// The compiled form of ValidationRules: a tree beside the schema's, with nodes where there are rules.

#include "kinds/custom/validation_rules.h"

namespace stead::kinds {

struct ValidationRules::Rule {
  std::shared_ptr<const cel::Program> program;
  std::shared_ptr<const cel::Program> message_program;  // null: none
  std::string text;                                     // trimmed
  std::string message;
  std::string reason;      // "" is FieldValueInvalid
  std::string field_path;  // "" is the value itself
  bool on_change = false;  // reads oldSelf
  bool optional_old = false;
};

struct ValidationRules::Node {
  const object::Value* schema = nullptr;
  cel::Type type;
  std::vector<Rule> rules;
  std::unique_ptr<const Node> items;
  std::unique_ptr<const Node> values;  // of additionalProperties
  std::vector<std::pair<std::string, std::unique_ptr<const Node>>> properties;
  std::vector<std::unique_ptr<const Node>> all_of;

  bool empty() const { return rules.empty() && !items && !values && properties.empty() && all_of.empty(); }
};

}  // namespace stead::kinds
