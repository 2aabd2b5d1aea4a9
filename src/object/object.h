#pragma once

// Object: one API object as published: a document, its revision, and the encodings made of it so far. Immutable
// once behind an ObjectPtr; shared by the cache, watchers, informers and responses. All members are safe from any
// thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "object/value.h"

namespace stead::object {

class Object;
using ObjectPtr = std::shared_ptr<const Object>;
using Bytes = std::shared_ptr<const std::string>;

class Object {
 public:
  // `document` is in its hub version and carries metadata.resourceVersion == revision (0: not stored).
  Object(Value document, int64_t revision);

  const Value& document() const { return document_; }
  int64_t revision() const { return revision_; }
  const Value& metadata() const { return *metadata_; }
  std::string_view name() const { return metadata_->at("name").as_string(); }
  std::string_view ns() const { return metadata_->at("namespace").as_string(); }
  std::string_view uid() const { return metadata_->at("uid").as_string(); }
  bool deleting() const { return metadata_->find("deletionTimestamp") != nullptr; }
  const Value& spec() const { return document_.at("spec"); }
  const Value& status() const { return document_.at("status"); }

  // The encoding called `form` (e.g. "apps/v1;json"), made by `encode` at the first call and kept.
  Bytes encoding(std::string_view form, const std::function<std::string()>& encode) const;

 private:
  Value document_;
  const Value* metadata_;
  int64_t revision_;
  mutable std::mutex mutex_;
  mutable std::vector<std::pair<std::string, Bytes>> encodings_;
};

inline ObjectPtr make_object(Value document, int64_t revision) {
  return std::make_shared<const Object>(std::move(document), revision);
}

}  // namespace stead::object
