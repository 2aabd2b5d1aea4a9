#include "object/apply/managed_fields.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "object/apply/merge.h"
#include "object/codec.h"
#include "object/quote.h"
#include "object/time.h"

namespace stead::object {
namespace {

// Entries of operation Update that are told apart; the oldest beyond are merged.
constexpr size_t kUpdatersMax = 10;
constexpr std::string_view kMergedUpdaters = "ancient-changes";

bool same_manager(const Manager& a, const Manager& b) {
  if (a.name != b.name || a.applies != b.applies || a.subresource != b.subresource) return false;
  // An applier is the same whatever version it speaks.
  return a.applies || a.api_version == b.api_version;
}

std::string describe(const Manager& manager) {
  std::string text = quote(manager.name);
  if (!manager.subresource.empty()) text += " with subresource " + quote(manager.subresource);
  if (!manager.applies) text += " using " + manager.api_version;
  return text;
}

Value encode_entry(const ManagedEntry& entry) {
  Value out = Value::object();
  auto& members = out.mutable_members();
  members.reserve(entry.manager.subresource.empty() ? 6 : 7);
  auto add = [&members](std::string_view name, Value value) { members.emplace_back(Value(name), std::move(value)); };
  add("manager", entry.manager.name);
  add("operation", entry.manager.applies ? "Apply" : "Update");
  add("apiVersion", entry.manager.api_version);
  if (!entry.time.empty()) add("time", entry.time);
  add("fieldsType", "FieldsV1");
  add("fieldsV1", entry.fields.fields_v1());
  if (!entry.manager.subresource.empty()) add("subresource", entry.manager.subresource);
  return out;
}

Error conflict_error(const std::vector<std::pair<std::string, std::vector<std::string>>>& conflicts) {
  std::map<std::string, std::vector<std::string>> by_manager;
  Error error = make_error(Reason::kConflict, {});
  for (const auto& [manager, paths] : conflicts) {
    auto& known = by_manager[manager];
    known.insert(known.end(), paths.begin(), paths.end());
    for (const std::string& path : paths) {
      error.causes.push_back({"FieldManagerConflict", "conflict with " + manager, path});
    }
  }
  if (error.causes.size() == 1) {
    error.message = "Apply failed with 1 conflict: " + error.causes[0].message + ": " + error.causes[0].field;
    return error;
  }
  error.message = "Apply failed with " + std::to_string(error.causes.size()) + " conflicts: ";
  bool first = true;
  for (const auto& [manager, paths] : by_manager) {
    if (!first) error.message += '\n';
    first = false;
    error.message += "conflicts with " + manager + ":";
    for (const std::string& path : paths) error.message += "\n- " + path;
  }
  return error;
}

Value as_seen(const ManagedVersion& version, const Value& document) {
  return version.form ? version.form(document) : document;
}

}  // namespace

const FieldSet& unmanaged_fields() {
  static const FieldSet kFields = FieldSet::from_fields_v1(*parse_json(R"({"f:apiVersion":{},"f:kind":{},"f:metadata":{
      ".":{},"f:clusterName":{},"f:creationTimestamp":{},"f:generation":{},"f:managedFields":{},"f:name":{},
      "f:namespace":{},"f:resourceVersion":{},"f:selfLink":{},"f:uid":{}}})"))
                                      .value();
  return kFields;
}

Result<ManagedFields> ManagedFields::decode(const Value& entries) {
  ManagedFields managed;
  for (const Value& item : entries.items()) {
    ManagedEntry entry;
    entry.manager.name = item.at("manager").as_string();
    entry.manager.api_version = item.at("apiVersion").as_string();
    entry.manager.subresource = item.at("subresource").as_string();
    std::string_view operation = item.at("operation").as_string();
    if (operation != "Apply" && operation != "Update") {
      return make_error(Reason::kBadRequest, "metadata.managedFields: invalid operation " + quote(operation));
    }
    entry.manager.applies = operation == "Apply";
    if (item.at("fieldsType").as_string() != "FieldsV1") {
      return make_error(Reason::kBadRequest, "metadata.managedFields: fieldsType must be FieldsV1");
    }
    entry.time = item.at("time").as_string();
    if (const Value* fields = item.find("fieldsV1"); fields != nullptr && !fields->is_null()) {
      STEAD_TRY(set, FieldSet::from_fields_v1(*fields));
      entry.fields = std::move(set);
    }
    managed.entries_.push_back(std::move(entry));
  }
  return managed;
}

bool ManagedFields::is_reset(const Value& entries) {
  if (!entries.is_array()) return false;
  if (entries.empty()) return true;
  return entries.size() == 1 && entries.items()[0].is_object() && entries.items()[0].empty();
}

Value ManagedFields::encode() const {
  if (entries_.empty()) return {};
  std::vector<const ManagedEntry*> order;
  order.reserve(entries_.size());
  for (const ManagedEntry& entry : entries_) order.push_back(&entry);
  auto key = [](const ManagedEntry* entry) {
    const Manager& manager = entry->manager;
    return std::tie(manager.applies, entry->time, manager.name, manager.api_version, manager.subresource);
  };
  std::sort(order.begin(), order.end(), [&](const ManagedEntry* a, const ManagedEntry* b) {
    // Appliers first.
    if (a->manager.applies != b->manager.applies) return a->manager.applies;
    return key(a) < key(b);
  });
  std::vector<Value> items;
  items.reserve(order.size());
  for (const ManagedEntry* entry : order) items.push_back(encode_entry(*entry));
  return Value::shared(Value::array(std::move(items)));
}

ManagedEntry* ManagedFields::find(const Manager& manager) {
  auto found = std::find_if(entries_.begin(), entries_.end(),
                            [&](const ManagedEntry& entry) { return same_manager(entry.manager, manager); });
  return found == entries_.end() ? nullptr : &*found;
}

std::vector<ManagedFields::Conflict> ManagedFields::conflicts(const Manager& manager, const Value& old,
                                                              const Value& now, const ManagedVersions& versions,
                                                              std::vector<FieldSet>& removed) {
  std::vector<Conflict> found;
  std::map<std::string, Comparison, std::less<>> by_version;
  removed.assign(entries_.size(), {});
  for (size_t i = 0; i < entries_.size(); ++i) {
    const ManagedEntry& entry = entries_[i];
    auto known = by_version.find(entry.manager.api_version);
    if (known == by_version.end()) {
      ManagedVersion version = versions(entry.manager.api_version);
      if (version.message == nullptr) {
        // Nobody can say any more what its paths mean.
        removed[i] = entry.fields;
        continue;
      }
      Comparison comparison = compare_fields(as_seen(version, old), as_seen(version, now), *version.message);
      known = by_version.emplace(entry.manager.api_version, std::move(comparison)).first;
    }
    removed[i] = known->second.removed;
    if (manager.applies && same_manager(entry.manager, manager)) continue;
    FieldSet conflict = entry.fields.common(known->second.changed);
    if (!conflict.empty()) found.push_back({i, std::move(conflict)});
  }
  return found;
}

void ManagedFields::take_from_others(const std::vector<Conflict>& conflicts, const std::vector<FieldSet>& removed) {
  for (const Conflict& conflict : conflicts) {
    entries_[conflict.entry].fields = entries_[conflict.entry].fields.without(conflict.fields);
  }
  for (size_t i = 0; i < removed.size(); ++i) entries_[i].fields = entries_[i].fields.without(removed[i]);
}

void ManagedFields::drop_empty() {
  std::erase_if(entries_, [](const ManagedEntry& entry) { return entry.fields.empty(); });
}

bool ManagedFields::update(const Manager& manager, const Value& old, const Value& now, const ManagedVersions& versions,
                           WallTime time) {
  Comparison comparison = compare_fields(old, now, *versions(manager.api_version).message);
  if (comparison.changed.empty() && comparison.removed.empty()) return false;
  std::vector<FieldSet> removed;
  std::vector<Conflict> taken = conflicts(manager, old, now, versions, removed);
  take_from_others(taken, removed);
  FieldSet mine = comparison.changed.without(unmanaged_fields());
  if (!mine.empty()) {
    ManagedEntry* entry = find(manager);
    if (entry == nullptr) entry = &entries_.emplace_back(ManagedEntry{manager, {}, {}});
    entry->fields = entry->fields.united(mine);
    entry->time = format_time(time);
  }
  drop_empty();
  bound_updaters();
  return true;
}

Result<ManagedFields::Applied> ManagedFields::apply(const Manager& manager, const Value& live,
                                                    const Value& configuration, bool force, const FieldSet& allowed,
                                                    const ManagedVersions& versions, WallTime time) {
  const Message& message = *versions(manager.api_version).message;
  Applied applied;
  applied.document = merge_configuration(live, configuration, message);
  FieldSet wanted = fields_of(configuration, message).without(unmanaged_fields());
  const std::vector<ManagedEntry> before = entries_;
  FieldSet last;
  if (ManagedEntry* mine = find(manager)) last = mine->fields;
  FieldSet owned = wanted;
  for (const ManagedEntry& entry : entries_) {
    if (!same_manager(entry.manager, manager)) owned = owned.united(entry.fields);
  }
  if (!last.empty()) remove_given_up(applied.document, last, owned, message);
  // A zero where zero means absent is no difference.
  STEAD_TRY_VOID(shape(applied.document, message));

  std::vector<FieldSet> removed;
  std::vector<Conflict> found = conflicts(manager, live, applied.document, versions, removed);
  std::vector<std::pair<std::string, std::vector<std::string>>> told;
  for (const Conflict& conflict : found) {
    std::vector<std::string> paths;
    conflict.fields.without(allowed).visit([&paths](const std::string& path) { paths.push_back(path); });
    if (!paths.empty()) told.emplace_back(describe(entries_[conflict.entry].manager), std::move(paths));
  }
  if (!force && !told.empty()) return conflict_error(told);
  take_from_others(found, removed);
  ManagedEntry* entry = find(manager);
  bool owners_changed = entry == nullptr
                            ? !wanted.empty()
                            : !(entry->fields == wanted) || entry->manager.api_version != manager.api_version;
  if (entry == nullptr) entry = &entries_.emplace_back(ManagedEntry{manager, {}, {}});
  entry->fields = wanted;
  entry->manager.api_version = manager.api_version;
  for (size_t i = 0; i < before.size() && !owners_changed; ++i) {
    owners_changed = !(before[i].fields == entries_[i].fields);
  }
  applied.changed = owners_changed || !(applied.document == live);
  if (applied.changed) entry->time = format_time(time);
  drop_empty();
  return applied;
}

void ManagedFields::bound_updaters() {
  auto is_updater = [](const ManagedEntry& entry) {
    return !entry.manager.applies && entry.manager.name != kMergedUpdaters;
  };
  while (static_cast<size_t>(std::count_if(entries_.begin(), entries_.end(), is_updater)) > kUpdatersMax) {
    ManagedEntry* oldest = nullptr;
    for (ManagedEntry& entry : entries_) {
      if (is_updater(entry) && (oldest == nullptr || entry.time < oldest->time)) oldest = &entry;
    }
    ManagedEntry moved = std::move(*oldest);
    entries_.erase(entries_.begin() + (oldest - entries_.data()));
    Manager bucket{std::string(kMergedUpdaters), false, moved.manager.api_version, {}};
    ManagedEntry* merged = find(bucket);
    if (merged == nullptr) merged = &entries_.emplace_back(ManagedEntry{bucket, moved.time, {}});
    merged->fields = merged->fields.united(moved.fields);
    merged->time = std::max(merged->time, moved.time);
  }
}

}  // namespace stead::object
