#include "kinds/networking/object_reference.h"

#include "object/names.h"

namespace stead::kinds {

void validate_object_reference(const Path& path, const Value& reference, FieldErrors& errors) {
  const Value& group = reference.at("apiGroup");
  if (!group.is_null()) {
    check(path.child("apiGroup"), group, object::check_dns1123_subdomain(group.as_string()), errors);
  }
  for (std::string_view field : {"kind", "name"}) {
    const Value& value = reference.at(field);
    if (is_absent_or_empty(value)) {
      errors.required(path.child(field), std::string(field) + " is required");
    } else {
      check(path.child(field), value, object::check_path_segment(value.as_string()), errors);
    }
  }
}

}  // namespace stead::kinds
