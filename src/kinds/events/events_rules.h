#pragma once

// Rules of Event.

#include "kinds/rules.h"

namespace stead::kinds {

KindRules event_rules();

// Between events.k8s.io/v1 and the form in which events are kept, core/v1.
void event_from_events_group(Value& event);
void event_to_events_group(Value& event);

}  // namespace stead::kinds
