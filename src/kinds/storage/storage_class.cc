#include <set>
#include <string>

#include "kinds/core/node_labels.h"
#include "kinds/meta/cells.h"
#include "kinds/storage/storage_rules.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr size_t kParametersMax = 512;
constexpr size_t kParameterBytesMax = 256 * 1024;

void validate_parameters(const Path& path, const Value& parameters, FieldErrors& errors) {
  if (parameters.size() > kParametersMax) {
    errors.too_long(path, Value("Provisioner Parameters exceeded max allowed"), kParametersMax);
    return;
  }
  size_t bytes = 0;
  for (const object::Member& parameter : parameters.members()) {
    if (parameter.name().empty()) errors.invalid(path, Value(""), "field can not be empty.");
    bytes += parameter.name().size() + parameter.value.as_string().size();
  }
  if (bytes > kParameterBytesMax) errors.too_long(path, Value(""), kParameterBytesMax);
}

void check_distinct(const Path& path, const Value& values, FieldErrors& errors) {
  std::set<std::string_view> seen;
  for (size_t i = 0; i < values.size(); ++i) {
    const Value& value = values.items()[i];
    if (!seen.insert(value.as_string()).second) errors.duplicate(path.index(i), value);
  }
}

void validate_topologies(const Path& path, const Value& terms, FieldErrors& errors) {
  for (size_t i = 0; i < terms.size(); ++i) {
    Path term_path = path.index(i);
    Path expressions_path = term_path.child("matchLabelExpressions");
    auto expressions = terms.items()[i].at("matchLabelExpressions").items();
    std::set<std::string_view> keys;
    for (size_t j = 0; j < expressions.size(); ++j) {
      Path at = expressions_path.index(j);
      std::string_view key = expressions[j].at("key").as_string();
      check_present(at.child("values"), expressions[j].at("values"), errors);
      check_distinct(at.child("values"), expressions[j].at("values"), errors);
      check(at.child("key"), Value(key), object::check_qualified_name(key), errors);
      if (!keys.insert(key).second) errors.duplicate(at.child("key"), Value(key));
    }
  }
}

void validate(const Value& storage_class, FieldErrors& errors) {
  const Value& provisioner = storage_class.at("provisioner");
  if (check_present(Path("provisioner"), provisioner, errors)) {
    check(Path("provisioner"), provisioner, object::check_qualified_name(lower(provisioner.as_string())), errors);
  }
  validate_parameters(Path("parameters"), storage_class.at("parameters"), errors);
  check_optional_one_of(Path("reclaimPolicy"), storage_class.at("reclaimPolicy"), {"Delete", "Retain"}, errors);
  check_one_of(Path("volumeBindingMode"), storage_class.at("volumeBindingMode"), {"Immediate", "WaitForFirstConsumer"},
               errors);
  validate_topologies(Path("allowedTopologies"), storage_class.at("allowedTopologies"), errors);
}

void validate_update(const Value& storage_class, const Value& old, FieldErrors& errors) {
  const Value& parameters = storage_class.at("parameters");
  bool both_empty = parameters.empty() && old.at("parameters").empty();
  if (!both_empty && !(parameters == old.at("parameters"))) {
    errors.forbidden(Path("parameters"), "updates to parameters are forbidden.");
  }
  if (!(storage_class.at("provisioner") == old.at("provisioner"))) {
    errors.forbidden(Path("provisioner"), "updates to provisioner are forbidden.");
  }
  if (!(storage_class.at("reclaimPolicy") == old.at("reclaimPolicy"))) {
    errors.forbidden(Path("reclaimPolicy"), "updates to reclaimPolicy are forbidden.");
  }
  check_unchanged(Path("volumeBindingMode"), storage_class.at("volumeBindingMode"), old.at("volumeBindingMode"),
                  errors);
}

void warn(const Value& storage_class, const Value*, std::vector<std::string>& warnings) {
  Path path("allowedTopologies");
  const Value& terms = storage_class.at("allowedTopologies");
  for (size_t i = 0; i < terms.size(); ++i) {
    Path at = path.index(i);
    Path expressions_path = at.child("matchLabelExpressions");
    auto expressions = terms.items()[i].at("matchLabelExpressions").items();
    for (size_t j = 0; j < expressions.size(); ++j) {
      std::string_view key = expressions[j].at("key").as_string();
      std::string old = deprecated_node_label(key);
      Path expression = expressions_path.index(j);
      if (!old.empty()) warnings.push_back(expression.child("key").str() + ": " + std::string(key) + " is " + old);
    }
  }
}

bool is_default(const Value& storage_class) {
  const Value& annotations = storage_class.at({"metadata", "annotations"});
  for (std::string_view key :
       {"storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"}) {
    if (annotations.at(key).as_string() == "true") return true;
  }
  return false;
}

std::vector<Value> cells(const Value& storage_class, WallTime now) {
  std::string name(name_of(storage_class).as_string());
  if (is_default(storage_class)) name += " (default)";
  return {name,
          storage_class.at("provisioner"),
          text_or(storage_class.at("reclaimPolicy"), "Delete"),
          text_or(storage_class.at("volumeBindingMode"), "Immediate"),
          storage_class.at("allowVolumeExpansion").as_bool(),
          age(storage_class, now)};
}

}  // namespace

KindRules storage_class_rules() {
  KindRules made;
  made.rules = {.validate = validate, .validate_update = validate_update, .warn = warn, .cells = cells};
  made.columns = {name_column(),
                  {"Provisioner", "string", "", "Who makes volumes of this class."},
                  {"ReclaimPolicy", "string", "", "What becomes of a volume once its claim is gone."},
                  {"VolumeBindingMode", "string", "", "When a volume is made and bound."},
                  {"AllowVolumeExpansion", "string", "", "Whether volumes may grow."},
                  age_column()};
  return made;
}

}  // namespace stead::kinds
