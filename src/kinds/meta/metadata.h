#pragma once

// Rules for metadata, the same for every kind (apimachinery's ValidateObjectMeta). The API server calls these before
// the kind's own hooks, which therefore say nothing about metadata. Pure, safe from any thread.

#include "kinds/registry.h"

namespace stead::kinds {

// A new object's metadata: name (in the resource's format), namespace, labels, annotations, owners, finalizers.
void validate_metadata(const Resource& resource, const Value& document, FieldErrors& errors);

// An update's: what identifies the object stays, nothing is finalized anew while it is being deleted.
void validate_metadata_update(const Resource& resource, const Value& document, const Value& old, FieldErrors& errors);

// Names of finalizers that only Kubernetes' own kinds have: standard ones, or such with a domain.
void check_finalizer_names(const object::Path& path, const Value& finalizers, FieldErrors& errors);

// metadata.annotations (also those of pod templates): keys, and 256 KiB in all.
void check_annotations(const object::Path& path, const Value& annotations, FieldErrors& errors);

}  // namespace stead::kinds
