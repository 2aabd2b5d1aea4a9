#include "kinds/storage/claim_defaults.h"

namespace stead::kinds {

void set_claim_spec_defaults(Value& spec) {
  if (!spec.is_object()) return;
  if (spec.find("volumeMode") == nullptr) spec.set("volumeMode", "Filesystem");
}

void set_claim_defaults(Value& claim) {
  if (Value* spec = claim.find("spec")) set_claim_spec_defaults(*spec);
  if (claim.at({"status", "phase"}).is_null()) claim.set({"status", "phase"}, "Pending");
}

}  // namespace stead::kinds
