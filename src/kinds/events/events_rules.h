#pragma once

// Rules of Event.

#include "kinds/rules.h"

namespace stead::kinds {

KindRules event_rules();

}  // namespace stead::kinds
