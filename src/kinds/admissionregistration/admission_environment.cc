#include "kinds/admissionregistration/admission_environment.h"

#include <fmt/format.h>

#include <set>

#include "object/names.h"

namespace stead::kinds {
namespace {

using cel::Type;

constexpr size_t kMatchConditionsMax = 64;

// An object type that is a list of fields.
class Record final : public cel::ObjectType {
 public:
  using Fields = std::vector<std::pair<std::string, Type>>;
  Record(std::string name, Fields fields) : name_(std::move(name)), fields_(std::move(fields)) {}

  std::string name() const override { return name_; }
  std::optional<Type> field(std::string_view name) const override {
    for (const auto& [known, type] : fields_) {
      if (known == name) return type;
    }
    return std::nullopt;
  }
  bool escaped() const override { return false; }

 private:
  const std::string name_;
  const Fields fields_;
};

Type record(std::string name, Record::Fields fields) {
  return Type::object(std::make_shared<const Record>(std::move(name), std::move(fields)));
}

Type group_version(std::string name, std::string what) {
  return record(std::move(name),
                {{"group", Type::string()}, {"version", Type::string()}, {std::move(what), Type::string()}});
}

Type make_request_type() {
  const Type text = Type::string();
  const Type kind = group_version("kubernetes.GroupVersionKind", "kind");
  const Type resource = group_version("kubernetes.GroupVersionResource", "resource");
  const Type user = record(
      "kubernetes.UserInfo",
      {{"username", text}, {"uid", text}, {"groups", Type::list(text)}, {"extra", Type::map(text, Type::list(text))}});
  return record("kubernetes.AdmissionRequest", {{"kind", kind},
                                                {"resource", resource},
                                                {"subResource", text},
                                                {"requestKind", kind},
                                                {"requestResource", resource},
                                                {"requestSubResource", text},
                                                {"name", text},
                                                {"namespace", text},
                                                {"operation", text},
                                                {"userInfo", user},
                                                {"dryRun", Type::boolean()},
                                                {"options", Type::dyn()}});
}

Type make_namespace_type() {
  const Type text = Type::string();
  const Type labels = Type::map(text, text);
  const Type condition = record("kubernetes.NamespaceCondition", {{"status", text},
                                                                  {"type", text},
                                                                  {"lastTransitionTime", Type::timestamp()},
                                                                  {"message", text},
                                                                  {"reason", text}});
  return record(
      "kubernetes.Namespace",
      {{"metadata", record("kubernetes.NamespaceMetadata", {{"name", text},
                                                            {"generateName", text},
                                                            {"namespace", text},
                                                            {"labels", labels},
                                                            {"annotations", labels},
                                                            {"uid", text},
                                                            {"creationTimestamp", Type::timestamp()},
                                                            {"deletionGracePeriodSeconds", Type::int64()},
                                                            {"deletionTimestamp", Type::timestamp()},
                                                            {"generation", Type::int64()},
                                                            {"resourceVersion", text},
                                                            {"finalizers", Type::list(text)}})},
       {"spec", record("kubernetes.NamespaceSpec", {{"finalizers", Type::list(text)}})},
       {"status", record("kubernetes.NamespaceStatus", {{"conditions", Type::list(condition)}, {"phase", text}})}});
}

bool fits(const Type& type, std::initializer_list<Type> results) {
  for (const Type& result : results) {
    if (type == result) return true;
  }
  return results.size() == 0;
}

// Lists of types name null so.
std::string listed(const Type& type) { return type.is(cel::TypeKind::kNull) ? "null_type" : type.name(); }

std::string wanted_instead_of(const Type& type, std::initializer_list<Type> results) {
  std::string names;
  for (const Type& result : results) names += (names.empty() ? "" : " ") + listed(result);
  if (results.size() == 1) return fmt::format("must evaluate to {} but got {}", names, type.name());
  return fmt::format("must evaluate to one of [{}] but got {}", names, type.name());
}

}  // namespace

const Type& admission_request_type() {
  static const Type kType = make_request_type();
  return kType;
}

const Type& admission_namespace_type() {
  static const Type kType = make_namespace_type();
  return kType;
}

cel::Environment admission_environment(const ExpressionScope& scope) {
  cel::Environment environment;
  environment.declare("object", scope.object);
  environment.declare("oldObject", scope.object);
  environment.declare("request", admission_request_type());
  environment.declare("namespaceObject", admission_namespace_type());
  if (scope.params) environment.declare("params", scope.params_type);
  if (scope.authorizer) {
    environment.declare("authorizer", Type::authorizer());
    environment.declare("authorizer.requestResource", Type::resource_check());
  }
  return environment;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

ProgramPtr compile_expression(const cel::Environment& environment, std::string_view text,
                              std::initializer_list<Type> results, std::string& problem) {
  cel::Compilation compiled = environment.compile(text);
  if (!compiled.ok()) {
    problem = "compilation failed: " + compiled.error_text();
    return nullptr;
  }
  if (!fits(compiled.program->result_type(), results)) {
    problem = wanted_instead_of(compiled.program->result_type(), results);
    return nullptr;
  }
  return compiled.program;
}

ProgramPtr compile_expression(const cel::Environment& environment, const Path& path, const Value& text,
                              std::initializer_list<Type> results, FieldErrors& errors) {
  std::string problem;
  ProgramPtr program = compile_expression(environment, text.as_string(), results, problem);
  if (!program) errors.invalid(path, text, problem);
  return program;
}

void ExpressionVariables::declare_in(cel::Environment& environment) const {
  environment.declare("variables", record("kubernetes.variables", fields_));
}

void ExpressionVariables::add(std::string name, Type type) { fields_.emplace_back(std::move(name), std::move(type)); }

std::vector<MatchCondition> compile_match_conditions(const Path& path, const Value& list, bool params,
                                                     FieldErrors& errors) {
  std::vector<MatchCondition> made;
  if (list.empty()) return made;
  if (list.size() > kMatchConditionsMax) errors.too_many(path, list.size(), kMatchConditionsMax);
  const cel::Environment environment = admission_environment({.params = params});
  std::set<std::string_view> names;
  for (size_t i = 0; i < list.size(); ++i) {
    const Value& condition = list.items()[i];
    const Path here = path.index(i);
    const Value& name = condition.at("name");
    const Value expression(trimmed(condition.at("expression").as_string()));
    ProgramPtr program;
    if (expression.as_string().empty()) {
      errors.required(here.child("expression"));
    } else {
      program = compile_expression(environment, here.child("expression"), expression, {Type::boolean()}, errors);
    }
    if (check_present(here.child("name"), name, errors)) {
      check(here.child("name"), name, object::check_qualified_name(name.as_string()), errors);
      if (!names.insert(name.as_string()).second) errors.duplicate(here.child("name"), name);
    }
    if (program)
      made.push_back({std::string(name.as_string()), std::string(expression.as_string()), std::move(program)});
  }
  return made;
}

}  // namespace stead::kinds
