#pragma once

// The checks that workload kinds of apps share. Pure.

#include "kinds/meta/checks.h"

namespace stead::kinds {

// An IntOrString: a number that is not negative, or a percentage. Returns whether it is either; absent is fine.
bool check_count_or_percent(const Path& path, const Value& value, FieldErrors& errors);
// No more than 100 %, where it is a percentage.
void check_percent_at_most_100(const Path& path, const Value& value, FieldErrors& errors);
// The number or percentage as written, 0 where neither.
int64_t count_or_percent(const Value& value);

// What messages call the owner of a template; those of replica sets and deployments mix the two.
struct TemplateOwner {
  std::string_view of_selector = "deployment";
  std::string_view of_template = "ReplicaSet";
};
// spec.selector (present, well formed, not empty) and spec.template (its labels fit, its pods always restart), of
// ReplicaSet, Deployment and DaemonSet.
void validate_selected_template(const Path& path, const Value& spec, FieldErrors& errors, TemplateOwner owner = {});

// status.<name> for each name: not negative, and no more than status.replicas.
void check_status_counts(const Value& status, std::initializer_list<std::string_view> names, FieldErrors& errors);

}  // namespace stead::kinds
