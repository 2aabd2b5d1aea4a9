#pragma once

// Interchangeable pods: named by the server, controlled by their owner. Pure.

#include "object/object.h"

namespace stead::controllers {

// A pod document of `pod_template` with a generated name `<owner>-…`.
object::Value pod_from_template(const object::Object& owner, const object::Value& pod_template);

}  // namespace stead::controllers
