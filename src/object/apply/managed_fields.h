#pragma once

// metadata.managedFields: which manager set which fields of an object, kept by every write and consulted by apply.
//
//   update: changed fields go to the manager, from all others; removed fields go from all
//   apply:  the manager owns what its configuration says, no more; fields of others that would change are conflicts

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "object/apply/comparison.h"

namespace stead::object {

struct Manager {
  std::string name;
  bool applies = false;  // operation Apply, else Update
  std::string api_version;
  std::string subresource;
};

struct ManagedEntry {
  Manager manager;
  std::string time;  // RFC 3339; may be empty
  FieldSet fields;
};

// The document as another version of its API sees it: entries speak the version in which their manager wrote.
struct ManagedVersion {
  const Message* message = nullptr;         // nullptr: no longer served; its entries are dropped
  std::function<Value(const Value&)> form;  // from the version at hand; null: it is the same
};
using ManagedVersions = std::function<ManagedVersion(std::string_view api_version)>;

class ManagedFields {
 public:
  // Of a metadata.managedFields. kBadRequest where it cannot be read.
  static Result<ManagedFields> decode(const Value& entries);
  // [] and [{}] ask to forget everything.
  static bool is_reset(const Value& entries);
  // null where there are no entries. Shared.
  Value encode() const;

  bool empty() const { return entries_.empty(); }

  // A write other than apply changed `old` (null: created) to `now`, both in `manager`'s version. False where no field
  // changed.
  bool update(const Manager& manager, const Value& old, const Value& now, const ManagedVersions& versions,
              WallTime time);

  struct Applied {
    Value document;        // what to store, before defaults
    bool changed = false;  // whether document or owners differ from before
  };
  // Applies `configuration` to `live` (null: create), both in `manager`'s version; check_configuration() has found
  // nothing. kConflict with one cause for each field of
  // another manager that would change, unless `force`; `allowed` fields never conflict.
  Result<Applied> apply(const Manager& manager, const Value& live, const Value& configuration, bool force,
                        const FieldSet& allowed, const ManagedVersions& versions, WallTime time);

 private:
  ManagedEntry* find(const Manager& manager);
  struct Conflict {
    size_t entry;
    FieldSet fields;
  };
  std::vector<Conflict> conflicts(const Manager& manager, const Value& old, const Value& now,
                                  const ManagedVersions& versions, std::vector<FieldSet>& removed);
  void take_from_others(const std::vector<Conflict>& conflicts, const std::vector<FieldSet>& removed);
  void drop_empty();
  void bound_updaters();

  std::vector<ManagedEntry> entries_;
};

// Fields that belong to nobody: identity, and what the server keeps.
const FieldSet& unmanaged_fields();

}  // namespace stead::object
