#pragma once

// The last changes of one resource, and through them its earlier versions. Not thread-safe.

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cache/cache.h"

namespace stead::cache {

class History {
 public:
  // `floor`: the revision from which on all changes will be appended.
  History(int64_t floor, size_t changes_max, size_t bytes_max)
      : floor_(floor), changes_max_(changes_max), bytes_max_(bytes_max) {}

  // `now` is the resource as this change of `key` left it. Forgets the oldest changes beyond the bounds.
  void append(std::string key, Change change, const ObjectMap& now);

  // The changes after `revision`; kExpired if some are forgotten.
  Result<std::vector<Change>> changes_after(int64_t revision) const;
  // The resource as of `revision`, given what it is now; kExpired if that is forgotten.
  Result<ObjectMap> objects_at(int64_t revision, const ObjectMap& now) const;

  // Changes after this revision are all here.
  int64_t floor() const { return floor_; }
  size_t size() const { return entries_.size(); }
  // Approximate heap bytes of the documents of these changes.
  size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string key;
    Change change;
    size_t bytes;
    // The resource after this change; kept for a few entries only, since a version costs a path of nodes.
    std::optional<ObjectMap> objects;
  };
  Error expired(int64_t revision) const;
  size_t first_after(int64_t revision) const;

  std::deque<Entry> entries_;
  int64_t floor_;
  const size_t changes_max_;
  const size_t bytes_max_;
  size_t bytes_ = 0;
  size_t until_kept_version_ = 0;
};

}  // namespace stead::cache
