#pragma once

// Schemas of messages and fields, in the dialect of either OpenAPI version.

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kinds/registry.h"
#include "object/descriptor.h"
#include "object/value.h"

namespace stead::kinds {
class CustomKind;
}

namespace stead::kinds::openapi {

enum class Dialect { kV2, kV3 };

// Appends a member under a name that lives for ever; the caller knows it is not there yet.
inline void add(Value& object, std::string_view name, Value value) {
  object.mutable_members().emplace_back(Value::borrowed(name), std::move(value));
}

// {"$ref": …} of the definition `name`.
Value reference(std::string_view name, Dialect dialect);

// [{group, version, kind}]
Value group_version_kind(const Resource& resource, const Version& version);

// "io.k8s.api.apps.v1.StatefulSet"
std::string definition_name(const object::Message& message);

// Collects the definitions that documents need: each added message with all it refers to, once.
class Definitions {
 public:
  explicit Definitions(Dialect dialect) : dialect_(dialect) {}

  // A kind with its list ("…StatefulSetList"), marked with group, version and kind.
  void add_kind(const Resource& resource, const Version& version);
  void add_message(const object::Message& message);
  // The reference to a message; the message is added.
  Value message_reference(const object::Message& message);
  static std::string list_name(const Version& version) { return definition_name(*version.message) + "List"; }

  // The object of all definitions; this collector is empty afterwards.
  Value take();

 private:
  Value field_schema(const object::Field& field);
  Value type_schema(const object::TypeRef& type, const object::Field& field);
  Value scalar_reference(std::string_view name, Value schema);
  Value message_schema(const object::Message& message);
  Value custom_schema(const CustomKind& kind, const Version& version);
  void add_embedded_fields(Value& schema);
  Value list_schema(const Resource& resource, const Version& version);

  Dialect dialect_;
  std::set<std::string, std::less<>> seen_;
  std::vector<const object::Message*> pending_;
  Value definitions_ = Value::object();
};

}  // namespace stead::kinds::openapi
