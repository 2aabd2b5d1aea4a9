#include "kinds/custom/schema_validation.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <cmath>

#include "kinds/custom/schema_walk.h"
#include "object/codec.h"

namespace stead::kinds {

using object::FieldErrors;
using object::Member;
using object::Path;
using object::Value;

struct Patterns::Compiled {
  explicit Compiled(const std::string& pattern) : expression(pattern, RE2::Quiet) {}
  RE2 expression;
};

Patterns::Patterns() = default;
Patterns::~Patterns() = default;

bool Patterns::add(std::string_view pattern) {
  auto made = std::make_unique<Compiled>(std::string(pattern));
  if (!made->expression.ok()) return false;
  compiled_.emplace(pattern, std::move(made));
  return true;
}

bool Patterns::matches(std::string_view pattern, std::string_view text) const {
  auto found = compiled_.find(std::string(pattern));
  if (found == compiled_.end()) return true;
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), found->second->expression);
}

namespace {

size_t characters(std::string_view text) {
  size_t count = 0;
  for (char byte : text) count += (static_cast<unsigned char>(byte) & 0xc0) != 0x80;
  return count;
}

bool is_whole(const Value& value) {
  return value.is_int() || (value.is_number() && std::floor(value.as_double()) == value.as_double());
}

bool has_type(const Value& value, std::string_view type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_bool();
  if (type == "integer") return is_whole(value);
  if (type == "number") return value.is_number();
  return true;
}

std::string_view kind_name(const Value& value) {
  if (value.is_null()) return "null";
  if (value.is_bool()) return "boolean";
  if (value.is_array()) return "array";
  if (value.is_object()) return "object";
  if (value.is_string()) return "string";
  return value.is_int() ? "integer" : "number";
}

std::string number_text(const Value& value) { return object::to_json(value); }

class Validator {
 public:
  Validator(const Patterns& patterns, FieldErrors& errors) : patterns_(patterns), errors_(errors) {}

  void value(const Value& value, const Value* old, const Value& schema, const Path& path, bool root) {
    if (old != nullptr && *old == value) return;
    if (!check_type(value, schema, path)) return;
    if (value.is_null()) return;
    check_enum(value, schema, path);
    if (value.is_string()) check_text(value, schema, path);
    if (value.is_number()) check_number(value, schema, path);
    if (value.is_array()) check_array(value, old, schema, path);
    if (value.is_object()) check_object(value, old, schema, path, root);
    check_combinations(value, schema, path, root);
  }

 private:
  std::string in_body(const Path& path, const std::string& rest) const {
    std::string name = path.str();
    return (name.empty() ? "<nil>" : name) + " in body " + rest;
  }

  bool check_type(const Value& value, const Value& schema, const Path& path) {
    if (value.is_null() && schema_flag(schema, "nullable")) return true;
    if (schema_flag(schema, "x-kubernetes-int-or-string")) {
      if (value.is_int() || value.is_string()) return true;
      wrong_type(value, "integer,string", path);
      return false;
    }
    std::string_view type = schema.at("type").as_string();
    if (type.empty() || has_type(value, type)) return true;
    wrong_type(value, type, path);
    return false;
  }

  void wrong_type(const Value& value, std::string_view type, const Path& path) {
    Value told = value.is_null() || value.is_object() || value.is_array() ? Value(kind_name(value)) : value;
    std::string shown = told.is_string() ? "\"" + std::string(told.as_string()) + "\"" : object::to_json(told);
    errors_.invalid(path, told, in_body(path, fmt::format("must be of type {}: {}", type, shown)));
  }

  void check_enum(const Value& value, const Value& schema, const Path& path) {
    const Value* allowed = schema.find("enum");
    if (allowed == nullptr) return;
    std::vector<std::string> texts;
    for (const Value& one : allowed->items()) {
      if (one == value) return;
      texts.push_back(one.is_string() ? std::string(one.as_string()) : object::to_json(one));
    }
    std::vector<std::string_view> views(texts.begin(), texts.end());
    errors_.not_supported(path, value, views);
  }

  void check_text(const Value& value, const Value& schema, const Path& path) {
    std::string_view text = value.as_string();
    if (const Value* limit = schema.find("minLength"); limit != nullptr && characters(text) < size_t(limit->as_int())) {
      errors_.invalid(path, value, in_body(path, fmt::format("should be at least {} chars long", limit->as_int())));
    }
    if (const Value* limit = schema.find("maxLength"); limit != nullptr && characters(text) > size_t(limit->as_int())) {
      errors_.too_long(path, value, size_t(limit->as_int()));
    }
    std::string_view pattern = schema.at("pattern").as_string();
    if (!pattern.empty() && !patterns_.matches(pattern, text)) {
      errors_.invalid(path, value, in_body(path, fmt::format("should match '{}'", pattern)));
    }
    std::string_view format = schema.at("format").as_string();
    if (!format.empty() && !has_format(text, format)) {
      errors_.invalid(path, value, in_body(path, fmt::format("must be of type {}: \"{}\"", format, text)));
    }
  }

  void check_number(const Value& value, const Value& schema, const Path& path) {
    const double number = value.as_double();
    if (const Value* limit = schema.find("minimum")) {
      const bool exclusive = schema_flag(schema, "exclusiveMinimum");
      if (exclusive ? number <= limit->as_double() : number < limit->as_double()) {
        errors_.invalid(path, value,
                        in_body(path, fmt::format("should be greater than {}{}", exclusive ? "" : "or equal to ",
                                                  number_text(*limit))));
      }
    }
    if (const Value* limit = schema.find("maximum")) {
      const bool exclusive = schema_flag(schema, "exclusiveMaximum");
      if (exclusive ? number >= limit->as_double() : number > limit->as_double()) {
        errors_.invalid(path, value,
                        in_body(path, fmt::format("should be less than {}{}", exclusive ? "" : "or equal to ",
                                                  number_text(*limit))));
      }
    }
    if (const Value* factor = schema.find("multipleOf"); factor != nullptr && factor->as_double() > 0) {
      const double times = number / factor->as_double();
      if (std::abs(times - std::round(times)) > 1e-9) {
        errors_.invalid(path, value, in_body(path, fmt::format("should be a multiple of {}", number_text(*factor))));
      }
    }
    std::string_view format = schema.at("format").as_string();
    if (format == "int32" && (number < INT32_MIN || number > INT32_MAX)) {
      errors_.invalid(path, value, in_body(path, fmt::format("must be of type int32: \"{}\"", number_text(value))));
    }
  }

  void check_array(const Value& value, const Value* old, const Value& schema, const Path& path) {
    if (const Value* limit = schema.find("minItems"); limit != nullptr && value.size() < size_t(limit->as_int())) {
      errors_.invalid(path, Value(int64_t(value.size())),
                      in_body(path, fmt::format("should have at least {} items", limit->as_int())));
    }
    if (const Value* limit = schema.find("maxItems"); limit != nullptr && value.size() > size_t(limit->as_int())) {
      errors_.too_many(path, value.size(), size_t(limit->as_int()));
      return;
    }
    check_unique(value, schema, path);
    const Value& items = schema.at("items");
    if (!items.is_object()) return;
    const ItemsByKey before(schema, old);
    for (size_t i = 0; i < value.size(); ++i) {
      const Value& item = value.items()[i];
      this->value(item, before.find(item), items, path.index(i), false);
    }
  }

  // Items of sets and keyed lists may be there once.
  void check_unique(const Value& value, const Value& schema, const Path& path) {
    std::string_view list = schema.at("x-kubernetes-list-type").as_string();
    const bool whole = schema_flag(schema, "uniqueItems") || list == "set";
    if (!whole && list != "map") return;
    std::unordered_map<std::string, size_t> seen;
    for (size_t i = 0; i < value.size(); ++i) {
      Value identity = value.items()[i];
      if (!whole) {
        identity = Value::object();
        for (const Value& key : schema.at("x-kubernetes-list-map-keys").items()) {
          identity.set(key.as_string(), value.items()[i].at(key.as_string()));
        }
      }
      if (!seen.emplace(object::to_json(identity), i).second) errors_.duplicate(path.index(i), identity);
    }
  }

  void check_object(const Value& value, const Value* old, const Value& schema, const Path& path, bool root) {
    const Value& properties = schema.at("properties");
    for (const Value& name : schema.at("required").items()) {
      if (value.find(name.as_string()) == nullptr) errors_.required(path.child(name.as_string()));
    }
    if (const Value* limit = schema.find("minProperties"); limit != nullptr && value.size() < size_t(limit->as_int())) {
      errors_.invalid(path, Value(int64_t(value.size())),
                      in_body(path, fmt::format("should have at least {} properties", limit->as_int())));
    }
    if (const Value* limit = schema.find("maxProperties"); limit != nullptr && value.size() > size_t(limit->as_int())) {
      errors_.too_many(path, value.size(), size_t(limit->as_int()));
    }
    const Value& additional = schema.at("additionalProperties");
    for (const Member& member : value.members()) {
      if (root && (member.name() == "apiVersion" || member.name() == "kind" || member.name() == "metadata")) continue;
      const Value* known = properties.find(member.name());
      if (known == nullptr && additional.is_object()) known = &additional;
      if (known == nullptr) continue;
      const bool in_map = properties.find(member.name()) == nullptr;
      const Path here = in_map ? path.key(member.name()) : path.child(member.name());
      this->value(member.value, old == nullptr ? nullptr : old->find(member.name()), *known, here, false);
    }
  }

  bool fits(const Value& value, const Value& schema, const Path& path, bool root) const {
    FieldErrors own;
    Validator(patterns_, own).value(value, nullptr, schema, path, root);
    return own.empty();
  }

  void check_combinations(const Value& value, const Value& schema, const Path& path, bool root) {
    for (const Value& part : schema.at("allOf").items()) this->value(value, nullptr, part, path, root);
    const std::string name = path.str();
    if (const Value* any = schema.find("anyOf"); any != nullptr && count(value, *any, path, root) == 0) {
      errors_.invalid(path, Value(""), fmt::format("\"{}\" must validate at least one schema (anyOf)", name));
    }
    if (const Value* one = schema.find("oneOf")) {
      const size_t valid = count(value, *one, path, root);
      if (valid != 1) {
        std::string found = valid == 0 ? "Found none valid" : fmt::format("Found {} valid alternatives", valid);
        errors_.invalid(path, Value(""),
                        fmt::format("\"{}\" must validate one and only one schema (oneOf). {}", name, found));
      }
    }
    if (const Value* never = schema.find("not"); never != nullptr && fits(value, *never, path, root)) {
      errors_.invalid(path, Value(""), fmt::format("\"{}\" must not validate the schema (not)", name));
    }
  }

  size_t count(const Value& value, const Value& alternatives, const Path& path, bool root) const {
    size_t valid = 0;
    for (const Value& one : alternatives.items()) valid += fits(value, one, path, root) ? 1 : 0;
    return valid;
  }

  const Patterns& patterns_;
  FieldErrors& errors_;
};

}  // namespace

ItemsByKey::ItemsByKey(const Value& schema, const Value* list) : keys_(schema.at("x-kubernetes-list-map-keys")) {
  if (list == nullptr || schema.at("x-kubernetes-list-type").as_string() != "map") return;
  for (const Value& item : list->items()) items_.emplace(key_of(item), &item);
}

const Value* ItemsByKey::find(const Value& item) const {
  if (items_.empty()) return nullptr;
  auto found = items_.find(key_of(item));
  return found == items_.end() ? nullptr : found->second;
}

std::string ItemsByKey::key_of(const Value& item) const {
  Value identity = Value::object();
  for (const Value& key : keys_.items()) identity.set(key.as_string(), item.at(key.as_string()));
  return object::to_json(identity);
}

void validate_by_schema(const Value& document, const Value* old, const Value& schema, const Patterns& patterns,
                        FieldErrors& errors) {
  Validator(patterns, errors).value(document, old, schema, Path(), true);
}

}  // namespace stead::kinds
