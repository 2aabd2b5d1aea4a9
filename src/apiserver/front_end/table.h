#pragma once

// The Table form (meta/v1), which `kubectl get` prints. Pure.

#include <span>

#include "base/clock.h"
#include "client/transport.h"
#include "kinds/registry.h"

namespace stead::apiserver {

enum class IncludeObject : uint8_t { kNone, kMetadata, kObject };

struct TableOptions {
  IncludeObject include_object = IncludeObject::kMetadata;
  bool with_columns = true;  // a watch sends them once
  WallTime now;
};

object::Value make_table(const kinds::Resource& resource, const kinds::Version& version,
                         std::span<const object::ObjectPtr> objects, const TableOptions& options);

// Of one autoscaling/v1 Scale.
object::Value make_scale_table(const object::Object& scale, const TableOptions& options);

// metadata alone, as PartialObjectMetadata.
object::Value partial_metadata(const object::Object& object);

}  // namespace stead::apiserver
