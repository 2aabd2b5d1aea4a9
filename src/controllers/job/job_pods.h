#pragma once

// The pods of a Job: what marks them, and the documents that make them. Pure.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "client/transport.h"

namespace stead::controllers::job {

using client::ObjectPtr;
using object::Object;
using object::Value;

inline constexpr std::string_view kTrackingFinalizer = "batch.kubernetes.io/job-tracking";
inline constexpr std::string_view kIndexAnnotation = "batch.kubernetes.io/job-completion-index";
inline constexpr std::string_view kFailureCountAnnotation = "batch.kubernetes.io/job-index-failure-count";
inline constexpr std::string_view kIgnoredCountAnnotation = "batch.kubernetes.io/job-index-ignored-failure-count";

bool is_indexed(const Object& job);
bool has_limit_per_index(const Object& job);
// Only pods that have really ended are replaced (KEP-3939).
bool replaces_only_failed(const Object& job);

bool is_tracked(const Object& pod);
bool is_active(const Object& pod);
bool is_terminating(const Object& pod);
bool has_succeeded(const Object& pod);
// Failed, or ending before it could succeed where the Job does not wait for that.
bool has_failed(const Object& pod, const Object& job);
// nullopt where the pod carries none that is a number.
std::optional<int64_t> index_of(const Object& pod);
// How many pods of the same index failed before this one, by a count annotation.
int64_t count_of(const Object& pod, std::string_view annotation);
// When its last container ended, or what comes closest.
WallTime finish_time(const Object& pod);

// A pod without number.
Value make_pod(const Object& job);
// The pod of an index. `counts` are what its annotations say of earlier failures, where the Job limits them by index.
struct IndexFailures {
  int64_t counted = 0;
  int64_t ignored = 0;
};
Value make_indexed_pod(const Object& job, int64_t index, std::optional<IndexFailures> failures);

// The document of `pod` without its tracking finalizer, as a merge patch.
Value free_patch(const Object& pod);

}  // namespace stead::controllers::job
