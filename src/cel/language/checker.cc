#include "cel/language/checker.h"

#include <algorithm>

#include "cel/language/unify.h"
#include "cel/library/library.h"
#include "cel/library/texts.h"
#include "cel/property_name.h"

namespace stead::cel {

namespace {

// "a.b.c" of selects down to a name; empty where the tree is anything else.
std::string qualified_name(const Expression& expression) {
  if (expression.kind == ExpressionKind::kIdentifier) return expression.name;
  if (expression.kind != ExpressionKind::kSelect || expression.test_only) return {};
  std::string operand = qualified_name(expression.child(0));
  return operand.empty() ? operand : operand + "." + expression.name;
}

std::string applied_to(const std::vector<Type>& types, bool member) {
  std::string text = member ? types[0].name() + ".(" : "(";
  for (size_t i = member ? 1 : 0; i < types.size(); ++i) {
    if (i > (member ? 1u : 0u)) text += ", ";
    text += types[i].name();
  }
  return text + ")";
}

class Checker {
 public:
  Checker(const Environment& environment, Problems& problems) : environment_(environment), problems_(problems) {}

  void check(Expression& expression) {
    switch (expression.kind) {
      case ExpressionKind::kLiteral:
        expression.type = expression.value.type();
        return;
      case ExpressionKind::kIdentifier:
        return check_identifier(expression);
      case ExpressionKind::kSelect:
        return check_select(expression);
      case ExpressionKind::kCall:
        return check_call(expression);
      case ExpressionKind::kList:
        return check_list(expression);
      case ExpressionKind::kMap:
        return check_map(expression);
      case ExpressionKind::kMessage:
        return fail(expression, undeclared(expression.name));
      case ExpressionKind::kComprehension:
        return check_comprehension(expression);
    }
  }

  // Replaces what type variables stand for, everywhere.
  void close(Expression& expression) {
    expression.type = unifier_.resolve(expression.type, true);
    for (auto& child : expression.children) close(*child);
  }

 private:
  static std::string undeclared(std::string_view name) {
    return "undeclared reference to '" + std::string(name) + "' (in container '')";
  }

  void fail(Expression& expression, std::string message) {
    problems_.add(expression.offset, std::move(message));
    expression.type = Type(TypeKind::kError);
  }

  void mismatch(const Expression& at, const Type& expected, const Type& found) {
    problems_.add(at.offset, "expected type '" + unifier_.resolve(expected, true).name() + "' but found '" +
                                 unifier_.resolve(found, true).name() + "'");
  }

  Type type_of(const Expression& expression) const { return unifier_.resolve(expression.type, false); }

  // A variable or a type's name. Names with a leading point skip the macros' variables.
  bool resolve_name(Expression& expression, std::string_view name) {
    bool absolute = name.starts_with('.');
    if (absolute) name.remove_prefix(1);
    if (!absolute) {
      for (size_t i = locals_.size(); i-- > 0;) {
        if (locals_[i].first != name) continue;
        expression.kind = ExpressionKind::kIdentifier;
        expression.local = static_cast<int>(i);
        expression.type = locals_[i].second;
        expression.name = name;
        return true;
      }
    }
    if (const Type* declared = environment_.find(name)) {
      expression.type = *declared;
    } else if (auto type = find_type_name(name)) {
      expression.constant = true;
      expression.value = Value::of_type(*type);
      expression.type = Type::type(*std::move(type));
    } else {
      return false;
    }
    expression.kind = ExpressionKind::kIdentifier;
    expression.name = std::string(name);
    return true;
  }

  void check_identifier(Expression& expression) {
    std::string name = expression.name;
    if (!resolve_name(expression, name)) fail(expression, undeclared(name));
  }

  void check_select(Expression& expression) {
    // "authorizer.requestResource" and "google.protobuf.Timestamp" are names with points.
    std::string name = expression.test_only ? "" : qualified_name(expression);
    bool shadowed = is_local(name.substr(0, name.find('.')));
    if (!name.empty() && !shadowed && resolve_name(expression, name)) {
      expression.children.clear();
      return;
    }
    Type result = check_field(expression, *expression.children[0], expression.name, false);
    expression.type = expression.test_only ? Type::boolean() : result;
  }

  bool is_local(std::string_view name) const {
    return std::ranges::any_of(locals_, [&](const auto& local) { return local.first == name; });
  }

  Type check_field(Expression& expression, Expression& operand, const std::string& field, bool optional) {
    check(operand);
    Type target = type_of(operand);
    bool from_optional = target.is(TypeKind::kOptional);
    if (from_optional) target = unifier_.resolve(target.parameter(0), false);
    Type result(TypeKind::kError);
    switch (target.kind()) {
      case TypeKind::kMap:
        result = target.parameter(1);
        break;
      case TypeKind::kObject: {
        auto found = object_field(*target.object(), field);
        if (found) {
          result = *std::move(found);
        } else {
          problems_.add(expression.offset, "undefined field '" + field + "'");
        }
        break;
      }
      case TypeKind::kParameter:
        unifier_.assign(Type(), target);
        result = Type();
        break;
      case TypeKind::kDyn:
      case TypeKind::kError:
        result = Type();
        break;
      default:
        problems_.add(expression.offset, "type '" + target.name() + "' does not support field selection");
        result = Type();
    }
    return from_optional || optional ? Type::optional(result) : result;
  }

  static std::optional<Type> object_field(const ObjectType& object, const std::string& field) {
    if (!object.escaped()) return object.field(field);
    auto unescaped = unescape_property(field);
    return unescaped ? object.field(*unescaped) : std::nullopt;
  }

  void check_call(Expression& expression) {
    if (expression.name == "_?._") {
      std::string field(expression.child(1).value.as_string());
      check(*expression.children[1]);
      expression.type = check_field(expression, *expression.children[0], field, true);
      return;
    }
    // Given a.b.c(): either "a.b.c" is a function, or "c" is one with the receiver a.b.
    size_t first = 0;
    std::vector<Signature> functions;
    if (expression.member) {
      first = 1;
      std::string prefix = qualified_name(expression.child(0));
      if (!prefix.empty() && !is_local(prefix.substr(0, prefix.find('.')))) {
        if (prefix.starts_with('.')) prefix.erase(0, 1);
        functions = find_function(prefix + "." + expression.name);
      }
      if (!functions.empty()) {
        expression.name = prefix + "." + expression.name;
        expression.member = false;
        expression.children.erase(expression.children.begin());
        first = 0;
      }
    } else if (expression.name.starts_with('.')) {
      expression.name.erase(0, 1);
    }
    for (size_t i = first; i < expression.children.size(); ++i) check(*expression.children[i]);
    if (expression.member) check(*expression.children[0]);
    if (expression.name == "_&&_" || expression.name == "_||_") return check_logic(expression);
    if (functions.empty()) functions = find_function(expression.name);
    if (functions.empty()) return fail(expression, undeclared(expression.name));
    resolve_overload(expression, functions);
    check_literals(expression);
  }

  void check_logic(Expression& expression) {
    expression.type = Type::boolean();
    for (const auto& term : expression.children) {
      if (unifier_.assign(term->type, Type::boolean())) continue;
      mismatch(*term, Type::boolean(), term->type);
      expression.type = Type(TypeKind::kError);
    }
  }

  void resolve_overload(Expression& expression, std::vector<Signature>& functions) {
    std::vector<Type> arguments;
    for (const auto& child : expression.children) arguments.push_back(child->type);
    bool any = false;
    for (Signature& signature : functions) {
      if (signature.member != expression.member || signature.parameters.size() != arguments.size()) continue;
      std::map<std::string, Type, std::less<>> names;
      std::vector<Type> parameters;
      for (const Type& parameter : signature.parameters) parameters.push_back(unifier_.instantiate(parameter, names));
      Type result = unifier_.instantiate(signature.result, names);
      if (!unifier_.assign_all(arguments, parameters)) continue;
      result = unifier_.resolve(result, false);
      if (!any) {
        expression.type = result;
      } else if (!expression.type.is_dyn() && !(result == expression.type)) {
        expression.type = Type();
      }
      any = true;
      expression.candidates.push_back(std::move(signature));
    }
    if (any) return;
    for (Type& argument : arguments) argument = unifier_.resolve(argument, true);
    fail(expression, "found no matching overload for '" + expression.name + "' applied to '" +
                         applied_to(arguments, expression.member) + "'");
  }

  // Constant texts that could never convert are errors already now.
  void check_literals(Expression& expression);

  // `type` joined with what came before: the elements of one literal.
  void join(const Type& type, std::optional<Type>& joined) {
    if (!joined) {
      joined = type;
    } else if (unifier_.assign(*joined, type)) {
      joined = most_general(*joined, type);
    } else {
      joined = Type();
    }
  }

  Type element_type(const Expression& element, bool optional) {
    Type type = type_of(element);
    if (!optional) return type;
    if (type.is(TypeKind::kOptional)) return type.parameter(0);
    if (!type.is_dyn()) mismatch(element, Type::optional(type), type);
    return type;
  }

  void check_list(Expression& expression) {
    std::optional<Type> joined;
    for (size_t i = 0; i < expression.children.size(); ++i) {
      Expression& element = *expression.children[i];
      check(element);
      join(element_type(element, expression.optionals[i]), joined);
    }
    expression.type = Type::list(joined ? *joined : unifier_.new_variable());
  }

  void check_map(Expression& expression) {
    std::optional<Type> keys;
    std::optional<Type> values;
    for (size_t i = 0; i + 1 < expression.children.size(); i += 2) {
      Expression& key = *expression.children[i];
      Expression& value = *expression.children[i + 1];
      check(key);
      join(type_of(key), keys);
      check(value);
      join(element_type(value, expression.optionals[i / 2]), values);
    }
    Type key_type = keys ? *keys : unifier_.new_variable();
    expression.type = Type::map(key_type, values ? *values : unifier_.new_variable());
  }

  void check_comprehension(Expression& expression);
  void declare_variables(Expression& expression);
  void check_condition(const Expression& at, const Type& condition, const Type& branch);

  const Environment& environment_;
  Problems& problems_;
  Unifier unifier_;
  std::vector<std::pair<std::string, Type>> locals_;
};

void Checker::declare_variables(Expression& expression) {
  const Expression& range = expression.child(0);
  Type type = type_of(range);
  Type first;
  Type second;
  bool two = !expression.name2.empty();
  bool optional = expression.macro == Macro::kOptMap || expression.macro == Macro::kOptFlatMap;
  if (type.is(TypeKind::kParameter)) {
    unifier_.assign(Type(), type);
  } else if (optional && type.is(TypeKind::kOptional)) {
    first = type.parameter(0);
  } else if (!optional && type.is(TypeKind::kList)) {
    first = two ? Type::int64() : type.parameter(0);
    second = type.parameter(0);
  } else if (!optional && type.is(TypeKind::kMap)) {
    first = type.parameter(0);
    second = type.parameter(1);
  } else if (!type.is_dyn() && !type.is(TypeKind::kError)) {
    problems_.add(range.offset, optional
                                    ? "found no matching overload for 'hasValue' applied to '" + type.name() + ".()'"
                                    : "expression of type '" + type.name() +
                                          "' cannot be range of a comprehension (must be list, map, or dynamic)");
    first = second = Type(TypeKind::kError);
  }
  locals_.emplace_back(expression.name, first);
  if (two) locals_.emplace_back(expression.name2, second);
}

// What stands before the `?` of the conditional that the macro means.
void Checker::check_condition(const Expression& at, const Type& condition, const Type& branch) {
  if (unifier_.assign(condition, Type::boolean())) return;
  std::vector<Type> arguments = {unifier_.resolve(condition, true), unifier_.resolve(branch, true),
                                 unifier_.resolve(branch, true)};
  problems_.add(at.offset, "found no matching overload for '_?_:_' applied to '" + applied_to(arguments, false) + "'");
}

void Checker::check_comprehension(Expression& expression) {
  check(*expression.children[0]);
  size_t outside = locals_.size();
  declare_variables(expression);
  Type variable = locals_[outside].second;
  Expression& body = *expression.children[1];
  if (expression.children.size() > 2) check(*expression.children[2]);
  check(body);
  locals_.resize(outside);
  Type type = type_of(body);
  switch (expression.macro) {
    case Macro::kAll:
    case Macro::kExists:
      if (!unifier_.assign(type, Type::boolean())) mismatch(body, Type::boolean(), type);
      expression.type = Type::boolean();
      break;
    case Macro::kExistsOne:
      check_condition(expression, type, Type::int64());
      expression.type = Type::boolean();
      break;
    case Macro::kFilter:
      expression.type = Type::list(variable);
      check_condition(expression, type, expression.type);
      break;
    case Macro::kMap:
      expression.type = Type::list(type);
      break;
    case Macro::kTransformMap:
      expression.type = Type::map(variable, type);
      break;
    case Macro::kTransformMapEntry:
      expression.type = type;
      if (!type.is(TypeKind::kMap) && !type.is_dyn() && !type.is(TypeKind::kError)) {
        fail(expression,
             "found no matching overload for 'cel.@mapInsert' applied to '(map(dyn, dyn), " + type.name() + ")'");
      }
      break;
    case Macro::kOptMap:
      expression.type = Type::optional(type);
      break;
    case Macro::kOptFlatMap: {
      Type wanted = Type::optional(unifier_.new_variable());
      if (!unifier_.assign(type, wanted)) {
        problems_.add(expression.offset, "found no matching overload for '_?_:_' applied to '(bool, " + type.name() +
                                             ", optional_type(dyn))'");
      }
      expression.type = unifier_.resolve(wanted, false);
      break;
    }
  }
  if (expression.children.size() > 2) check_condition(expression, expression.child(2).type, expression.type);
}

void Checker::check_literals(Expression& expression) {
  bool pattern = expression.name == "matches" || expression.name == "find" || expression.name == "findAll";
  bool time = expression.name == "duration" || expression.name == "timestamp";
  size_t index = pattern ? 1 : 0;
  if ((!pattern && !time) || expression.children.size() <= index || expression.candidates.empty()) return;
  const Expression& literal = expression.child(index);
  if (literal.kind != ExpressionKind::kLiteral || !literal.value.is_string()) return;
  if (pattern) {
    expression.regex = compile_regex(literal.value.as_string());
    if (!expression.regex && expression.name == "matches") problems_.add(literal.offset, "invalid matches argument");
    return;
  }
  Value arguments[] = {literal.value};
  for (const Signature& candidate : expression.candidates) {
    if (!accepts(candidate.parameters[0], arguments[0])) continue;
    if (candidate.overload->run({.arguments = arguments}).is_error()) {
      problems_.add(literal.offset, "invalid " + expression.name + " argument");
    }
  }
}

// Whether two closed types are the same but for type variables and sizes.
void require_same(const Expression& element, bool optional, std::optional<Type>& first, Problems& problems) {
  Type type = optional ? element.type.parameter(0) : element.type;
  if (!first) {
    first = type;
  } else if (!(*first == type)) {
    problems.add(element.offset, "expected type '" + first->name() + "' but found '" + type.name() + "'");
  }
}

bool is_conversion(const Expression& expression) {
  static constexpr std::string_view kConversions[] = {"bool", "bytes",  "double",    "duration", "dyn",
                                                      "int",  "string", "timestamp", "uint"};
  return expression.kind == ExpressionKind::kCall && expression.children.size() == 1 && !expression.member &&
         std::ranges::find(kConversions, expression.name) != std::end(kConversions);
}

Value folded_list(const Expression& expression) {
  std::vector<Value> items;
  for (const auto& child : expression.children) items.push_back(child->value);
  return Value::list(std::move(items));
}

}  // namespace

void check(Expression& root, const Environment& environment, Problems& problems) {
  Checker checker(environment, problems);
  checker.check(root);
  if (!problems.empty()) return;
  checker.close(root);
  check_uniform(root, problems);
}

void check_uniform(const Expression& expression, Problems& problems) {
  if (expression.kind == ExpressionKind::kCall && expression.name == "format") return;
  for (const auto& child : expression.children) check_uniform(*child, problems);
  std::optional<Type> first;
  std::optional<Type> second;
  for (size_t i = 0; i < expression.children.size(); ++i) {
    if (expression.kind == ExpressionKind::kList) {
      require_same(expression.child(i), expression.optionals[i], first, problems);
    } else if (expression.kind == ExpressionKind::kMap) {
      require_same(expression.child(i), i % 2 == 1 && expression.optionals[i / 2], i % 2 == 0 ? first : second,
                   problems);
    }
  }
}

void fold(Expression& expression) {
  for (auto& child : expression.children) fold(*child);
  bool constant = std::ranges::all_of(expression.children, [](const auto& child) { return child->constant; });
  if (!constant) return;
  if (expression.kind == ExpressionKind::kList) {
    if (std::ranges::find(expression.optionals, true) != expression.optionals.end()) return;
    expression.value = folded_list(expression);
    expression.constant = true;
  } else if (is_conversion(expression)) {
    Value arguments[] = {expression.child(0).value};
    for (const Signature& candidate : expression.candidates) {
      if (!accepts(candidate.parameters[0], arguments[0])) continue;
      Value value = candidate.overload->run({.arguments = arguments});
      if (value.is_error()) return;
      expression.value = std::move(value);
      expression.constant = true;
      return;
    }
  }
}

}  // namespace stead::cel
