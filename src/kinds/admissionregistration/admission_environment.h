#pragma once

// What the expressions of webhooks and admission policies may name, and how one is compiled: the same at validation and
// where requests are judged. Pure, any thread.

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cel/environment.h"
#include "kinds/meta/checks.h"

namespace stead::kinds {

// Of a request (admission/v1 AdmissionRequest without the objects) and of the namespace it is in.
const cel::Type& admission_request_type();
const cel::Type& admission_namespace_type();

struct ExpressionScope {
  bool params = false;
  bool authorizer = true;
  cel::Type object;  // of object and oldObject
  cel::Type params_type;
};
// object, oldObject, request, namespaceObject, and as `scope` says params, authorizer and authorizer.requestResource.
cel::Environment admission_environment(const ExpressionScope& scope);

// Without the white space at both ends.
std::string_view trimmed(std::string_view text);

using ProgramPtr = std::shared_ptr<const cel::Program>;

// nullptr, and `problem` tells why, where the text does not compile or yields none of `results` (none given: anything).
ProgramPtr compile_expression(const cel::Environment& environment, std::string_view text,
                              std::initializer_list<cel::Type> results, std::string& problem);
// The same, with the problem as an error of `path`.
ProgramPtr compile_expression(const cel::Environment& environment, const Path& path, const Value& text,
                              std::initializer_list<cel::Type> results, FieldErrors& errors);

// The variables of a policy, each known to the ones after it.
class ExpressionVariables {
 public:
  // Makes `variables` known in `environment`, with those added so far.
  void declare_in(cel::Environment& environment) const;
  void add(std::string name, cel::Type type);

 private:
  std::vector<std::pair<std::string, cel::Type>> fields_;
};

struct MatchCondition {
  std::string name;
  std::string expression;
  ProgramPtr program;
};
// The conditions of a webhook or a policy (`list`); those that have errors are left out.
std::vector<MatchCondition> compile_match_conditions(const Path& path, const Value& list, bool params,
                                                     FieldErrors& errors);

}  // namespace stead::kinds
