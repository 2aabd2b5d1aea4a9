#pragma once

// The tree of an expression. The parser makes it, the checker adds types and resolves names, the folder marks what is
// constant; after that it is immutable. Internal to the room.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cel/environment.h"
#include "cel/type.h"
#include "cel/value.h"

namespace re2 {
class RE2;
}

namespace stead::cel {

struct Overload;  // library/library.h

// An overload with the types of its parameters, read from its signature.
struct Signature {
  const Overload* overload = nullptr;
  bool member = false;
  std::vector<Type> parameters;  // the receiver first
  Type result;
};

enum class Macro : uint8_t {
  kAll,
  kExists,
  kExistsOne,
  kMap,  // also transformList
  kFilter,
  kTransformMap,       // values of the keys that are there
  kTransformMapEntry,  // new keys and values
  kOptMap,
  kOptFlatMap,
};

enum class ExpressionKind : uint8_t {
  kLiteral,        // constant
  kIdentifier,     // name
  kSelect,         // children[0], name; test_only for has()
  kCall,           // name; children: the receiver of a member call, then the arguments. Operators are calls: "_+_"
  kList,           // children; optionals
  kMap,            // children: key, value, key, value …; optionals: of each entry
  kMessage,        // name; always an error of the checker
  kComprehension,  // macro; children: the range, the body, maybe a condition; name and name2: the variables
};

struct Expression {
  ExpressionKind kind = ExpressionKind::kLiteral;
  int offset = 0;  // where errors point: code points from the start
  int depth = 1;   // of the tree below

  std::string name;
  std::string name2;  // empty: a macro with one variable
  std::vector<std::unique_ptr<Expression>> children;
  std::vector<bool> optionals;
  Macro macro = Macro::kAll;
  bool member = false;
  bool test_only = false;

  // Of literals, and of what the folder found to be one: the children then matter only for estimates of cost.
  bool constant = false;
  Value value;

  // By the checker.
  Type type;
  int local = -1;                         // kIdentifier of a macro's variable: its place in the evaluator's stack
  std::vector<Signature> candidates;      // kCall: what may match at run time
  std::shared_ptr<const re2::RE2> regex;  // the constant pattern of `matches` and its like

  const Expression& child(size_t index) const { return *children[index]; }
};

using ExpressionPtr = std::unique_ptr<Expression>;

// Deeper trees are refused, so that walking one needs a bounded stack.
inline constexpr int kTreeDepthMax = 300;

}  // namespace stead::cel
