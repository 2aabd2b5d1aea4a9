#pragma once

// Growing a bound claim (KEP-284). Admission has seen to it that the claim's class allows it. Pure.

#include "client/plan.h"

namespace stead::controllers::volumes {

// What is to be done so that the claim, bound to `volume`, gets the size it asks for; an empty plan if it has it. A
// volume of the provisioner `stead.dev/local` is a directory without a size of its own: it grows by being told so.
// Other volumes are for their driver's resizer to grow, which an event says.
client::Plan decide_expansion(const client::ObjectPtr& claim, const client::ObjectPtr& volume);

}  // namespace stead::controllers::volumes
