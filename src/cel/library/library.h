#pragma once

// The functions of the language: constant tables, one per library, looked up by name when an expression is compiled.
// Internal to the room.

#include <span>
#include <string_view>
#include <vector>

#include "cel/language/syntax.h"
#include "cel/value.h"

namespace stead::cel {

// What a call costs, from its arguments' sizes: code points of strings, elements of lists and maps, 1 for others.
// Traversing a text costs a tenth of its size.
enum class CostRule : uint8_t {
  kOne,
  kTraverse,        // the first argument
  kTraverseTwice,   // the first argument, read and written
  kTraverseResult,  // the result, read and written
  kTraverseBoth,    // the first two arguments
  kCompare,         // the shorter of the two
  kSearch,          // the product of both traversals
  kRegex,           // the text's traversal times a quarter of the pattern
  kElements,        // one for each element of the second argument
  kEachElement,     // the first argument's elements, whatever they are
  kPairs,           // the product of both sizes
  kPairsTwice,
  kContainsAddress,  // of a network of 4 or 16 bytes
  kContainsNetwork,
  kAuthorization,  // such that two of them fill the limit of one evaluation
};

struct Call {
  std::span<const Value> arguments;
  const re2::RE2* regex = nullptr;  // the second argument compiled, where it was constant
  const Value& operator[](size_t index) const { return arguments[index]; }
  size_t size() const { return arguments.size(); }
};

// `signature` is "receiver.parameter,parameter:result"; A, B are type variables, list<A>, map<A,B>, optional<A>,
// type<A> compose, and the opaque types have short names (library.cc).
struct Overload {
  std::string_view name;
  std::string_view signature;
  Value (*run)(const Call& call);
  CostRule cost = CostRule::kOne;
};

// Each table lives for ever.
std::span<const Overload> operator_functions();
std::span<const Overload> conversion_functions();
std::span<const Overload> collection_functions();
std::span<const Overload> text_functions();
std::span<const Overload> regex_functions();
std::span<const Overload> time_functions();
std::span<const Overload> optional_functions();
std::span<const Overload> url_functions();
std::span<const Overload> quantity_functions();
std::span<const Overload> address_functions();
std::span<const Overload> format_functions();
std::span<const Overload> semver_functions();
std::span<const Overload> authorization_functions();

// Every overload of a function, in the order of declaration; empty for an unknown name.
std::vector<Signature> find_function(std::string_view name);
// The type that a name such as `int` or `google.protobuf.Timestamp` stands for.
std::optional<Type> find_type_name(std::string_view name);
// Whether a value may be passed for a parameter of this type.
bool accepts(const Type& parameter, const Value& value);

}  // namespace stead::cel
