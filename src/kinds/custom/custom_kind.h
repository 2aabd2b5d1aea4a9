#pragma once

// One CustomResourceDefinition compiled: what the registry says of a built-in kind, with descriptors made of its
// schemas, and what only schemas say. Immutable, any thread; whoever uses its Resource keeps it alive.

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kinds/custom/json_path.h"
#include "kinds/custom/schema_validation.h"
#include "kinds/custom/validation_rules.h"
#include "kinds/registry.h"
#include "object/codec.h"

namespace stead::kinds {

class CustomKind;

// The kind behind a Resource that users declared; nullptr for a built-in one.
const CustomKind* custom_of(const Resource& resource);

class CustomKind {
 public:
  // `definition` has passed its validation; the version that is stored comes first. `revision` is the definition's.
  static std::shared_ptr<const CustomKind> make(const Value& definition, int64_t revision = 0);

  const Resource& resource() const { return resource_; }
  // Objects are written in this version ("stable.example.com/v1"); earlier ones may lie in others.
  std::string_view stored_version() const { return stored_version_; }
  // spec.conversion.webhook; null where versions differ in nothing but their name.
  const Value& conversion_webhook() const { return conversion_webhook_; }
  // Of a kind that a webhook converts each version is a form of its own, which only the webhook can make of another:
  // the kind as those see it who speak `version`, which is its hub. Null: this kind is it.
  std::shared_ptr<const CustomKind> spoken(const Version& version) const;
  // Whether objects written before this definition may lack defaults that it has.
  bool lacks_defaults(int64_t object_revision) const { return has_defaults_ && object_revision <= revision_; }
  // Sets the defaults of the version that the document says it has.
  void complete(Value& document) const;
  // Whether a version is served (the stored one may not be).
  bool serves(const Version& version) const { return at(version).served; }
  // The openAPIV3Schema.
  const Value& schema(const Version& version) const { return at(version).schema; }

  // Of a request's document in `version`: shapes its metadata, drops what the schema does not know and sets defaults.
  // kBadRequest where metadata is no metadata.
  Result<void> shape(Value& document, const Version& version, object::StrictErrors* strict) const;
  // By the schema and its rules. `old`: what an update changes, in the same form; null for what is new. What `old`
  // broke already is left alone; where rules say so, told in `warnings`.
  void validate(const Value& document, const Value* old, const Version& version, FieldErrors& errors,
                std::vector<std::string>* warnings) const;

  const std::vector<Column>& columns(const Version& version) const { return at(version).columns; }
  std::vector<Value> cells(const Value& document, const Version& version, WallTime now) const;
  // The text of a selectable field; nullopt if it is none.
  std::optional<std::string> field(const Value& document, std::string_view path) const;

  struct Scale {
    JsonPath spec_replicas;
    JsonPath status_replicas;
    std::optional<JsonPath> selector;
  };
  const std::optional<Scale>& scale(const Version& version) const { return at(version).scale; }

 private:
  struct Printed {
    std::string type;
    std::optional<JsonPath> path;
  };
  struct Compiled {
    bool served = true;
    Value schema;
    std::shared_ptr<const ValidationRules> rules;  // null: none
    std::vector<Column> columns;
    std::vector<Printed> printed;
    std::optional<Scale> scale;
  };
  // A Resource that leads back to its kind.
  struct Declared : Resource {
    const CustomKind* owner = nullptr;
  };
  friend const CustomKind* custom_of(const Resource& resource);

  CustomKind() = default;
  // `hub` is the version that comes first; empty: the one that is stored.
  static std::shared_ptr<CustomKind> build(const Value& definition, int64_t revision, std::string_view hub);
  const Compiled& at(const Version& version) const {
    return compiled_[static_cast<size_t>(&version - resource_.versions.data())];
  }
  std::string_view keep(std::string_view text) { return texts_.emplace_back(text); }
  void add_version(const Value& version);
  void add_columns(const Value& version, Compiled& compiled);
  void add_fields(object::Message& message, const Value& schema);
  void describe(object::Field& field, const Value& schema);
  object::TypeRef type_of(const Value& schema);
  object::Message& new_message(std::string_view name);
  void compile_patterns(const Value& schema);

  std::deque<std::string> texts_;
  std::deque<object::Message> messages_;
  std::deque<object::TypeRef> types_;
  std::deque<Value> defaults_;
  Patterns patterns_;
  Declared resource_;
  std::vector<Compiled> compiled_;
  std::vector<std::pair<std::string, JsonPath>> selectable_;
  std::string stored_version_;
  Value conversion_webhook_;
  std::vector<std::shared_ptr<const CustomKind>> spoken_;  // but for this one's own hub
  int64_t revision_ = 0;
  bool has_defaults_ = false;
};

}  // namespace stead::kinds
