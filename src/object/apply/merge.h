#pragma once

// The document side of server-side apply: a configuration merged into what is live, and what an applier gives up taken
// out again.

#include "object/apply/comparison.h"

namespace stead::object {

// Violations that make a configuration impossible to merge: fields that do not exist, items of keyed lists without
// their keys, the same keys twice. Empty where there is none; each reads `.spec.ports: …`, as upstream spells it.
std::vector<std::string> check_configuration(const Value& configuration, const Message& message);

// `configuration` merged into `live`: what it names wins; items keep the order of the configuration, those only in
// `live` stay beside their neighbours. A null erases. Requires check_configuration() to have found nothing.
Value merge_configuration(const Value& live, const Value& configuration, const Message& message);

// Removes from `document` what is in `last` and in no set of `owned`, with all that belongs to it; what others own
// inside stays, and with it what holds it.
void remove_given_up(Value& document, const FieldSet& last, const FieldSet& owned, const Message& message);

}  // namespace stead::object
