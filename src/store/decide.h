#pragma once

// What a write does to a key, as a pure function: the one place that interprets conditions and numbers versions, used
// by every embedded store.

#include "store/store.h"

namespace stead::store {

// What the store refuses before it looks at its state: kBadRequest or kRequestEntityTooLarge.
Result<void> check_write(const Write& write);

struct Decision {
  bool applied = false;
  KeyValue entry;  // when applied: the key's new version; of a deletion key and mod_revision only
};

// `current` is what the key holds (null: nothing); `revision` is the one this write would get.
Decision decide(const Write& write, const KeyValue* current, int64_t revision);

// The event of a decision that was applied and committed.
WatchEvent make_event(const Write& write, const KeyValue& entry, std::optional<KeyValue> previous);

// Whether a range request covers `key`.
bool covers(const RangeRequest& request, std::string_view key);

}  // namespace stead::store
