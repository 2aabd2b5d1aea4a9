#include "kinds/custom/definition_rules.h"

#include <algorithm>
#include <set>

#include "kinds/admissionregistration/webhook_client.h"
#include "kinds/custom/custom_kind.h"
#include "kinds/custom/schema_types.h"
#include "kinds/custom/schema_walk.h"
#include "kinds/custom/structural_schema.h"
#include "kinds/custom/version_rules.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "kinds/meta/conditions.h"
#include "object/names.h"
#include "object/quote.h"
#include "object/time.h"

namespace stead::kinds {
namespace {

using object::Member;

constexpr int kSchemaDepthMax = 100;

void prepare_create(Value& definition) {
  definition.erase("status");
  definition.set("status", Value::object({{"conditions", Value::array()},
                                          {"acceptedNames", Value::object({{"plural", ""}, {"kind", ""}})},
                                          {"storedVersions", Value::array()}}));
  for (const Value& finalizer : definition.at({"metadata", "finalizers"}).items()) {
    if (finalizer.as_string() == kCleanupFinalizer) return;
  }
  definition["metadata"]["finalizers"].append(kCleanupFinalizer);
}

void check_defaults(const Value& schema, const Patterns& patterns, const Path& path, FieldErrors& errors, int depth) {
  if (depth > kSchemaDepthMax) return;
  if (const Value* wanted = schema.find("default")) {
    FieldErrors own;
    Value pruned = *wanted;
    if (pruned.is_object() || pruned.is_array()) {
      // Of an embedded object its kind and metadata are known without its schema.
      Value whole = Value::object({{"of", std::move(pruned)}});
      prune(whole, Value::object({{"properties", Value::object({{"of", schema}})}}), nullptr);
      if (!(whole.at("of") == *wanted)) errors.invalid(path.child("default"), *wanted, "must not have unknown fields");
    }
    // A default may leave to other defaults what is in it.
    Value filled = *wanted;
    default_by_schema(filled, schema);
    validate_by_schema(filled, nullptr, schema, patterns, own);
    if (!own.empty()) errors.invalid(path.child("default"), *wanted, own.causes()[0].message);
  }
  const Path members = path.child("properties");
  for (const Member& property : schema.at("properties").members()) {
    const Path here = members.key(property.name());
    check_defaults(property.value, patterns, here, errors, depth + 1);
  }
  const Path items = path.child("items");
  if (schema.at("items").is_object()) check_defaults(schema.at("items"), patterns, items, errors, depth + 1);
}

void validate_names(const Value& spec, const Path& path, FieldErrors& errors) {
  const Value& names = spec.at("names");
  const Path at = path.child("names");
  if (check_present(at.child("plural"), names.at("plural"), errors)) {
    check(at.child("plural"), names.at("plural"), object::check_format("dns1035Label", names.at("plural").as_string()),
          errors);
  }
  if (check_present(at.child("kind"), names.at("kind"), errors)) {
    check(at.child("kind"), names.at("kind"), object::check_format("dns1035Label", lower(names.at("kind").as_string())),
          errors);
  }
  if (const Value* singular = names.find("singular"); singular != nullptr && !singular->as_string().empty()) {
    check(at.child("singular"), *singular, object::check_format("dns1035Label", singular->as_string()), errors);
  }
  for (std::string_view list : {"shortNames", "categories"}) {
    const Path entries = at.child(list);
    for (size_t i = 0; i < names.at(list).size(); ++i) {
      const Value& name = names.at(list).items()[i];
      check(entries.index(i), name, object::check_format("dns1035Label", name.as_string()), errors);
    }
  }
  const Value& list_kind = names.at("listKind");
  if (!list_kind.as_string().empty()) {
    check(at.child("listKind"), list_kind, object::check_format("dns1035Label", lower(list_kind.as_string())), errors);
    if (list_kind == names.at("kind")) {
      errors.invalid(at.child("listKind"), list_kind, "kind and listKind may not be the same");
    }
  }
}

void validate_version(const Value& version, const Path& path, FieldErrors& errors) {
  if (check_present(path.child("name"), version.at("name"), errors)) {
    check(path.child("name"), version.at("name"), object::check_format("dns1035Label", version.at("name").as_string()),
          errors);
  }
  const Value& schema = version.at({"schema", "openAPIV3Schema"});
  const Path holder = path.child("schema");
  const Path at = holder.child("openAPIV3Schema");
  if (!schema.is_object()) {
    errors.required(at, "schemas are required");
  } else {
    const size_t before = errors.size();
    check_structural(schema, at, errors);
    if (errors.size() == before) check_defaults(schema, Patterns(), at, errors, 0);
    if (errors.size() == before) ValidationRules::compile(schema, at, errors);
  }
  check_version_extras(version, path, errors);
  const Path columns = path.child("additionalPrinterColumns");
  for (size_t i = 0; i < version.at("additionalPrinterColumns").size(); ++i) {
    const Value& column = version.at("additionalPrinterColumns").items()[i];
    const Path here = columns.index(i);
    check_present(here.child("name"), column.at("name"), errors);
    check_one_of(here.child("type"), column.at("type"), {"integer", "number", "string", "boolean", "date"}, errors);
    if (check_present(here.child("jsonPath"), column.at("jsonPath"), errors) &&
        !JsonPath::parse(column.at("jsonPath").as_string())) {
      errors.invalid(here.child("jsonPath"), column.at("jsonPath"), "must be a simple json path with leading dot");
    }
  }
}

void validate_conversion(const Value& conversion, const Path& path, FieldErrors& errors) {
  check_one_of(path.child("strategy"), conversion.at("strategy"), {"None", "Webhook"}, errors);
  const Value& webhook = conversion.at("webhook");
  const Path at = path.child("webhook");
  if (conversion.at("strategy").as_string() != "Webhook") {
    if (webhook.is_object()) errors.forbidden(at, "should not be set when strategy is not set to Webhook");
    return;
  }
  if (!webhook.at("clientConfig").is_object()) {
    return errors.required(at.child("clientConfig"), "required when strategy is set to Webhook");
  }
  check_webhook_client(at.child("clientConfig"), webhook.at("clientConfig"), errors);
  const Value& reviews = webhook.at("conversionReviewVersions");
  auto known = [](const Value& one) { return one.as_string() == "v1" || one.as_string() == "v1beta1"; };
  if (reviews.empty()) {
    errors.required(at.child("conversionReviewVersions"), "must specify one of v1, v1beta1");
  } else if (std::none_of(reviews.items().begin(), reviews.items().end(), known)) {
    errors.invalid(at.child("conversionReviewVersions"), reviews, "must include at least one of v1, v1beta1");
  }
}

void validate(const Value& definition, FieldErrors& errors) {
  const Value& spec = definition.at("spec");
  const Path path("spec");
  if (check_present(path.child("group"), spec.at("group"), errors)) {
    check(path.child("group"), spec.at("group"), object::check_format("dns1123Subdomain", spec.at("group").as_string()),
          errors);
    if (spec.at("group").as_string().find('.') == std::string_view::npos) {
      errors.invalid(path.child("group"), spec.at("group"), "should be a domain with at least one dot");
    }
  }
  check_approval(definition, errors);
  check_one_of(path.child("scope"), spec.at("scope"), {"Cluster", "Namespaced"}, errors);
  validate_names(spec, path, errors);
  std::string wanted =
      std::string(spec.at({"names", "plural"}).as_string()) + "." + std::string(spec.at("group").as_string());
  const Value& name = definition.at({"metadata", "name"});
  const Path metadata("metadata");
  if (name.as_string() != wanted) {
    errors.invalid(metadata.child("name"), name, "must be spec.names.plural+\".\"+spec.group");
  }
  const Path versions = path.child("versions");
  size_t stored = 0;
  std::set<std::string, std::less<>> seen;
  for (size_t i = 0; i < spec.at("versions").size(); ++i) {
    const Value& version = spec.at("versions").items()[i];
    const Path here = versions.index(i);
    const Path schema = here.child("schema");
    const size_t before = errors.size();
    check_schema_types(version.at({"schema", "openAPIV3Schema"}), schema.child("openAPIV3Schema"), errors);
    if (errors.size() == before) validate_version(version, here, errors);
    stored += version.at("storage").as_bool() ? 1 : 0;
    if (!seen.emplace(version.at("name").as_string()).second) {
      errors.invalid(here.child("name"), version.at("name"), "must contain unique version names");
    }
  }
  if (spec.at("versions").empty()) {
    errors.required(versions, "must have at least one version");
  } else if (stored != 1) {
    errors.invalid(versions, Value(static_cast<int64_t>(stored)),
                   "must have exactly one version marked as storage version");
  }
  validate_conversion(spec.at("conversion"), path.child("conversion"), errors);
  if (schema_flag(spec, "preserveUnknownFields")) {
    errors.invalid(path.child("preserveUnknownFields"), Value(true),
                   "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
                   "spec.versions[*].schema instead");
  }
}

void validate_update(const Value& definition, const Value& old, FieldErrors& errors) {
  const Path path("spec");
  check_unchanged(path.child("group"), definition.at({"spec", "group"}), old.at({"spec", "group"}), errors);
  check_unchanged(path.child("scope"), definition.at({"spec", "scope"}), old.at({"spec", "scope"}), errors);
  const Path names = path.child("names");
  check_unchanged(names.child("plural"), definition.at({"spec", "names", "plural"}),
                  old.at({"spec", "names", "plural"}), errors);
  check_unchanged(names.child("kind"), definition.at({"spec", "names", "kind"}), old.at({"spec", "names", "kind"}),
                  errors);
  // Objects may still be stored in a version that was stored once.
  for (const Value& stored : old.at({"status", "storedVersions"}).items()) {
    auto items = definition.at({"spec", "versions"}).items();
    auto same = [&](const Value& version) { return version.at("name") == stored; };
    if (std::any_of(items.begin(), items.end(), same)) continue;
    const Path status("status");
    const Path at = status.child("storedVersions");
    errors.invalid(at.index(0), stored,
                   "missing from spec.versions; " + std::string(stored.as_string()) +
                       " was previously a storage version, and must remain in spec.versions until a storage migration "
                       "ensures no data remains persisted in it and removes it from status.storedVersions");
  }
}

std::vector<Value> cells(const Value& definition, WallTime) {
  return {name_of(definition), definition.at({"metadata", "creationTimestamp"})};
}

}  // namespace

void set_definition_defaults(Value& definition) {
  Value& spec = definition["spec"];
  Value& names = spec["names"];
  std::string kind(names.at("kind").as_string());
  if (!kind.empty() && names.at("singular").as_string().empty()) names.set("singular", lower(kind));
  if (!kind.empty() && names.at("listKind").as_string().empty()) names.set("listKind", kind + "List");
}

void set_definition_condition(Value& definition, std::string_view type, bool status, std::string_view reason,
                              std::string_view message, WallTime now) {
  Value wanted = Value::object({{"type", type},
                                {"status", status ? "True" : "False"},
                                {"lastTransitionTime", object::format_time(now)},
                                {"reason", reason},
                                {"message", message}});
  auto& conditions = definition["status"]["conditions"].mutable_items();
  for (Value& condition : conditions) {
    if (condition.at("type").as_string() != type) continue;
    if (condition.at("status") == wanted.at("status")) {
      wanted.set("lastTransitionTime", condition.at("lastTransitionTime"));
    }
    condition = std::move(wanted);
    return;
  }
  conditions.push_back(std::move(wanted));
}

bool has_definition_condition(const Value& definition, std::string_view type) {
  return is_condition_true(definition.at("status"), type);
}

KindRules custom_resource_definition_rules() {
  KindRules made;
  made.rules = {
      .prepare_create = prepare_create, .validate = validate, .validate_update = validate_update, .cells = cells};
  made.columns = {name_column(), {"Created At", "date", "", "When it was made."}};
  return made;
}

}  // namespace stead::kinds
