#include "kinds/custom/custom_kind.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <span>

#include "kinds/custom/embedded_objects.h"
#include "kinds/custom/schema_walk.h"
#include "kinds/descriptors.h"
#include "kinds/meta/cells.h"

namespace stead::kinds {
namespace {

using object::Field;
using object::ListType;
using object::Member;
using object::Message;
using object::Path;
using object::Type;
using object::TypeRef;

const Message& object_meta() { return *find_message("meta.v1", "ObjectMeta"); }

// "io.example.stable" of "stable.example.io": how definitions of OpenAPI are named.
std::string reversed(std::string_view group) {
  std::string out;
  while (!group.empty()) {
    size_t dot = group.rfind('.');
    if (!out.empty()) out += '.';
    out += group.substr(dot == std::string_view::npos ? 0 : dot + 1);
    group = dot == std::string_view::npos ? std::string_view() : group.substr(0, dot);
  }
  return out;
}

// Documents borrow the names of descriptors, and outlive a definition: such names stay for ever, each once.
class LastingNames {
 public:
  // Empty when there are absurdly many.
  std::string_view keep(std::string_view name) {
    std::lock_guard lock(mutex_);
    auto found = names_.find(name);
    if (found != names_.end()) return *found;
    if (bytes_ + name.size() > kBytesMax) return {};
    bytes_ += name.size();
    return *names_.emplace(name).first;
  }

 private:
  static constexpr size_t kBytesMax = 16 << 20;
  std::mutex mutex_;
  std::set<std::string, std::less<>> names_;
  size_t bytes_ = 0;
};

std::string_view lasting(std::string_view name) {
  static LastingNames& kNames = *new LastingNames;
  return kNames.keep(name);
}

Value cell_of(const std::vector<const Value*>& found, const std::string& type, WallTime now) {
  if (found.empty() || found[0]->is_null()) return {};
  const Value& value = *found[0];
  if (type == "date") return value.is_string() ? Value(age_since(value, now)) : Value();
  if (type == "integer") return value.is_number() ? Value(value.as_int()) : Value();
  if (type == "number") return value.is_number() ? value : Value();
  if (type == "boolean") return value.is_bool() ? value : Value();
  if (found.size() == 1) return value.is_string() ? value : Value(object::to_json(value));
  std::string text;
  for (const Value* one : found) {
    text += (text.empty() ? "" : " ") + (one->is_string() ? std::string(one->as_string()) : object::to_json(*one));
  }
  return text;
}

constexpr int kSchemaDepthMax = 100;

bool any_default(const Value& schema, int depth) {
  if (depth > kSchemaDepthMax || !schema.is_object()) return false;
  if (schema.find("default") != nullptr) return true;
  if (any_default(schema.at("items"), depth + 1) || any_default(schema.at("additionalProperties"), depth + 1)) {
    return true;
  }
  auto properties = schema.at("properties").members();
  return std::any_of(properties.begin(), properties.end(),
                     [&](const Member& property) { return any_default(property.value, depth + 1); });
}

// Rules count on types and on what must be there.
bool keep_rules_from_running(std::span<const Cause> causes) {
  return std::any_of(causes.begin(), causes.end(), [](const Cause& cause) {
    return cause.reason != "FieldValueInvalid" || cause.message.find("must be of type") != std::string::npos;
  });
}

// Marks the Resources of this file, and is what a table without a version to speak of would show.
std::vector<Value> declared_cells(const Value& document, WallTime now) {
  return {name_of(document), Value(age(document, now))};
}

}  // namespace

const CustomKind* custom_of(const Resource& resource) {
  if (resource.rules.cells != declared_cells) return nullptr;
  return static_cast<const CustomKind::Declared&>(resource).owner;
}

std::shared_ptr<const CustomKind> CustomKind::make(const Value& definition, int64_t revision) {
  std::shared_ptr<CustomKind> made = build(definition, revision, {});
  if (made->conversion_webhook_.is_null()) return made;
  for (const Version& version : made->resource_.versions) {
    if (&version == &made->resource_.hub() || !made->serves(version)) continue;
    made->spoken_.push_back(build(definition, revision, version.name));
  }
  return made;
}

std::shared_ptr<CustomKind> CustomKind::build(const Value& definition, int64_t revision, std::string_view hub) {
  std::shared_ptr<CustomKind> made(new CustomKind);
  made->revision_ = revision;
  const Value& spec = definition.at("spec");
  const Value& names = spec.at("names");
  Resource& resource = made->resource_;
  resource.group = made->keep(spec.at("group").as_string());
  resource.name = made->keep(names.at("plural").as_string());
  resource.singular = made->keep(names.at("singular").as_string());
  resource.kind = made->keep(names.at("kind").as_string());
  for (const Value& name : names.at("shortNames").items()) {
    resource.short_names.push_back(made->keep(name.as_string()));
  }
  for (const Value& name : names.at("categories").items()) resource.categories.push_back(made->keep(name.as_string()));
  resource.namespaced = spec.at("scope").as_string() == "Namespaced";
  resource.generation = true;
  resource.rules.cells = declared_cells;
  made->resource_.owner = made.get();
  // Versions are found by their place; it must not move.
  resource.versions.reserve(spec.at("versions").size());
  made->compiled_.reserve(spec.at("versions").size());
  if (spec.at({"conversion", "strategy"}).as_string() == "Webhook") {
    made->conversion_webhook_ = spec.at({"conversion", "webhook"});
  }
  for (bool first : {true, false}) {
    for (const Value& version : spec.at("versions").items()) {
      const bool stored = version.at("storage").as_bool();
      if (stored)
        made->stored_version_ = std::string(resource.group) + "/" + std::string(version.at("name").as_string());
      const bool is_hub = hub.empty() ? stored : version.at("name").as_string() == hub;
      if (is_hub == first) made->add_version(version);
    }
  }
  return made;
}

void CustomKind::add_version(const Value& version) {
  Compiled compiled;
  compiled.served = version.at("served").as_bool();
  compiled.schema = Value::shared(version.at({"schema", "openAPIV3Schema"}));
  FieldErrors none;
  compiled.rules = ValidationRules::compile(compiled.schema, {}, none);
  compile_patterns(compiled.schema);
  has_defaults_ = has_defaults_ || any_default(compiled.schema, 0);
  Message& message = new_message(resource_.kind);
  message.package = keep(reversed(resource_.group) + "." + std::string(version.at("name").as_string()));
  message.doc = keep(compiled.schema.at("description").as_string());
  for (std::string_view name : {"apiVersion", "kind"}) {
    Field field;
    field.name = name;
    message.fields.push_back(field);
  }
  Field metadata;
  metadata.name = "metadata";
  metadata.type = {Type::kMessage, &object_meta(), nullptr};
  message.fields.push_back(metadata);
  add_fields(message, compiled.schema);
  message.finish();

  Version made;
  made.group = resource_.group;
  made.name = keep(version.at("name").as_string());
  made.api_version = keep(std::string(resource_.group) + "/" + std::string(made.name));
  made.message = &message;
  if (version.at("deprecated").as_bool()) {
    std::string_view told = version.at("deprecationWarning").as_string();
    made.deprecation =
        keep(told.empty() ? std::string(made.api_version) + " " + std::string(resource_.kind) + " is deprecated"
                          : std::string(told));
  }
  const Value& subresources = version.at("subresources");
  if (subresources.find("status") != nullptr) resource_.status_subresource = true;
  if (const Value* scale = subresources.find("scale")) {
    auto spec_path = JsonPath::parse(scale->at("specReplicasPath").as_string());
    auto status_path = JsonPath::parse(scale->at("statusReplicasPath").as_string());
    if (spec_path && status_path && spec_path->simple()) {
      compiled.scale = Scale{*spec_path, *status_path, JsonPath::parse(scale->at("labelSelectorPath").as_string())};
      if (scale->at("labelSelectorPath").as_string().empty()) compiled.scale->selector.reset();
      resource_.scale_subresource = true;
    }
  }
  const bool is_hub = resource_.versions.empty();
  for (const Value& selectable : version.at("selectableFields").items()) {
    // What another form is selected by is nothing that this one has.
    if (!conversion_webhook_.is_null() && !is_hub) break;
    std::string_view path = selectable.at("jsonPath").as_string();
    auto parsed = JsonPath::parse(path);
    if (!parsed || path.empty()) continue;
    std::string name(path.substr(1));
    auto known = [&](const auto& entry) { return entry.first == name; };
    if (std::any_of(selectable_.begin(), selectable_.end(), known)) continue;
    resource_.selectable_fields.push_back(keep(name));
    selectable_.emplace_back(name, *parsed);
  }
  add_columns(version, compiled);
  resource_.versions.push_back(made);
  compiled_.push_back(std::move(compiled));
}

void CustomKind::add_columns(const Value& version, Compiled& compiled) {
  compiled.columns.push_back(name_column());
  const Value& told = version.at("additionalPrinterColumns");
  for (const Value& column : told.items()) {
    compiled.columns.push_back({.name = keep(column.at("name").as_string()),
                                .type = keep(column.at("type").as_string()),
                                .format = keep(column.at("format").as_string()),
                                .description = keep(column.at("description").as_string()),
                                .priority = static_cast<int>(column.at("priority").as_int())});
    compiled.printed.push_back(
        {std::string(column.at("type").as_string()), JsonPath::parse(column.at("jsonPath").as_string())});
  }
  if (!told.empty()) return;
  Column age = age_column();
  age.type = "date";
  compiled.columns.push_back(age);
  compiled.printed.push_back({"date", JsonPath::parse(".metadata.creationTimestamp")});
}

Message& CustomKind::new_message(std::string_view name) {
  Message& message = messages_.emplace_back();
  message.name = name;
  return message;
}

void CustomKind::add_fields(Message& message, const Value& schema) {
  message.open = schema_flag(schema, "x-kubernetes-preserve-unknown-fields");
  message.atomic = schema.at("x-kubernetes-map-type").as_string() == "atomic";
  for (const Member& property : schema.at("properties").members()) {
    auto same = [&](const Field& field) { return field.name == property.name(); };
    if (std::any_of(message.fields.begin(), message.fields.end(), same)) continue;
    Field field;
    field.name = lasting(property.name());
    if (field.name.empty()) continue;
    describe(field, property.value);
    message.fields.push_back(std::move(field));
  }
}

// Presence always matters: a zero that was sent stays.
void CustomKind::describe(Field& field, const Value& schema) {
  field.pointer = true;
  field.type = type_of(schema);
  field.atomic = schema.at("x-kubernetes-map-type").as_string() == "atomic";
  field.doc = keep(schema.at("description").as_string());
  if (const Value* wanted = schema.find("default")) field.default_value = &defaults_.emplace_back(*wanted);
  std::string_view list = schema.at("x-kubernetes-list-type").as_string();
  if (list == "set") field.list_type = ListType::kSet;
  if (list != "map") return;
  field.list_type = ListType::kMap;
  for (const Value& key : schema.at("x-kubernetes-list-map-keys").items()) {
    field.list_map_keys.push_back(keep(key.as_string()));
  }
}

TypeRef CustomKind::type_of(const Value& schema) {
  std::string_view type = schema.at("type").as_string();
  if (type == "array" && schema.at("items").is_object()) {
    return {Type::kList, nullptr, &types_.emplace_back(type_of(schema.at("items")))};
  }
  const bool embedded = schema_flag(schema, "x-kubernetes-embedded-resource");
  const bool open = schema_flag(schema, "x-kubernetes-preserve-unknown-fields");
  if (type == "object" && !embedded) {
    const Value& additional = schema.at("additionalProperties");
    if (additional.is_object()) return {Type::kMap, nullptr, &types_.emplace_back(type_of(additional))};
    if (schema.find("properties") != nullptr) {
      Message& message = new_message(resource_.kind);
      add_fields(message, schema);
      message.finish();
      return {Type::kMessage, &message, nullptr};
    }
  }
  TypeRef raw{Type::kRaw, nullptr, nullptr};
  raw.separable = open || embedded;
  return raw;
}

void CustomKind::compile_patterns(const Value& schema) {
  if (schema.is_array()) {
    for (const Value& item : schema.items()) compile_patterns(item);
  }
  for (const Member& member : schema.members()) {
    if (member.name() == "pattern" && member.value.is_string()) patterns_.add(member.value.as_string());
    compile_patterns(member.value);
  }
}

Result<void> CustomKind::shape(Value& document, const Version& version, object::StrictErrors* strict) const {
  object::StrictErrors of_metadata;
  Value& metadata = document["metadata"];
  if (metadata.is_null()) metadata = Value::object();
  STEAD_TRY_VOID(object::shape(metadata, object_meta(), &of_metadata));
  if (strict != nullptr) {
    for (const std::string& told : of_metadata) {
      // `unknown field "x"` is of metadata.
      std::string text = told;
      size_t quote = text.find('"');
      if (quote != std::string::npos) text.insert(quote + 1, "metadata.");
      strict->push_back(std::move(text));
    }
  }
  prune(document, at(version).schema, strict);
  STEAD_TRY_VOID(shape_embedded(document, at(version).schema, strict));
  default_by_schema(document, at(version).schema);
  return {};
}

std::shared_ptr<const CustomKind> CustomKind::spoken(const Version& version) const {
  for (const auto& kind : spoken_) {
    if (kind->resource_.hub().name == version.name) return kind;
  }
  return nullptr;
}

void CustomKind::complete(Value& document) const {
  std::string_view api_version = document.at("apiVersion").as_string();
  for (const Version& version : resource_.versions) {
    if (version.api_version == api_version) return default_by_schema(document, at(version).schema);
  }
}

void CustomKind::validate(const Value& document, const Value* old, const Version& version, FieldErrors& errors,
                          std::vector<std::string>* warnings) const {
  const Compiled& compiled = at(version);
  const size_t before = errors.size();
  validate_by_schema(document, old, compiled.schema, patterns_, errors);
  validate_embedded(document, compiled.schema, errors);
  if (!compiled.rules) return;
  if (!keep_rules_from_running(std::span(errors.causes()).subspan(before)))
    return compiled.rules->validate(document, old, errors, warnings);
  errors.invalid(
      Path("<nil>"), Value(),
      "some validation rules were not checked because the object was invalid; correct the existing errors to "
      "complete validation");
}

std::vector<Value> CustomKind::cells(const Value& document, const Version& version, WallTime now) const {
  std::vector<Value> cells = {name_of(document)};
  for (const Printed& printed : at(version).printed) {
    cells.push_back(printed.path ? cell_of(printed.path->find(document), printed.type, now) : Value());
  }
  return cells;
}

std::optional<std::string> CustomKind::field(const Value& document, std::string_view path) const {
  for (const auto& [name, parsed] : selectable_) {
    if (name != path) continue;
    auto found = parsed.find(document);
    if (found.empty() || found[0]->is_null()) return std::string();
    return found[0]->is_string() ? std::string(found[0]->as_string()) : object::to_json(*found[0]);
  }
  return std::nullopt;
}

}  // namespace stead::kinds
