#pragma once

// Rules for PodSpec, alone or inside a template (KEP-independent: pkg/apis/core/validation's texts). Pure.

#include "kinds/core/volume_validation.h"

namespace stead::kinds {

// Everything of a pod's spec. `metadata` is the pod's or the template's own.
void validate_pod_spec(const Path& path, const Value& spec, const Value& metadata, PodSpecOwner owner,
                       FieldErrors& errors);
// Labels, annotations and spec of a PodTemplateSpec, without what its owner demands.
void validate_pod_template(const Path& path, const Value& pod_template, FieldErrors& errors);
// Annotations with a meaning for pods.
void validate_pod_annotations(const Path& path, const Value& annotations, const Value& spec, FieldErrors& errors);
void validate_tolerations(const Path& path, const Value& tolerations, FieldErrors& errors);

}  // namespace stead::kinds
