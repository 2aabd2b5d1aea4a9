#include <algorithm>

#include "object/codec.h"
#include "object/merge_list.h"
#include "object/patch.h"
#include "object/quote.h"

namespace stead::object {
namespace {

constexpr std::string_view kDirective = "$patch";
constexpr std::string_view kRetainKeys = "$retainKeys";
constexpr std::string_view kElementOrder = "$setElementOrder/";
constexpr std::string_view kDeleteFromList = "$deleteFromPrimitiveList/";

Error bad(std::string text) { return make_error(Reason::kBadRequest, std::move(text)); }
Error bad_directive(const Value& directive, const Value& patch) {
  return bad("unknown patch type: " + to_json(directive) + " in map: " + to_json(patch));
}
Error bad_element_order() { return bad("invalid patch format of setElementOrder list"); }
Error bad_primitive_list() { return bad("invalid patch format of primitive list"); }
Error bad_retain_keys() { return bad("invalid patch format of retainKeys"); }

// How a member merges. A member without a declaration (raw JSON, items of maps) merges plainly.
struct Schema {
  const TypeRef* type = nullptr;
  const Field* field = nullptr;

  const Message* message() const { return type != nullptr && type->type == Type::kMessage ? type->message : nullptr; }
  Schema member(std::string_view name) const {
    if (const Message* here = message()) {
      const Field* found = here->find(name);
      return found == nullptr ? Schema{} : Schema{&found->type, found};
    }
    return type != nullptr && type->type == Type::kMap ? Schema{type->element, nullptr} : Schema{};
  }
  Schema element() const { return {type != nullptr && type->type == Type::kList ? type->element : nullptr, nullptr}; }
  std::string_view merge_key() const { return field == nullptr ? std::string_view() : field->patch_merge_key; }
  bool merges() const {
    return field != nullptr &&
           (field->patch_strategy == MergeStrategy::kMerge || field->patch_strategy == MergeStrategy::kMergeRetainKeys);
  }
  bool replaces() const { return field != nullptr && field->patch_strategy == MergeStrategy::kReplace; }
};

bool is_directive(std::string_view name) {
  return name == kDirective || name == kRetainKeys || name.starts_with(kElementOrder) ||
         name.starts_with(kDeleteFromList);
}

// Makes a patch's value fit to be stored where nothing was: without nulls in objects and without directives. False
// where the value itself is a directive and nothing is to be stored.
bool strip(Value& value) {
  if (value.is_object()) {
    if (value.find(kDirective) != nullptr) return false;
    std::erase_if(value.mutable_members(), [](Member& member) {
      return member.value.is_null() || is_directive(member.name()) || !strip(member.value);
    });
  } else if (value.is_array()) {
    std::erase_if(value.mutable_items(), [](Value& item) { return !strip(item); });
  }
  return true;
}

// The types of a list's items must be one, and not lists. kNull where there are no items.
Result<Value::Kind> item_kind(const Items& a, const Items& b) {
  Value::Kind kind = Value::Kind::kNull;
  for (const Items* list : {&a, &b}) {
    for (const Value& item : *list) {
      Value::Kind one = item.is_number() ? Value::Kind::kDouble : item.kind();
      if (one == Value::Kind::kArray) return make_error(Reason::kInvalid, "lists of lists are not supported");
      if (kind != Value::Kind::kNull && kind != one) return bad("list element types are not identical");
      kind = one;
    }
  }
  return kind;
}

Result<void> merge_object(Value& live, Value patch, const Schema& schema);

// Items with "$patch": deletions are made, "replace" empties the live list. What is left of the patch merges.
Result<void> apply_item_directives(Items& live, Items& patch, std::string_view key) {
  bool replace = false;
  Items plain;
  for (Value& item : patch) {
    const Value* directive = item.find(kDirective);
    if (directive == nullptr) {
      plain.push_back(std::move(item));
    } else if (*directive == Value("delete")) {
      STEAD_TRY_VOID(check_merge_key({item}, key));
      std::erase_if(live, [&](const Value& one) { return one.at(key) == item.at(key); });
    } else if (*directive == Value("replace")) {
      replace = true;
    } else if (*directive == Value("merge")) {
      return bad("merging lists cannot yet be specified in the patch");
    } else {
      return bad_directive(*directive, item);
    }
  }
  if (replace) live.clear();
  patch = std::move(plain);
  return {};
}

Result<Items> merge_items(Items live, Items& patch, const Schema& schema) {
  const std::string_view key = schema.merge_key();
  for (const Value& item : patch) {
    ptrdiff_t at = index_of(live, item, key);
    if (at >= 0) {
      STEAD_TRY_VOID(merge_object(live[static_cast<size_t>(at)], item, schema.element()));
    } else {
      Value fresh = item;
      if (strip(fresh)) live.push_back(std::move(fresh));
    }
  }
  return live;
}

// `live` and `patch` as one list of a field that merges.
Result<Items> merge_list(Items live, Items patch, const Schema& schema) {
  STEAD_TRY(kind, item_kind(live, patch));
  if (kind == Value::Kind::kNull) return live;
  const std::string_view key = schema.merge_key();
  if (kind != Value::Kind::kObject) {
    Items merged = live;
    merged.insert(merged.end(), patch.begin(), patch.end());
    drop_duplicates(merged);
    return order_merged(std::move(merged), patch, live, {});
  }
  if (key.empty()) return bad("cannot merge lists without merge key");
  STEAD_TRY_VOID(apply_item_directives(live, patch, key));
  STEAD_TRY_VOID(check_merge_key(live, key));
  STEAD_TRY_VOID(check_merge_key(patch, key));
  STEAD_TRY(merged, merge_items(live, patch, schema));
  return order_merged(std::move(merged), patch, live, key);
}

// Items of the patch must stand in the order that $setElementOrder gives, and be named there.
Result<void> check_order(const Items& patch, const Items& order, std::string_view key) {
  if (patch.empty() || order.empty()) return {};
  size_t at = 0;
  for (const Value& item : patch) {
    if (item.find(kDirective) != nullptr) continue;
    if (!key.empty()) STEAD_TRY_VOID(check_merge_key({item}, key));
    while (at < order.size() && index_of({order[at]}, item, key) < 0) ++at;
    if (at++ == order.size()) {
      return bad("The order in patch list:\n" + to_json(Value::array(patch)) +
                 "\n doesn't match $setElementOrder list:\n" + to_json(Value::array(order)) + "\n");
    }
  }
  return {};
}

Result<Items> list_of(const Value* value) {
  if (value == nullptr) return Items();
  if (!value->is_array()) return bad("expected a list, but received " + to_json(*value));
  return Items(value->items().begin(), value->items().end());
}

// One $setElementOrder/<name>: merges the patch's list of that name, if any, and puts the result in order.
Result<void> apply_element_order(Value& live, Value& patch, std::string_view name, const Value& order_value,
                                 const Schema& schema) {
  if (!order_value.is_array()) return bad_element_order();
  const Schema member = schema.member(name);
  if (member.field == nullptr && schema.message() != nullptr) {
    return bad("unable to find api field in struct " + std::string(schema.message()->name) + " for the json field " +
               quote(name));
  }
  STEAD_TRY(order, list_of(&order_value));
  STEAD_TRY(live_items, list_of(live.find(name)));
  const Value* patch_list = patch.find(name);
  // A null deletes the list; there is nothing to order.
  if (patch_list != nullptr && patch_list->is_null()) return {};
  STEAD_TRY(patch_items, list_of(patch_list));
  const std::string_view key = member.merge_key();
  if (!key.empty()) STEAD_TRY_VOID(check_merge_key(order, key));
  STEAD_TRY_VOID(check_order(patch_items, order, key));
  const bool found_live = live.find(name) != nullptr;
  if (!found_live && patch_list == nullptr) return {};
  Items merged = live_items;
  if (patch_list != nullptr && !found_live) {
    merged = std::move(patch_items);
    std::erase_if(merged, [](Value& item) { return !strip(item); });
  } else if (patch_list != nullptr) {
    if (member.merges()) {
      STEAD_TRY(both, merge_list(live_items, std::move(patch_items), member));
      merged = std::move(both);
    } else {
      merged = std::move(patch_items);
    }
  }
  if (!key.empty()) {
    STEAD_TRY_VOID(check_merge_key(merged, key));
    STEAD_TRY_VOID(check_merge_key(live_items, key));
  }
  live.set(name, Value::array(order_merged(std::move(merged), order, live_items, key)));
  patch.erase(name);
  return {};
}

Result<void> apply_retain_keys(Value& live, const Value& patch, const Value& keys) {
  if (!keys.is_array()) return bad_retain_keys();
  auto retained = [&](std::string_view name) {
    return std::any_of(keys.items().begin(), keys.items().end(), [&](const Value& key) { return key == Value(name); });
  };
  for (const Member& member : patch.members()) {
    if (member.value.is_null() || is_directive(member.name())) continue;
    if (!retained(member.name())) return bad_retain_keys();
  }
  std::erase_if(live.mutable_members(), [&](const Member& member) { return !retained(member.name()); });
  return {};
}

Result<void> delete_from_list(Value& live, std::string_view name, const Value& unwanted) {
  if (unwanted.is_null()) return {};
  STEAD_TRY(gone, list_of(&unwanted));
  Value* found = live.find(name);
  if (found == nullptr) return {};
  if (!found->is_array()) return bad_primitive_list();
  std::erase_if(found->mutable_items(), [&](const Value& item) { return index_of(gone, item, {}) >= 0; });
  return {};
}

Result<void> merge_member(Value& live, std::string_view name, Value patch, const Schema& schema) {
  if (patch.is_null()) {
    live.erase(name);
    return {};
  }
  const Schema member = schema.member(name);
  Value* found = live.find(name);
  if (found != nullptr && found->is_object() && patch.is_object() && !member.replaces()) {
    return merge_object(*found, std::move(patch), member);
  }
  if (found != nullptr && found->is_array() && patch.is_array() && member.merges()) {
    STEAD_TRY(live_items, list_of(found));
    STEAD_TRY(patch_items, list_of(&patch));
    STEAD_TRY(merged, merge_list(std::move(live_items), std::move(patch_items), member));
    *found = Value::array(std::move(merged));
    return {};
  }
  if (strip(patch)) {
    live.set(name, std::move(patch));
  } else {
    live.erase(name);
  }
  return {};
}

Result<void> merge_object(Value& live, Value patch, const Schema& schema) {
  if (const Value* directive = patch.find(kDirective)) {
    if (*directive == Value("replace")) {
      patch.erase(kDirective);
      strip(patch);
      live = std::move(patch);
      return {};
    }
    if (!(*directive == Value("delete"))) return bad_directive(*directive, patch);
    live = Value::object();
    return {};
  }
  if (!live.is_object()) live = Value::object();
  if (const Value* keys = patch.find(kRetainKeys)) STEAD_TRY_VOID(apply_retain_keys(live, patch, *keys));
  std::vector<std::pair<std::string, Value>> orders;
  for (const Member& member : patch.members()) {
    if (member.name().starts_with(kElementOrder)) {
      orders.emplace_back(member.name().substr(kElementOrder.size()), member.value);
    }
  }
  for (const auto& [name, order] : orders) STEAD_TRY_VOID(apply_element_order(live, patch, name, order, schema));
  for (const Member& member : patch.members()) {
    if (!member.name().starts_with(kDeleteFromList)) continue;
    STEAD_TRY_VOID(delete_from_list(live, member.name().substr(kDeleteFromList.size()), member.value));
  }
  for (Member& member : patch.mutable_members()) {
    if (is_directive(member.name())) continue;
    STEAD_TRY_VOID(merge_member(live, member.name(), std::move(member.value), schema));
  }
  return {};
}

}  // namespace

Result<void> apply_strategic_merge_patch(Value& target, const Value& patch, const Message& message) {
  if (!patch.is_object()) return bad("invalid JSON document");
  Value changed = target;
  const TypeRef type{Type::kMessage, &message, nullptr};
  STEAD_TRY_VOID(merge_object(changed, patch, {&type, nullptr}));
  target = std::move(changed);
  return {};
}

}  // namespace stead::object
