#include "apiserver/patching.h"

#include "object/patch.h"

namespace stead::apiserver {

Result<void> apply_patch(const Call& call, const object::Value& patch, object::Value& document) {
  switch (call.request.patch_type) {
    case client::PatchType::kJson:
      return object::apply_json_patch(document, patch);
    case client::PatchType::kMerge:
      if (!patch.is_object()) return make_error(Reason::kBadRequest, "a merge patch must be an object");
      object::apply_merge_patch(document, patch);
      return {};
    case client::PatchType::kStrategicMerge:
      if (call.custom) {
        return make_error(Reason::kUnsupportedMediaType,
                          "the body of the request was in an unknown format - accepted media types include: "
                          "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml");
      }
      return object::apply_strategic_merge_patch(document, patch, *call.version->message);
    case client::PatchType::kApply:
      break;
  }
  return make_error(Reason::kInternal, "an apply configuration is no patch of a document");
}

}  // namespace stead::apiserver
