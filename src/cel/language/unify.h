#pragma once

// Type variables and what they stand for while one expression is checked. Internal to the room.

#include <map>
#include <span>
#include <string>

#include "cel/type.h"

namespace stead::cel {

class Unifier {
 public:
  Type new_variable() { return Type::parameter("_var" + std::to_string(next_variable_++)); }
  // Whether a value of `from` may stand where `to` is wanted; variables are then bound. Nothing changes if not.
  bool assign(const Type& from, const Type& to);
  bool assign_all(std::span<const Type> from, std::span<const Type> to);
  // With variables replaced by what they stand for; by dyn where that is unknown, if `close`.
  Type resolve(const Type& type, bool close) const;
  // A signature's variables replaced by new ones. `names` maps within one signature.
  Type instantiate(const Type& type, std::map<std::string, Type, std::less<>>& names);

 private:
  bool try_assign(const Type& from, const Type& to);
  bool try_parameters(const Type& from, const Type& to);
  struct Substitution {
    bool valid;
    bool bound;
  };
  Substitution substitute(const Type& type, const Type& variable);
  bool occurs(const Type& variable, const Type& within) const;
  const Type* find(const Type& variable) const;

  std::map<std::string, Type, std::less<>> bound_;
  int next_variable_ = 0;
};

// The more general of two types that unify.
const Type& most_general(const Type& a, const Type& b);

}  // namespace stead::cel
