#include "kinds/admissionregistration/policy_program.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "object/names.h"

namespace stead::kinds {
namespace {

using cel::Type;

constexpr size_t kAnnotationsMax = 20;
constexpr size_t kAnnotationExpressionBytesMax = 5 * 1024;

bool is_identifier(std::string_view text) {
  static constexpr std::string_view kReserved[] = {
      "true", "false",  "null", "in",   "as",      "break",     "const",  "continue", "else", "for",  "function",
      "if",   "import", "let",  "loop", "package", "namespace", "return", "var",      "void", "while"};
  auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (text.empty() || !is_letter(text[0])) return false;
  if (!std::all_of(text.begin(), text.end(), [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); })) {
    return false;
  }
  return std::find(std::begin(kReserved), std::end(kReserved), text) == std::end(kReserved);
}

class Compiler {
 public:
  Compiler(const Value& document, FieldErrors& errors)
      : document_(document), params_(document.at({"spec", "paramKind"}).is_object()), errors_(errors) {}

  PolicyProgram compile() {
    const Value& spec = document_.at("spec");
    const Path root("spec");
    made_.conditions =
        compile_match_conditions(root.child("matchConditions"), spec.at("matchConditions"), params_, errors_);
    full_ = admission_environment({.params = params_});
    of_messages_ = admission_environment({.params = params_, .authorizer = false});
    const Path variables = root.child("variables");
    for (size_t i = 0; i < spec.at("variables").size(); ++i)
      variable(variables.index(i), spec.at("variables").items()[i]);
    if (spec.at("validations").empty() && spec.at("auditAnnotations").empty()) {
      for (std::string_view name : {"validations", "auditAnnotations"}) {
        errors_.required(root.child(name), "validations or auditAnnotations must contain at least one item");
      }
    }
    const Path validations = root.child("validations");
    for (size_t i = 0; i < spec.at("validations").size(); ++i) {
      validation(validations.index(i), spec.at("validations").items()[i]);
    }
    annotations(root.child("auditAnnotations"), spec.at("auditAnnotations"));
    return std::move(made_);
  }

 private:
  void variable(const Path& path, const Value& variable) {
    const Value& name = variable.at("name");
    if (trimmed(name.as_string()).empty()) {
      errors_.required(path.child("name"), "name is not specified");
    } else if (!is_identifier(name.as_string())) {
      errors_.invalid(path.child("name"), name, "name is not a valid CEL identifier");
    }
    const Value& text = variable.at("expression");
    if (trimmed(text.as_string()).empty()) {
      return errors_.required(path.child("expression"), "expression is not specified");
    }
    if (made_.variables.empty()) variables_.declare_in(full_);
    ProgramPtr program = compile_expression(full_, path.child("expression"), text, {}, errors_);
    if (!program) return;
    variables_.add(std::string(name.as_string()), program->result_type());
    variables_.declare_in(full_);
    variables_.declare_in(of_messages_);
    made_.variables.push_back({std::string(name.as_string()), std::move(program)});
  }

  void validation(const Path& path, const Value& validation) {
    PolicyProgram::Validation made;
    const Value& text = validation.at("expression");
    made.expression = trimmed(text.as_string());
    if (made.expression.empty()) {
      errors_.required(path.child("expression"), "expression is not specified");
    } else {
      made.program = compile_expression(full_, path.child("expression"), text, {Type::boolean()}, errors_);
    }
    const Value& of_message = validation.at("messageExpression");
    if (!of_message.as_string().empty() && trimmed(of_message.as_string()).empty()) {
      errors_.invalid(path.child("messageExpression"), of_message, "must be non-empty if specified");
    } else if (!of_message.as_string().empty()) {
      made.message_program =
          compile_expression(of_messages_, path.child("messageExpression"), of_message, {Type::string()}, errors_);
    }
    const Value& message = validation.at("message");
    made.message = trimmed(message.as_string());
    if (!message.as_string().empty() && made.message.empty()) {
      errors_.invalid(path.child("message"), message, "message must be non-empty if specified");
    } else if (made.message.find_first_of("\r\n") != std::string::npos) {
      errors_.invalid(path.child("message"), message, "message must not contain line breaks");
    }
    check_optional_one_of(path.child("reason"), validation.at("reason"),
                          {"Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"}, errors_);
    made.reason = validation.at("reason").is_null() ? "Invalid" : validation.at("reason").as_string();
    if (made.program) made_.validations.push_back(std::move(made));
  }

  void annotations(const Path& path, const Value& list) {
    if (list.size() > kAnnotationsMax) {
      errors_.invalid(path, list, fmt::format("must not have more than {} auditAnnotations", kAnnotationsMax));
    }
    std::set<std::string_view> keys;
    for (size_t i = 0; i < list.size(); ++i) {
      const Path here = path.index(i);
      annotation(here, list.items()[i]);
      if (!keys.insert(list.items()[i].at("key").as_string()).second) {
        errors_.duplicate(here.child("key"), list.items()[i].at("key"));
      }
    }
  }

  void annotation(const Path& path, const Value& annotation) {
    const Value& key = annotation.at("key");
    std::string_view policy = document_.at({"metadata", "name"}).as_string();
    if (policy.empty()) {
      errors_.invalid(path.child("key"), key, "requires metadata.name be non-empty");
    } else {
      const std::string full = fmt::format("{}/{}", policy, key.as_string());
      check(path.child("key"), Value(full), object::check_qualified_name(full), errors_);
    }
    const Value& text = annotation.at("valueExpression");
    const Value expression(trimmed(text.as_string()));
    const Path here = path.child("valueExpression");
    if (expression.as_string().empty()) return errors_.required(here, "valueExpression is not specified");
    if (expression.as_string().size() > kAnnotationExpressionBytesMax) {
      return errors_.required(here, fmt::format("must not exceed {} bytes in length", kAnnotationExpressionBytesMax));
    }
    ProgramPtr program = compile_expression(full_, here, expression, {Type::string(), Type::null()}, errors_);
    if (!program) return;
    made_.annotations.push_back(
        {std::string(key.as_string()), std::string(expression.as_string()), std::move(program)});
  }

  const Value& document_;
  const bool params_;
  FieldErrors& errors_;
  PolicyProgram made_;
  cel::Environment full_;
  cel::Environment of_messages_;
  ExpressionVariables variables_;
};

}  // namespace

PolicyProgram PolicyProgram::compile(const Value& document, FieldErrors& errors) {
  return Compiler(document, errors).compile();
}

std::vector<std::pair<ExpressionPlace, std::string>> doubts(const Value& document, const Type& object,
                                                            const Type& params) {
  const Value& spec = document.at("spec");
  cel::Environment environment =
      admission_environment({.params = spec.at("paramKind").is_object(), .object = object, .params_type = params});
  ExpressionVariables variables;
  std::string problem;
  variables.declare_in(environment);
  for (const Value& variable : spec.at("variables").items()) {
    ProgramPtr program = compile_expression(environment, variable.at("expression").as_string(), {}, problem);
    variables.add(std::string(variable.at("name").as_string()), program ? program->result_type() : Type::dyn());
    variables.declare_in(environment);
  }
  std::vector<std::pair<ExpressionPlace, std::string>> found;
  auto judge = [&](ExpressionPlace place, std::string_view text) {
    if (text.empty()) return;
    cel::Compilation compiled = environment.compile(text);
    if (!compiled.ok()) found.emplace_back(place, compiled.error_text());
  };
  for (size_t i = 0; i < spec.at("validations").size(); ++i) {
    const Value& validation = spec.at("validations").items()[i];
    judge({i, false}, validation.at("expression").as_string());
    judge({i, true}, validation.at("messageExpression").as_string());
  }
  return found;
}

}  // namespace stead::kinds
