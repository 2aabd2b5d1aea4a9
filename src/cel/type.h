#pragma once

// Type: what an expression or a variable is, as the checker sees it. A small value; copies share what is below.
// Immutable, so safe in any thread. Types of documents also bound them (max_size), for estimates of cost.

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stead::cel {

class Type;

// The fields of an object type. Implemented by the caller, for instance over a CRD's schema, and asked only for the
// fields an expression names, so it may build their types at that moment. Must be safe from any thread.
class ObjectType {
 public:
  virtual ~ObjectType() = default;
  // Unique: two object types are the same type when their names are equal. Shown by errors.
  virtual std::string name() const = 0;
  // The type of a field by the name it has in the document ("foo-bar", not "foo__dash__bar": the checker unescapes);
  // nullopt where there is none.
  virtual std::optional<Type> field(std::string_view name) const = 0;
  // Whether expressions write the names of fields escaped (property_name.h): true for schemas of custom resources.
  virtual bool escaped() const { return true; }
};

enum class TypeKind : uint8_t {
  kDyn,
  kNull,
  kBool,
  kInt,
  kUint,
  kDouble,
  kString,
  kBytes,
  kTimestamp,
  kDuration,
  kList,       // parameter(0): the elements
  kMap,        // parameter(0): the keys, parameter(1): the values
  kObject,     // object()
  kOpaque,     // by name: kubernetes.Quantity, kubernetes.authorization.Authorizer …
  kOptional,   // parameter(0)
  kType,       // the type of types; parameter(0): of which
  kParameter,  // a type variable of a function's signature, by name; only within the checker
  kError,      // an expression already reported; only within the checker
};

// x-kubernetes-list-type, which changes what `==` and `+` mean (Kubernetes' documentation of CEL, "list types").
enum class ListSemantics : uint8_t { kAtomic, kSet, kMap };

class Type {
 public:
  static constexpr uint64_t kUnbounded = std::numeric_limits<uint64_t>::max();

  Type() = default;  // dyn
  explicit Type(TypeKind simple) : kind_(simple) {}
  static Type dyn() { return Type(); }
  static Type null() { return Type(TypeKind::kNull); }
  static Type boolean() { return Type(TypeKind::kBool); }
  static Type int64() { return Type(TypeKind::kInt); }
  static Type uint64() { return Type(TypeKind::kUint); }
  static Type float64() { return Type(TypeKind::kDouble); }
  static Type string() { return Type(TypeKind::kString); }
  static Type bytes() { return Type(TypeKind::kBytes); }
  static Type timestamp() { return Type(TypeKind::kTimestamp); }
  static Type duration() { return Type(TypeKind::kDuration); }
  static Type list(Type element, ListSemantics semantics = ListSemantics::kAtomic,
                   std::vector<std::string> map_keys = {});
  static Type map(Type key, Type value);
  static Type object(std::shared_ptr<const ObjectType> object);
  // The same for one that lives for ever, or longer than every use.
  static Type object(const ObjectType& object) { return Type::object({std::shared_ptr<void>(), &object}); }
  static Type opaque(std::string_view name);
  static Type optional(Type of);
  static Type type(Type of);
  static Type parameter(std::string_view name);
  // The types that Kubernetes declares: variables `authorizer` and `authorizer.requestResource`.
  static Type authorizer() { return opaque("kubernetes.authorization.Authorizer"); }
  static Type resource_check() { return opaque("kubernetes.authorization.ResourceCheck"); }

  TypeKind kind() const { return kind_; }
  bool is(TypeKind kind) const { return kind_ == kind; }
  bool is_dyn() const { return kind_ == TypeKind::kDyn; }
  // dyn where there is no such parameter.
  Type parameter(size_t index) const;
  const ObjectType* object() const;  // nullptr unless kObject; lives as long as this Type or a copy
  ListSemantics list_semantics() const;
  const std::vector<std::string>& list_map_keys() const;  // empty unless kMap semantics
  std::string_view opaque_name() const;                   // also of kParameter

  // The most elements (list, map), code points (string) or bytes that a value can have; kUnbounded if unknown.
  uint64_t max_size() const { return max_size_; }
  Type with_max_size(uint64_t max_size) const;

  // As errors show it: "list(int)", "map(string, dyn)", "optional_type(string)".
  std::string name() const;
  // Sizes and list semantics do not count.
  friend bool operator==(const Type& a, const Type& b);

 private:
  struct Details;

  TypeKind kind_ = TypeKind::kDyn;
  uint64_t max_size_ = kUnbounded;
  std::shared_ptr<const Details> details_;
};

}  // namespace stead::cel
