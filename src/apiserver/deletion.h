#pragma once

// What a DELETE does to an object (api-conventions "graceful deletion", garbage-collection docs). Pure.
//
//   live ──delete──▶ removed                       no grace, no finalizers
//     └───delete──▶ marked (deletionTimestamp) ──▶ removed when grace is 0 and finalizers are gone

#include <optional>

#include "apiserver/call.h"
#include "base/clock.h"

namespace stead::apiserver {

struct DeleteOptions {
  std::optional<int64_t> grace_period_seconds;
  std::string propagation;  // "", "Orphan", "Background", "Foreground"
  std::string precondition_uid;
  std::string precondition_resource_version;
};

// From the request's body (a DeleteOptions document) ; kBadRequest/kInvalid on nonsense. Query parameters were merged
// in.
Result<DeleteOptions> parse_delete_options(const object::Value& body);

// What to tell who deletes a job without saying what becomes of its pods.
std::optional<std::string> deletion_warning(const kinds::Resource& resource, const DeleteOptions& options);

struct Deletion {
  bool remove = false;                  // remove from the store now
  std::optional<object::Value> marked;  // otherwise: the document to store (nullopt: nothing to change)
};

// kConflict if a precondition fails.
Result<Deletion> decide_deletion(const Call& call, const object::Object& current, const DeleteOptions& options,
                                 WallTime now);

// Whether an object whose update left it marked and free of finalizers should now go.
bool deletion_is_complete(const kinds::Resource& resource, const object::Value& document);

}  // namespace stead::apiserver
