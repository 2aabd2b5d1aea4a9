#include "object/patch.h"

namespace stead::object {

// RFC 7386 section 2.
void apply_merge_patch(Value& target, const Value& patch) {
  if (!patch.is_object()) {
    target = patch;
    return;
  }
  if (!target.is_object()) target = Value::object();
  for (const Member& member : patch.members()) {
    if (member.value.is_null()) {
      target.erase(member.name());
    } else {
      apply_merge_patch(target[member.name()], member.value);
    }
  }
}

}  // namespace stead::object
