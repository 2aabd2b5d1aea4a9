#include <algorithm>
#include <array>

#include "cel/language/parser.h"

namespace stead::cel {

namespace {

struct MacroForm {
  std::string_view name;
  size_t arguments;
  Macro macro;
  size_t variables;
  bool condition;  // the argument before the body
};
constexpr std::array<MacroForm, 19> kForms = {{
    {"all", 2, Macro::kAll, 1, false},
    {"all", 3, Macro::kAll, 2, false},
    {"exists", 2, Macro::kExists, 1, false},
    {"exists", 3, Macro::kExists, 2, false},
    {"exists_one", 2, Macro::kExistsOne, 1, false},
    {"exists_one", 3, Macro::kExistsOne, 2, false},
    {"existsOne", 2, Macro::kExistsOne, 1, false},
    {"existsOne", 3, Macro::kExistsOne, 2, false},
    {"map", 2, Macro::kMap, 1, false},
    {"map", 3, Macro::kMap, 1, true},
    {"filter", 2, Macro::kFilter, 1, false},
    {"transformList", 3, Macro::kMap, 2, false},
    {"transformList", 4, Macro::kMap, 2, true},
    {"transformMap", 3, Macro::kTransformMap, 2, false},
    {"transformMap", 4, Macro::kTransformMap, 2, true},
    {"transformMapEntry", 3, Macro::kTransformMapEntry, 2, false},
    {"transformMapEntry", 4, Macro::kTransformMapEntry, 2, true},
    {"optMap", 2, Macro::kOptMap, 1, false},
    {"optFlatMap", 2, Macro::kOptFlatMap, 1, false},
}};

bool is_plain_name(const Expression& expression) {
  return expression.kind == ExpressionKind::kIdentifier && !expression.name.starts_with('.');
}

void expand_has(ExpressionPtr& call, Problems& problems) {
  Expression& argument = *call->children[0];
  if (argument.kind != ExpressionKind::kSelect || argument.test_only) {
    problems.add(call->offset, "invalid argument to has() macro");
    return;
  }
  ExpressionPtr select = std::move(call->children[0]);
  select->test_only = true;
  select->offset = call->offset;
  call = std::move(select);
}

}  // namespace

void expand_macro(ExpressionPtr& call, Problems& problems) {
  if (!call->member) {
    if (call->name == "has" && call->children.size() == 1) expand_has(call, problems);
    return;
  }
  size_t arguments = call->children.size() - 1;
  auto form = std::ranges::find_if(
      kForms, [&](const MacroForm& each) { return each.name == call->name && each.arguments == arguments; });
  if (form == kForms.end()) return;
  std::array<std::string, 2> variables;
  for (size_t i = 0; i < form->variables; ++i) {
    Expression& variable = *call->children[1 + i];
    if (!is_plain_name(variable)) {
      bool transforms = form->macro == Macro::kMap || form->macro == Macro::kFilter;
      problems.add(variable.offset, transforms && form->variables == 1 ? "argument is not an identifier"
                                                                       : "argument must be a simple name");
      return;
    }
    if (variable.name == "__result__") {
      problems.add(variable.offset, "iteration variable overwrites accumulator variable");
      return;
    }
    variables[i] = variable.name;
  }
  if (form->variables == 2 && variables[0] == variables[1]) {
    problems.add(call->children[2]->offset, "duplicate variable name: " + variables[0]);
    return;
  }
  auto made = std::make_unique<Expression>();
  made->kind = ExpressionKind::kComprehension;
  made->offset = call->offset;
  made->depth = call->depth + 1;
  made->macro = form->macro;
  made->name = variables[0];
  made->name2 = variables[1];
  made->children.push_back(std::move(call->children.front()));
  made->children.push_back(std::move(call->children.back()));
  if (form->condition) made->children.push_back(std::move(call->children[call->children.size() - 2]));
  call = std::move(made);
}

}  // namespace stead::cel
