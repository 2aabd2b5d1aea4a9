#include "object/apply/comparison.h"

#include <algorithm>

#include "object/codec.h"

namespace stead::object {
namespace {

using field_tree::field_element;
using field_tree::leaf;
using field_tree::make_node;

const Value kNothing;

// Names of descriptors live for ever; those of maps are a user's.
Value name_element(std::string_view name, Grain grain) { return field_element(name, grain == Grain::kStruct); }

void sort_by_name(std::vector<Member>& members) {
  auto by_name = [](const Member& a, const Member& b) { return a.name() < b.name(); };
  if (!std::is_sorted(members.begin(), members.end(), by_name)) std::sort(members.begin(), members.end(), by_name);
}

Value finished(std::vector<Member> children, bool member) {
  sort_by_name(children);
  return make_node(std::move(children), member);
}

// Go's encoder writes these though they are empty, so that they are never new: structs without pointer, and what is
// declared so.
bool always_there(const Shape& shape) {
  const Field* field = shape.field;
  if (field == nullptr) return false;
  return !field->omit_empty || field->required || (field->type.type == Type::kMessage && !field->pointer);
}

bool is_granular(Grain grain) { return grain != Grain::kLeaf; }
bool is_list(Grain grain) { return grain == Grain::kSet || grain == Grain::kKeyedList; }

Value fields_below(const Value& value, const Shape& shape, Grain grain, bool member);

Value fields_at(const Value& value, const Shape& shape, bool in_map) {
  const Grain grain = shape.grain(value);
  if (!is_granular(grain) || value.empty()) return leaf();
  return fields_below(value, shape, grain, in_map);
}

Value fields_below(const Value& value, const Shape& shape, Grain grain, bool member) {
  std::vector<Member> children;
  children.reserve(value.size() + 1);
  if (is_list(grain)) {
    for (const Value& item : value.items()) {
      Value element = item_element(item, shape);
      if (element.is_null()) continue;
      Value below = grain == Grain::kSet ? leaf() : fields_at(item, shape.element(), true);
      children.emplace_back(std::move(element), std::move(below));
    }
  } else {
    for (const Member& each : value.members()) {
      Shape inner = shape.member(each.name(), grain);
      children.emplace_back(name_element(each.name(), grain), fields_at(each.value, inner, grain != Grain::kStruct));
    }
  }
  sort_by_name(children);
  auto same = [](const Member& a, const Member& b) { return a.name() == b.name(); };
  children.erase(std::unique(children.begin(), children.end(), same), children.end());
  return make_node(std::move(children), member);
}

// All that is there of a value that is only on one side; containers are fields too.
Value everything_at(const Value& value, const Shape& shape) {
  const Grain grain = shape.grain(value);
  if (!is_granular(grain) || value.empty()) return leaf();
  std::vector<Member> children;
  children.reserve(value.size() + 1);
  if (is_list(grain)) {
    for (const Value& item : value.items()) {
      Value element = item_element(item, shape);
      if (element.is_null()) continue;
      children.emplace_back(std::move(element), grain == Grain::kSet ? leaf() : everything_at(item, shape.element()));
    }
  } else {
    for (const Member& each : value.members()) {
      children.emplace_back(name_element(each.name(), grain),
                            everything_at(each.value, shape.member(each.name(), grain)));
    }
  }
  sort_by_name(children);
  auto same = [](const Member& a, const Member& b) { return a.name() == b.name(); };
  children.erase(std::unique(children.begin(), children.end(), same), children.end());
  return make_node(std::move(children), !always_there(shape));
}

class Comparer {
 public:
  struct Sides {
    Value changed;
    Value removed;
  };

  Sides at(const Value& old, const Value& now, const Shape& shape) {
    if (old.is_null()) return {everything_at(now, shape), Value()};
    if (now.is_null()) return {Value(), everything_at(old, shape)};
    const Grain before = shape.grain(old);
    const Grain after = shape.grain(now);
    const bool both_empty = old.empty() && now.empty();
    if (before != after || !is_granular(after) || both_empty) return {leaf(), Value()};
    return is_list(after) ? items(old, now, shape, after) : members(old, now, shape, after);
  }

 private:
  struct Lists {
    std::vector<Member> changed;
    std::vector<Member> removed;

    void add(const Value& element, Sides sides) {
      if (!sides.changed.is_null()) changed.emplace_back(element, std::move(sides.changed));
      if (!sides.removed.is_null()) removed.emplace_back(element, std::move(sides.removed));
    }
    Sides finish() { return {finished(std::move(changed), false), finished(std::move(removed), false)}; }
  };

  Sides members(const Value& old, const Value& now, const Shape& shape, Grain grain) {
    Lists lists;
    auto left = old.members();
    size_t found = 0;
    for (size_t i = 0; i < now.members().size(); ++i) {
      const Member& member = now.members()[i];
      // Members mostly stand in the same order on both sides.
      const bool aligned = i < left.size() && left[i].name() == member.name();
      const Value* before = aligned ? &left[i].value : old.find(member.name());
      if (before != nullptr) ++found;
      if (before != nullptr && *before == member.value) continue;
      lists.add(name_element(member.name(), grain),
                at(before == nullptr ? kNothing : *before, member.value, shape.member(member.name(), grain)));
    }
    for (const Member& member : left) {
      if (found == left.size()) break;
      if (now.find(member.name()) != nullptr) continue;
      lists.add(name_element(member.name(), grain), at(member.value, kNothing, shape.member(member.name(), grain)));
    }
    return lists.finish();
  }

  // The items' elements in order, each with the index of its item.
  static std::vector<Member> by_element(const Value& list, const Shape& shape, std::vector<const Value*>& items) {
    std::vector<Member> elements;
    for (const Value& item : list.items()) {
      Value element = item_element(item, shape);
      if (element.is_null()) continue;
      elements.emplace_back(std::move(element), Value(static_cast<int64_t>(items.size())));
      items.push_back(&item);
    }
    auto by_name = [](const Member& a, const Member& b) { return a.name() < b.name(); };
    std::stable_sort(elements.begin(), elements.end(), by_name);
    // The first of equal items counts.
    auto same = [](const Member& a, const Member& b) { return a.name() == b.name(); };
    elements.erase(std::unique(elements.begin(), elements.end(), same), elements.end());
    return elements;
  }

  Sides items(const Value& old, const Value& now, const Shape& shape, Grain grain) {
    std::vector<const Value*> old_items;
    std::vector<const Value*> now_items;
    std::vector<Member> left = by_element(old, shape, old_items);
    std::vector<Member> right = by_element(now, shape, now_items);
    Lists lists;
    auto item = [](const std::vector<const Value*>& all, const Member& place) -> const Value& {
      return *all[static_cast<size_t>(place.value.as_int())];
    };
    auto one_side = [&](const Value& value) {
      return grain == Grain::kSet ? leaf() : everything_at(value, shape.element());
    };
    for (size_t i = 0, j = 0; i < left.size() || j < right.size();) {
      const int order = i == left.size() ? 1 : j == right.size() ? -1 : left[i].name().compare(right[j].name());
      if (order < 0) {
        lists.add(Value(left[i].name()), {Value(), one_side(item(old_items, left[i]))});
        ++i;
      } else if (order > 0) {
        lists.add(Value(right[j].name()), {one_side(item(now_items, right[j])), Value()});
        ++j;
      } else {
        const Value& before = item(old_items, left[i++]);
        const Value& after = item(now_items, right[j++]);
        if (grain == Grain::kSet || before == after) continue;
        lists.add(Value(right[j - 1].name()), at(before, after, shape.element()));
      }
    }
    return lists.finish();
  }
};

}  // namespace

Grain Shape::grain(const Value& value) const {
  if (type == nullptr) return separable && value.is_object() ? Grain::kOpen : Grain::kLeaf;
  switch (type->type) {
    case Type::kMessage:
      if (!value.is_object() || type->message->atomic || (field != nullptr && field->atomic)) return Grain::kLeaf;
      return Grain::kStruct;
    case Type::kMap:
      return value.is_object() && !(field != nullptr && field->atomic) ? Grain::kMap : Grain::kLeaf;
    case Type::kList:
      if (!value.is_array() || field == nullptr) return Grain::kLeaf;
      if (field->list_type == ListType::kSet) return Grain::kSet;
      return field->list_type == ListType::kMap ? Grain::kKeyedList : Grain::kLeaf;
    case Type::kRaw:
      return type->separable && value.is_object() ? Grain::kOpen : Grain::kLeaf;
    default:
      return Grain::kLeaf;
  }
}

Shape Shape::member(std::string_view name, Grain grain) const {
  if (grain == Grain::kStruct) {
    const Field* found = type->message->find(name);
    if (found != nullptr) return {&found->type, found, false};
    return {nullptr, nullptr, type->message->open};
  }
  if (grain == Grain::kMap) return {type->element, nullptr, false};
  return {nullptr, nullptr, true};
}

Shape Shape::element() const { return {type->element, nullptr, false}; }

Value item_element(const Value& item, const Shape& list) {
  std::string text;
  if (list.field->list_type == ListType::kSet) {
    text = "v:";
    append_json(item, text);
    return Value(text);
  }
  const Message* message = list.type->element->type == Type::kMessage ? list.type->element->message : nullptr;
  text = "k:{";
  // FieldsV1 writes keys in the order of their names.
  std::vector<std::string_view> keys = list.field->list_map_keys;
  std::sort(keys.begin(), keys.end());
  for (std::string_view key : keys) {
    const Value* value = item.find(key);
    if (value == nullptr && message != nullptr) {
      const Field* declared = message->find(key);
      if (declared != nullptr) value = declared->default_value;
    }
    if (value == nullptr) return Value();
    if (text.size() > 3) text += ',';
    append_json(Value(key), text);
    text += ':';
    append_json(*value, text);
  }
  return Value(text + "}");
}

FieldSet fields_of(const Value& value, const Message& message) {
  const TypeRef type{Type::kMessage, &message, nullptr};
  const Shape shape{&type, nullptr, false};
  return FieldSet::from_tree(fields_below(value, shape, Grain::kStruct, false));
}

Comparison compare_fields(const Value& old, const Value& now, const Message& message) {
  const TypeRef type{Type::kMessage, &message, nullptr};
  const Shape shape{&type, nullptr, false};
  static const Value kEmpty = Value::object();
  if (old == now || (old.empty() && now.empty())) return {};
  auto sides = Comparer().at(old.is_null() ? kEmpty : old, now, shape);
  return {FieldSet::from_tree(std::move(sides.changed)), FieldSet::from_tree(std::move(sides.removed))};
}

}  // namespace stead::object
