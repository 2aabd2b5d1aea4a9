#include "object/apply/tree_pool.h"

#include <functional>
#include <string>

namespace stead::object {
namespace {

size_t hash_of(const Value& node) {
  size_t hash = node.size();
  auto mix = [&hash](size_t more) { hash ^= more + 0x9e3779b97f4a7c15ULL + (hash << 6) + (hash >> 2); };
  for (const Member& child : node.members()) {
    mix(std::hash<std::string_view>()(child.name()));
    mix(std::hash<const void*>()(child.value.shared_content()));
  }
  return hash;
}

// Children from the pool are the same only if they are one.
bool same_node(const Value& a, const Value& b) {
  auto left = a.members();
  auto right = b.members();
  if (left.size() != right.size()) return false;
  for (size_t i = 0; i < left.size(); ++i) {
    const void* content = left[i].value.shared_content();
    if (content == nullptr || content != right[i].value.shared_content()) return false;
    if (left[i].name() != right[i].name()) return false;
  }
  return true;
}

}  // namespace

TreePool& TreePool::process() {
  static TreePool& kPool = *new TreePool;
  return kPool;
}

Value TreePool::share(Value node) {
  if (node.shared_content() != nullptr || !node.is_object()) return node;
  const size_t hash = hash_of(node);
  Value forgotten;  // dies outside the lock
  std::lock_guard lock(mutex_);
  if (slots_.empty()) slots_.resize(kSlots);
  Value& slot = slots_[hash % kSlots];
  if (slot.is_object() && same_node(slot, node)) return slot;
  forgotten = std::move(slot);
  slot = Value::shared(std::move(node));
  return slot;
}

Value TreePool::field_element(std::string_view name) {
  std::lock_guard lock(mutex_);
  auto found = names_.find(name);
  if (found != names_.end()) return found->second;
  if (names_.size() >= kNamesMax) return Value("f:" + std::string(name));
  const auto* kept = new std::string("f:" + std::string(name));
  return names_.emplace(std::string_view(*kept).substr(2), Value::borrowed(*kept)).first->second;
}

}  // namespace stead::object
