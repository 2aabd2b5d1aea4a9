#pragma once

// Which objects of a resource a list, watch or deletecollection is about: namespace, name, labels, fields.

#include <optional>
#include <string>

#include "apiserver/call.h"
#include "cache/cache.h"
#include "object/object.h"
#include "object/selector.h"

namespace stead::apiserver {

class Selection {
 public:
  // kBadRequest on malformed selectors and on fields the kind cannot be selected by.
  static Result<Selection> make(const Call& call);

  bool matches(const object::Object& object) const;
  // All matching keys start with this: "ns/", "ns/name", "".
  std::string key_prefix() const { return key_prefix_; }
  // A field and the value it must have, where the selection says so: lets the cache find those concerned.
  std::optional<cache::FieldKey> field_key() const;
  // The same, if that names few objects that key_prefix() does not lead to.
  std::optional<cache::FieldKey> index_key() const;
  // Whether it looks at fields that only a conversion webhook can show in the caller's version.
  bool needs_conversion() const;
  // No label or field restricts it.
  bool everything() const { return labels_.matches_everything() && fields_.empty(); }

 private:
  const kinds::Resource* resource_ = nullptr;
  std::shared_ptr<const kinds::CustomKind> custom_;  // keeps it alive
  std::string ns_;
  std::string key_prefix_;
  object::LabelSelector labels_;
  object::FieldSelector fields_;
};

}  // namespace stead::apiserver
