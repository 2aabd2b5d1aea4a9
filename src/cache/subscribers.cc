#include "cache/subscribers.h"

#include <algorithm>

namespace stead::cache {
namespace {

void deliver(const Subscriber& subscriber, const std::vector<Change>& changes) {
  std::shared_ptr<ChangeSink> sink = subscriber.sink;
  if (!sink || !subscriber.caught_up) return;
  if (subscriber.after < changes.front().revision) return sink->on_changes(changes);
  // Subscribed from a revision that was in the future.
  std::vector<Change> wanted;
  std::copy_if(changes.begin(), changes.end(), std::back_inserter(wanted),
               [&](const Change& change) { return change.revision > subscriber.after; });
  if (!wanted.empty()) sink->on_changes(wanted);
}

}  // namespace

void Subscribers::add(const Ptr& subscriber) {
  if (!subscriber->only) return everything_.push_back(subscriber);
  Field& field = fields_[subscriber->only->field];
  if (!field.read) field.read = subscriber->only->read;
  field.by_value[subscriber->only->value].push_back(subscriber);
}

void Subscribers::remove(const Ptr& subscriber) {
  if (!subscriber->only) {
    std::erase(everything_, subscriber);
    return;
  }
  auto field = fields_.find(subscriber->only->field);
  if (field == fields_.end()) return;
  auto entry = field->second.by_value.find(subscriber->only->value);
  if (entry == field->second.by_value.end()) return;
  std::erase(entry->second, subscriber);
  if (entry->second.empty()) field->second.by_value.erase(entry);
  if (field->second.by_value.empty()) fields_.erase(field);
}

void Subscribers::tell(const std::vector<Change>& changes) {
  if (changes.empty()) return;
  // Everything is looked up before anybody is told.
  std::vector<std::pair<Ptr, std::vector<Change>>> told;
  for (const auto& [name, field] : fields_) {
    std::unordered_map<Subscriber*, size_t> known;
    auto add = [&, &by_value = field.by_value](const std::string& value, const Change& change) {
      auto entry = by_value.find(value);
      if (entry == by_value.end()) return;
      for (const Ptr& subscriber : entry->second) {
        auto [at, fresh] = known.emplace(subscriber.get(), told.size());
        if (fresh) told.emplace_back(subscriber, 0);
        told[at->second].second.push_back(change);
      }
    };
    for (const Change& change : changes) {
      std::optional<std::string> before = change.before ? std::optional(field.read(*change.before)) : std::nullopt;
      std::optional<std::string> after = change.after ? std::optional(field.read(*change.after)) : std::nullopt;
      if (before) add(*before, change);
      if (after && after != before) add(*after, change);
    }
  }
  for (const Ptr& subscriber : std::vector(everything_)) deliver(*subscriber, changes);
  for (const auto& [subscriber, theirs] : told) deliver(*subscriber, theirs);
}

std::vector<Subscribers::Ptr> Subscribers::take() {
  std::vector<Ptr> all = std::move(everything_);
  everything_.clear();
  for (auto& [name, field] : fields_) {
    for (auto& [value, those] : field.by_value) all.insert(all.end(), those.begin(), those.end());
  }
  fields_.clear();
  return all;
}

}  // namespace stead::cache
