#include "cel/library/library.h"

#include <array>

namespace stead::cel {

namespace {

struct NamedType {
  std::string_view name;
  TypeKind kind;
  std::string_view opaque;
};
constexpr std::array<NamedType, 23> kTypes = {{
    {"dyn", TypeKind::kDyn, {}},
    {"null", TypeKind::kNull, {}},
    {"bool", TypeKind::kBool, {}},
    {"int", TypeKind::kInt, {}},
    {"uint", TypeKind::kUint, {}},
    {"double", TypeKind::kDouble, {}},
    {"string", TypeKind::kString, {}},
    {"bytes", TypeKind::kBytes, {}},
    {"timestamp", TypeKind::kTimestamp, {}},
    {"duration", TypeKind::kDuration, {}},
    {"A", TypeKind::kParameter, "A"},
    {"B", TypeKind::kParameter, "B"},
    {"url", TypeKind::kOpaque, "kubernetes.URL"},
    {"quantity", TypeKind::kOpaque, "kubernetes.Quantity"},
    {"ip", TypeKind::kOpaque, "net.IP"},
    {"cidr", TypeKind::kOpaque, "net.CIDR"},
    {"format", TypeKind::kOpaque, "kubernetes.NamedFormat"},
    {"semver", TypeKind::kOpaque, "kubernetes.Semver"},
    {"authorizer", TypeKind::kOpaque, "kubernetes.authorization.Authorizer"},
    {"path_check", TypeKind::kOpaque, "kubernetes.authorization.PathCheck"},
    {"group_check", TypeKind::kOpaque, "kubernetes.authorization.GroupCheck"},
    {"resource_check", TypeKind::kOpaque, "kubernetes.authorization.ResourceCheck"},
    {"decision", TypeKind::kOpaque, "kubernetes.authorization.Decision"},
}};

constexpr std::array kLibraries = {operator_functions,     conversion_functions, collection_functions, text_functions,
                                   regex_functions,        time_functions,       optional_functions,   url_functions,
                                   quantity_functions,     address_functions,    format_functions,     semver_functions,
                                   authorization_functions};

class SignatureReader {
 public:
  explicit SignatureReader(std::string_view text) : text_(text) {}

  Signature read() {
    Signature signature;
    if (!take(':')) {
      signature.parameters.push_back(type());
      signature.member = take('.');
      // What follows the point of a receiver without parameters is the colon.
      bool more = signature.member ? text_[0] != ':' : take(',');
      while (more) {
        signature.parameters.push_back(type());
        more = take(',');
      }
      take(':');
    }
    signature.result = type();
    return signature;
  }

 private:
  bool take(char c) {
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  Type type() {
    size_t end = std::min(text_.find_first_of(".,:<>"), text_.size());
    std::string_view name = text_.substr(0, end);
    text_.remove_prefix(end);
    for (const NamedType& each : kTypes) {
      if (each.name != name) continue;
      if (each.kind == TypeKind::kParameter) return Type::parameter(each.opaque);
      return each.kind == TypeKind::kOpaque ? Type::opaque(each.opaque) : Type(each.kind);
    }
    take('<');
    Type first = type();
    Type second = take(',') ? type() : Type();
    take('>');
    if (name == "list") return Type::list(first);
    if (name == "map") return Type::map(first, second);
    if (name == "optional") return Type::optional(first);
    return Type::type(first);
  }

  std::string_view text_;
};

}  // namespace

std::vector<Signature> find_function(std::string_view name) {
  std::vector<Signature> found;
  for (auto library : kLibraries) {
    for (const Overload& overload : library()) {
      if (overload.name != name) continue;
      found.push_back(SignatureReader(overload.signature).read());
      found.back().overload = &overload;
    }
  }
  return found;
}

std::optional<Type> find_type_name(std::string_view name) {
  if (name == "list") return Type::list(Type());
  if (name == "map") return Type::map(Type(), Type());
  if (name == "type") return Type::type(Type());
  if (name == "null_type") return Type::null();
  if (name == "google.protobuf.Timestamp") return Type::timestamp();
  if (name == "google.protobuf.Duration") return Type::duration();
  if (name == "optional_type") return Type::optional(Type());
  for (const NamedType& each : kTypes) {
    if (each.kind == TypeKind::kOpaque && each.opaque == name) return Type::opaque(name);
    bool plain = each.kind >= TypeKind::kBool && each.kind <= TypeKind::kBytes;
    if (plain && each.name == name) return Type(each.kind);
  }
  return std::nullopt;
}

bool accepts(const Type& parameter, const Value& value) {
  switch (parameter.kind()) {
    case TypeKind::kDyn:
    case TypeKind::kParameter:
      return true;
    case TypeKind::kNull:
      return value.is_null();
    case TypeKind::kBool:
      return value.is_bool();
    case TypeKind::kInt:
      return value.is(ValueKind::kInt);
    case TypeKind::kUint:
      return value.is(ValueKind::kUint);
    case TypeKind::kDouble:
      return value.is(ValueKind::kDouble);
    case TypeKind::kString:
      return value.is_string();
    case TypeKind::kBytes:
      return value.is(ValueKind::kBytes);
    case TypeKind::kTimestamp:
      return value.is(ValueKind::kTimestamp);
    case TypeKind::kDuration:
      return value.is(ValueKind::kDuration);
    case TypeKind::kList:
      return value.is(ValueKind::kList);
    case TypeKind::kMap:
      return value.is(ValueKind::kMap);
    case TypeKind::kOptional:
      return value.is(ValueKind::kOptional);
    case TypeKind::kType:
      return value.is(ValueKind::kType);
    case TypeKind::kOpaque:
      return value.is(ValueKind::kOpaque) && value.as_opaque().type_name() == parameter.opaque_name();
    default:
      return false;
  }
}

}  // namespace stead::cel
