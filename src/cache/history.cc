#include "cache/history.h"

#include <algorithm>

namespace stead::cache {
namespace {

// One version in so many is kept whole, so that going back undoes fewer changes than this.
constexpr size_t kKeptVersionSpacing = 64;

}  // namespace

void History::append(std::string key, Change change, const ObjectMap& now) {
  const ObjectPtr& made = change.after ? change.after : change.last;
  size_t bytes = sizeof(Entry) + sizeof(object::Object) + (made ? made->document().heap_bytes() : 0);
  Entry entry{std::move(key), std::move(change), bytes, std::nullopt};
  if (until_kept_version_-- == 0) {
    entry.objects = now;
    until_kept_version_ = kKeptVersionSpacing - 1;
  }
  bytes_ += bytes;
  entries_.push_back(std::move(entry));
  while (!entries_.empty() && (entries_.size() > changes_max_ || bytes_ > bytes_max_)) {
    floor_ = entries_.front().change.revision;
    bytes_ -= entries_.front().bytes;
    entries_.pop_front();
  }
}

Error History::expired(int64_t revision) const {
  return make_error(Reason::kExpired,
                    "too old resource version: " + std::to_string(revision) + " (" + std::to_string(floor_) + ")");
}

size_t History::first_after(int64_t revision) const {
  auto found = std::upper_bound(entries_.begin(), entries_.end(), revision,
                                [](int64_t wanted, const Entry& entry) { return wanted < entry.change.revision; });
  return static_cast<size_t>(found - entries_.begin());
}

Result<std::vector<Change>> History::changes_after(int64_t revision) const {
  if (revision < floor_) return expired(revision);
  std::vector<Change> changes;
  for (size_t index = first_after(revision); index < entries_.size(); ++index) {
    changes.push_back(entries_[index].change);
  }
  return changes;
}

Result<ObjectMap> History::objects_at(int64_t revision, const ObjectMap& now) const {
  if (revision < floor_) return expired(revision);
  size_t first = first_after(revision);
  if (first > 0 && entries_[first - 1].objects) return *entries_[first - 1].objects;
  size_t undo_end = first;  // one past the last change to undo
  while (undo_end < entries_.size() && !entries_[undo_end].objects) ++undo_end;
  bool kept = undo_end < entries_.size();
  ObjectMap objects = kept ? *entries_[undo_end].objects : now;
  if (kept) ++undo_end;
  for (size_t index = undo_end; index-- > first;) {
    const Entry& entry = entries_[index];
    objects = entry.change.before ? objects.insert(entry.key, entry.change.before) : objects.erase(entry.key);
  }
  return objects;
}

}  // namespace stead::cache
