#include "object/object.h"

namespace stead::object {
namespace {
const Value kNoMetadata;
}  // namespace

Object::Object(Value document, int64_t revision) : document_(std::move(document)), revision_(revision) {
  const Value* found = document_.find("metadata");
  metadata_ = found == nullptr ? &kNoMetadata : found;
}

Bytes Object::encoding(std::string_view form, const std::function<std::string()>& encode) const {
  std::lock_guard lock(mutex_);
  for (const auto& [known, bytes] : encodings_) {
    if (known == form) return bytes;
  }
  return encodings_.emplace_back(form, std::make_shared<const std::string>(encode())).second;
}

}  // namespace stead::object
