#include "cel/language/unify.h"

#include <algorithm>

namespace stead::cel {

namespace {

bool is_wild(const Type& type) { return type.is_dyn() || type.is(TypeKind::kError); }

// Types whose values may be null.
bool is_nullable(const Type& type) {
  return type.is(TypeKind::kNull) || type.is(TypeKind::kObject) || type.is(TypeKind::kOpaque) ||
         type.is(TypeKind::kOptional) || type.is(TypeKind::kTimestamp) || type.is(TypeKind::kDuration);
}

size_t parameter_count(const Type& type) {
  switch (type.kind()) {
    case TypeKind::kList:
    case TypeKind::kOptional:
    case TypeKind::kType:
      return 1;
    case TypeKind::kMap:
      return 2;
    default:
      return 0;
  }
}

bool is_less_specific(const Type& a, const Type& b) {
  if (a.is_dyn() || a.is(TypeKind::kParameter)) return true;
  if (b.is_dyn() || b.is(TypeKind::kParameter) || a.kind() != b.kind()) return false;
  if (a.is(TypeKind::kType)) return true;
  if (parameter_count(a) == 0) return a == b;
  return is_less_specific(a.parameter(0), b.parameter(0)) && is_less_specific(a.parameter(1), b.parameter(1));
}

// `type` with its parameters replaced, keeping sizes and list semantics.
Type rebuilt(const Type& type, Type first, Type second) {
  switch (type.kind()) {
    case TypeKind::kList:
      return Type::list(std::move(first), type.list_semantics(), type.list_map_keys()).with_max_size(type.max_size());
    case TypeKind::kMap:
      return Type::map(std::move(first), std::move(second)).with_max_size(type.max_size());
    case TypeKind::kOptional:
      return Type::optional(std::move(first));
    default:
      return Type::type(std::move(first));
  }
}

bool has_variables(const Type& type) {
  if (type.is(TypeKind::kParameter)) return true;
  for (size_t i = 0; i < parameter_count(type); ++i) {
    if (has_variables(type.parameter(i))) return true;
  }
  return false;
}

}  // namespace

const Type& most_general(const Type& a, const Type& b) { return is_less_specific(a, b) ? a : b; }

bool Unifier::assign(const Type& from, const Type& to) { return assign_all({&from, 1}, {&to, 1}); }

bool Unifier::assign_all(std::span<const Type> from, std::span<const Type> to) {
  if (from.size() != to.size()) return false;
  auto before = bound_;
  for (size_t i = 0; i < from.size(); ++i) {
    if (try_assign(from[i], to[i])) continue;
    bound_ = std::move(before);
    return false;
  }
  return true;
}

const Type* Unifier::find(const Type& variable) const {
  if (!variable.is(TypeKind::kParameter)) return nullptr;
  auto found = bound_.find(variable.opaque_name());
  return found == bound_.end() ? nullptr : &found->second;
}

Unifier::Substitution Unifier::substitute(const Type& type, const Type& variable) {
  if (type == variable) return {true, true};
  if (const Type* found = find(variable)) {
    Type current = *found;
    if (type == current) return {true, true};
    if (!try_assign(type, current)) return {false, true};
    const Type& general = most_general(type, current);
    if (!occurs(variable, general)) bound_[std::string(variable.opaque_name())] = general;
    return {true, true};
  }
  if (occurs(variable, type)) return {false, false};
  bound_.emplace(variable.opaque_name(), type);
  return {true, false};
}

bool Unifier::occurs(const Type& variable, const Type& within) const {
  if (variable == within) return true;
  if (const Type* found = find(within)) return occurs(variable, *found);
  for (size_t i = 0; i < parameter_count(within); ++i) {
    if (occurs(variable, within.parameter(i))) return true;
  }
  return false;
}

bool Unifier::try_parameters(const Type& from, const Type& to) {
  for (size_t i = 0; i < parameter_count(from); ++i) {
    if (!try_assign(from.parameter(i), to.parameter(i))) return false;
  }
  return true;
}

bool Unifier::try_assign(const Type& from, const Type& to) {
  if (to.is(TypeKind::kParameter)) {
    Substitution substitution = substitute(from, to);
    if (substitution.valid) return true;
    if (substitution.bound) return false;
  }
  if (from.is(TypeKind::kParameter)) return substitute(to, from).valid;
  if (is_wild(from) || is_wild(to)) return true;
  if (from.is(TypeKind::kNull)) return is_nullable(to);
  if (to.is(TypeKind::kNull)) return is_nullable(from);
  if (from.kind() != to.kind()) return false;
  if (from.is(TypeKind::kType)) return true;
  if (parameter_count(from) > 0) return try_parameters(from, to);
  return from == to;
}

Type Unifier::resolve(const Type& type, bool close) const {
  if (!has_variables(type)) return type;
  if (const Type* found = find(type)) return resolve(*found, close);
  if (type.is(TypeKind::kParameter)) return close ? Type() : type;
  return rebuilt(type, resolve(type.parameter(0), close), resolve(type.parameter(1), close));
}

Type Unifier::instantiate(const Type& type, std::map<std::string, Type, std::less<>>& names) {
  if (!has_variables(type)) return type;
  if (type.is(TypeKind::kParameter)) {
    auto found = names.find(type.opaque_name());
    if (found == names.end()) found = names.emplace(type.opaque_name(), new_variable()).first;
    return found->second;
  }
  Type first = instantiate(type.parameter(0), names);
  return rebuilt(type, std::move(first), instantiate(type.parameter(1), names));
}

}  // namespace stead::cel
