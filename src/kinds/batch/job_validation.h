#pragma once

// Rules for JobSpec, of a Job or inside a CronJob (texts of pkg/apis/batch/validation). Pure.

#include "kinds/meta/checks.h"

namespace stead::kinds {

// Everything of a job's spec but its selector.
void validate_job_spec(const Path& path, const Value& spec, FieldErrors& errors);
// Of a Job alone: the selector, and that the template's labels fit it; `document` gives name and UID.
void validate_job_selector(const Value& document, FieldErrors& errors);

// spec.podFailurePolicy and spec.successPolicy.
void validate_pod_failure_policy(const Path& path, const Value& spec, FieldErrors& errors);
void validate_success_policy(const Path& path, const Value& spec, FieldErrors& errors);

}  // namespace stead::kinds
