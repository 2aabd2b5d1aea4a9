#pragma once

// Types and names of a parsed tree (CEL specification, "Gradual Type Checking"). Internal to the room.

#include "cel/environment.h"
#include "cel/language/parser.h"
#include "cel/language/syntax.h"

namespace stead::cel {

// Fills in types, locals, candidates and compiled patterns. The tree is whole only if `problems` stays empty.
void check(Expression& root, const Environment& environment, Problems& problems);

// Kubernetes' further rule: the elements of one literal have one type, but for the arguments of format(). check() asks
// it last.
void check_uniform(const Expression& expression, Problems& problems);

// Marks what is constant: literals of literals, conversions of literals. After check().
void fold(Expression& root);

}  // namespace stead::cel
