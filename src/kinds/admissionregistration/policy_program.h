#pragma once

// A ValidatingAdmissionPolicy's expressions, compiled. Immutable, any thread.

#include <compare>
#include <string>
#include <vector>

#include "kinds/admissionregistration/admission_environment.h"

namespace stead::kinds {

struct PolicyProgram {
  struct Variable {
    std::string name;
    ProgramPtr program;
  };
  struct Validation {
    ProgramPtr program;
    ProgramPtr message_program;  // null: none
    std::string message;
    std::string reason;  // "Invalid" unless said
    std::string expression;
  };
  struct Annotation {
    std::string key;
    std::string expression;
    ProgramPtr program;
  };

  std::vector<MatchCondition> conditions;
  std::vector<Variable> variables;
  std::vector<Validation> validations;
  std::vector<Annotation> annotations;

  // Of the policy `document`, telling what is wrong with its expressions and what surrounds them; what has errors is
  // left out. `object` and `params` are dyn where requests are judged.
  static PolicyProgram compile(const Value& document, FieldErrors& errors);
};

struct ExpressionPlace {
  size_t index = 0;      // of the validation
  bool message = false;  // its messageExpression, not its expression
  friend auto operator<=>(const ExpressionPlace&, const ExpressionPlace&) = default;
};
// What the compiler says of the policy's expressions when objects are of type `object`, and parameters of type
// `params`.
std::vector<std::pair<ExpressionPlace, std::string>> doubts(const Value& document, const cel::Type& object,
                                                            const cel::Type& params);

}  // namespace stead::kinds
