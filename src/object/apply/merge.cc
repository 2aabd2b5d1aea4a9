#include "object/apply/merge.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "object/codec.h"
#include "object/quote.h"

namespace stead::object {
namespace {

constexpr size_t kViolationsMax = 20;

using Items = std::vector<Value>;

struct Check {
  std::vector<std::string> violations;

  void add(const std::string& path, const std::string& what) {
    if (violations.size() < kViolationsMax) violations.push_back((path.empty() ? "." : path) + ": " + what);
  }

  void value(const Value& value, const Shape& shape, const std::string& path) {
    const Grain grain = shape.grain(value);
    if (grain == Grain::kSet || grain == Grain::kKeyedList) return list(value, shape, grain, path);
    if (value.is_array() && shape.type != nullptr && shape.type->type == Type::kList) {
      for (size_t i = 0; i < value.size(); ++i) {
        this->value(value.items()[i], shape.element(), path + "[" + std::to_string(i) + "]");
      }
      return;
    }
    if (!value.is_object() || shape.type == nullptr) return;
    const bool message = shape.type->type == Type::kMessage;
    const Grain inner = message ? Grain::kStruct : shape.type->type == Type::kMap ? Grain::kMap : Grain::kOpen;
    for (const Member& member : value.members()) {
      std::string here = path + "." + std::string(member.name());
      if (message && shape.type->message->find(member.name()) == nullptr) {
        if (!shape.type->message->open) add(here, "field not declared in schema");
        continue;
      }
      this->value(member.value, shape.member(member.name(), inner), here);
    }
  }

  void list(const Value& value, const Shape& shape, Grain grain, const std::string& path) {
    std::set<std::string, std::less<>> seen;
    size_t index = 0;
    for (const Value& item : value.items()) {
      Value element = item_element(item, shape);
      if (element.is_null()) {
        add(path, "element " + std::to_string(index) +
                      ": associative list with keys has an element that omits key field " +
                      quote(missing_key(item, shape)) + " (and doesn't have default value)");
      } else {
        std::string name = field_tree::path_text(element.as_string());
        if (!seen.insert(name).second) add(path, "duplicate entries for key " + name);
        if (grain == Grain::kKeyedList) this->value(item, shape.element(), path + name);
      }
      ++index;
    }
  }

  static std::string_view missing_key(const Value& item, const Shape& shape) {
    for (std::string_view key : shape.field->list_map_keys) {
      const Message* message = shape.type->element->message;
      const Field* declared = message == nullptr ? nullptr : message->find(key);
      if (item.find(key) == nullptr && (declared == nullptr || declared->default_value == nullptr)) return key;
    }
    return {};
  }
};

Value merge_value(const Value& live, const Value& wanted, const Shape& shape);

// What an item that is new brings along: nulls in it erase nothing.
void drop_nulls(Value& value) {
  if (value.is_object()) {
    std::erase_if(value.mutable_members(), [](const Member& member) { return member.value.is_null(); });
    for (Member& member : value.mutable_members()) drop_nulls(member.value);
  } else if (value.is_array()) {
    for (Value& item : value.mutable_items()) drop_nulls(item);
  }
}

Value merge_members(const Value& live, const Value& wanted, const Shape& shape, Grain grain) {
  Value merged = live;
  for (const Member& member : wanted.members()) {
    if (member.value.is_null()) {
      merged.erase(member.name());
      continue;
    }
    Shape inner = shape.member(member.name(), grain);
    const Value& before = live.at(member.name());
    if (!before.is_null() && before == member.value) continue;
    merged.set(member.name(), merge_value(before, member.value, inner));
  }
  return merged;
}

// Items by their elements, in order, each element once.
struct IndexedList {
  IndexedList(const Value& list, const Shape& shape) {
    for (const Value& item : list.items()) {
      Value element = item_element(item, shape);
      std::string name = element.is_null() ? "?" + std::to_string(order.size()) : std::string(element.as_string());
      if (items.emplace(name, &item).second) order.push_back(std::move(name));
    }
  }
  std::vector<std::string> order;
  std::unordered_map<std::string, const Value*> items;
};

// The order of both lists: shared items stand as in `wanted`; those only in `live` keep their place before the next
// shared one, as in structured-merge-diff.
Value merge_items(const Value& live, const Value& wanted, const Shape& shape, Grain grain) {
  IndexedList left(live, shape);
  IndexedList right(wanted, shape);
  std::vector<std::string_view> shared;
  for (const std::string& name : right.order) {
    if (left.items.contains(name)) shared.emplace_back(name);
  }
  Items merged;
  auto take = [&](const std::string& name) {
    auto before = left.items.find(name);
    auto after = right.items.find(name);
    if (after == right.items.end() || grain == Grain::kSet) {
      merged.push_back(after == right.items.end() ? *before->second : *after->second);
    } else {
      static const Value kNone;
      merged.push_back(
          merge_value(before == left.items.end() ? kNone : *before->second, *after->second, shape.element()));
    }
  };
  size_t next = 0;  // of `shared`
  size_t l = 0;
  size_t r = 0;
  while (l < left.order.size() || r < right.order.size()) {
    if (l < left.order.size() && r < right.order.size()) {
      const std::string& name = left.order[l];
      if (name == right.order[r]) {
        take(name);
        ++l;
        ++r;
        ++next;
        continue;
      }
      if (right.items.contains(name) && next < shared.size() && shared[next] != name) {
        ++l;
        continue;
      }
    }
    if (l < left.order.size() && !right.items.contains(left.order[l])) {
      take(left.order[l++]);
      continue;
    }
    if (r < right.order.size()) {
      const std::string& name = right.order[r++];
      take(name);
      if (next < shared.size() && shared[next] == name) ++next;
    } else {
      ++l;
    }
  }
  return Value::array(std::move(merged));
}

Value merge_value(const Value& live, const Value& wanted, const Shape& shape) {
  const Grain grain = shape.grain(wanted);
  if (grain == Grain::kLeaf || live.kind() != wanted.kind()) {
    Value fresh = wanted;
    drop_nulls(fresh);
    return fresh;
  }
  if (grain == Grain::kSet || grain == Grain::kKeyedList) return merge_items(live, wanted, shape, grain);
  return merge_members(live, wanted, shape, grain);
}

const Value* child(const Value* node, std::string_view element) {
  return node == nullptr ? nullptr : node->find(element);
}

// A declared field whose members are in a set counts as in it, an item or key only if the set says so.
bool was_member(const Value& last, bool named) { return named || field_tree::is_member(last); }

void remove_below(Value& value, const Value& last, const Value* owned, const Shape& shape);

// Whether the child goes altogether; otherwise what is inside has been seen to.
bool removed(Value& value, const Value& last, const Value* owned, const Shape& shape, bool named) {
  if (owned == nullptr && was_member(last, named)) return true;
  remove_below(value, last, owned, shape);
  return false;
}

void remove_below(Value& value, const Value& last, const Value* owned, const Shape& shape) {
  const Grain grain = shape.grain(value);
  if (grain == Grain::kLeaf) return;
  if (grain == Grain::kSet || grain == Grain::kKeyedList) {
    std::erase_if(value.mutable_items(), [&](Value& item) {
      Value element = item_element(item, shape);
      const Value* mine = element.is_null() ? nullptr : last.find(element.as_string());
      return mine != nullptr && removed(item, *mine, child(owned, element.as_string()), shape.element(), false);
    });
    return;
  }
  std::erase_if(value.mutable_members(), [&](Member& member) {
    std::string element = "f:" + std::string(member.name());
    const Value* mine = last.find(element);
    return mine != nullptr && removed(member.value, *mine, child(owned, element), shape.member(member.name(), grain),
                                      grain == Grain::kStruct);
  });
}

}  // namespace

std::vector<std::string> check_configuration(const Value& configuration, const Message& message) {
  const TypeRef type{Type::kMessage, &message, nullptr};
  Check check;
  check.value(configuration, {&type, nullptr, false}, {});
  return std::move(check.violations);
}

Value merge_configuration(const Value& live, const Value& configuration, const Message& message) {
  const TypeRef type{Type::kMessage, &message, nullptr};
  static const Value kEmpty = Value::object();
  return merge_value(live.is_null() ? kEmpty : live, configuration, {&type, nullptr, false});
}

void remove_given_up(Value& document, const FieldSet& last, const FieldSet& owned, const Message& message) {
  const TypeRef type{Type::kMessage, &message, nullptr};
  remove_below(document, last.fields_v1(), &owned.fields_v1(), {&type, nullptr, false});
}

}  // namespace stead::object
