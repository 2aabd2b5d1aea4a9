#pragma once

// Between the document of a request, in the version its caller speaks, and the stored hub form. Pure.

#include "apiserver/call.h"
#include "base/random.h"
#include "object/codec.h"

namespace stead::apiserver {

using object::Value;

// Shapes, defaults and converts a request's document to hub form. Checks apiVersion and kind (fills them where
// missing). Unknown and duplicate fields become an error (Strict), `warnings` (Warn) or nothing (Ignore);
// `strict` carries what the parser already found.
Result<Value> to_hub(const Call& call, Value document, object::StrictErrors strict, std::vector<std::string>& warnings);

// The stored form of a hub document in the caller's version.
Value to_version(const kinds::Resource& resource, const kinds::Version& version, const Value& hub);

// metadata.namespace and metadata.name of a new object against the request's path; generates a name from
// generateName. kBadRequest on a mismatch.
Result<void> set_identity(const Call& call, Value& document, Random& random);

// Server-owned metadata of a new object: uid, creationTimestamp, generation; what a client may not set is cleared.
// The kind's own rules come after.
void prepare_new(const kinds::Resource& resource, Value& document, Random& random, WallTime now);

// A new object's status, where its kind's rules made none: the zeros that are always shown, "replicas: 0" and the like.
// Clients read on from it without asking whether it is there.
void show_status(const kinds::Resource& resource, Value& document);
// What an update through the main path or /status carries over from the stored object, and the new generation.
void carry_over(const kinds::Resource& resource, Value& document, const Value& old, bool status_only);

}  // namespace stead::apiserver
