#include "object/apply/field_set.h"

#include <algorithm>

#include "object/apply/tree_pool.h"
#include "object/codec.h"
#include "object/quote.h"

namespace stead::object {

namespace field_tree {

bool is_member(const Value& node) {
  return node.empty() || (node.is_object() && node.members().front().name() == kSelf);
}

const Value& leaf() {
  static const Value kLeaf = Value::shared(Value::object());
  return kLeaf;
}

Value make_node(std::vector<Member> children, bool member) {
  if (children.empty()) return member ? leaf() : Value();
  if (member) children.insert(children.begin(), Member(Value(kSelf), leaf()));
  children.shrink_to_fit();
  Value node = Value::object();
  node.mutable_members() = std::move(children);
  return TreePool::process().share(std::move(node));
}

Value field_element(std::string_view name, bool lasting) {
  if (lasting) return TreePool::process().field_element(name);
  return Value("f:" + std::string(name));
}

std::string path_text(std::string_view element) {
  if (element.starts_with("f:")) return "." + std::string(element.substr(2));
  if (element.starts_with("i:")) return "[" + std::string(element.substr(2)) + "]";
  if (element.starts_with("v:")) return "[=" + std::string(element.substr(2)) + "]";
  Result<Value> keys = element.starts_with("k:") ? parse_json(element.substr(2)) : Result<Value>(Value());
  std::string text = "[";
  if (keys.ok()) {
    for (const Member& key : keys->members()) {
      if (text.size() > 1) text += ',';
      text.append(key.name()).append("=").append(to_json(key.value));
    }
  }
  return text + "]";
}

}  // namespace field_tree

namespace {

using field_tree::is_member;
using field_tree::kSelf;
using field_tree::make_node;

constexpr int kDepthMax = 100;

// The members of a node without its mark.
std::span<const Member> children(const Value& node) {
  auto members = node.members();
  if (!members.empty() && members.front().name() == kSelf) members = members.subspan(1);
  return members;
}

// Copying a Member copies a name; borrowed and short ones cost nothing.
enum class Operation : uint8_t { kUnite, kSubtract, kIntersect };

template <Operation kOperation>
Value combine(const Value& a, const Value& b, bool root);

template <Operation kOperation>
void combine_children(std::span<const Member> a, std::span<const Member> b, std::vector<Member>& out) {
  size_t i = 0;
  size_t j = 0;
  while (i < a.size() || j < b.size()) {
    const bool left = i < a.size();
    const bool right = j < b.size();
    const int order = !left ? 1 : !right ? -1 : a[i].name().compare(b[j].name());
    if (order == 0) {
      Value both = combine<kOperation>(a[i].value, b[j].value, false);
      if (!both.is_null()) {
        out.push_back(a[i]);
        out.back().value = std::move(both);
      }
      ++i;
      ++j;
    } else if (order < 0) {
      if (kOperation != Operation::kIntersect) out.push_back(a[i]);
      ++i;
    } else {
      if (kOperation == Operation::kUnite) out.push_back(b[j]);
      ++j;
    }
  }
}

template <Operation kOperation>
Value combine(const Value& a, const Value& b, bool root) {
  const bool same = a.shared_content() != nullptr && a.shared_content() == b.shared_content();
  if (same) return kOperation == Operation::kSubtract ? Value() : a;
  const bool in_a = !root && is_member(a);
  const bool in_b = !root && is_member(b);
  bool member = false;
  if (kOperation == Operation::kUnite) member = in_a || in_b;
  if (kOperation == Operation::kSubtract) member = in_a && !in_b;
  if (kOperation == Operation::kIntersect) member = in_a && in_b;
  std::vector<Member> out;
  out.reserve(a.size() + (kOperation == Operation::kUnite ? b.size() : 0));
  combine_children<kOperation>(children(a), children(b), out);
  return make_node(std::move(out), member);
}

bool is_element(std::string_view name) {
  if (name.starts_with("f:")) return true;  // of the name "" too
  return name.size() > 2 && name[1] == ':' && (name[0] == 'k' || name[0] == 'v' || name[0] == 'i');
}

Result<Value> checked(const Value& node, int depth) {
  if (!node.is_object() || depth > kDepthMax) return make_error(Reason::kBadRequest, "fieldsV1 must be nested objects");
  std::vector<Member> below;
  const bool root = depth == 0;  // which is in no set
  bool member = node.empty() && !root;
  for (const Member& child : node.members()) {
    if (child.name() == kSelf) {
      member = !root;
      continue;
    }
    if (!is_element(child.name())) {
      return make_error(Reason::kBadRequest, "fieldsV1: " + quote(child.name()) + " is no path element");
    }
    STEAD_TRY(inner, checked(child.value, depth + 1));
    below.emplace_back(Value(child.name()), std::move(inner));
  }
  auto by_name = [](const Member& a, const Member& b) { return a.name() < b.name(); };
  if (!std::is_sorted(below.begin(), below.end(), by_name)) std::sort(below.begin(), below.end(), by_name);
  return make_node(std::move(below), member);
}

void visit_node(const Value& node, const std::string& path, const std::function<void(const std::string&)>& visitor) {
  for (const Member& child : children(node)) {
    std::string here = path + field_tree::path_text(child.name());
    if (is_member(child.value)) visitor(here);
    visit_node(child.value, here, visitor);
  }
}

}  // namespace

FieldSet FieldSet::from_tree(Value tree) {
  if (tree.is_null()) return {};
  return FieldSet(TreePool::process().share(std::move(tree)));
}

Result<FieldSet> FieldSet::from_fields_v1(const Value& fields) {
  // Made here, and not changed since.
  if (fields.shared_content() != nullptr) return FieldSet(fields);
  STEAD_TRY(tree, checked(fields, 0));
  return from_tree(std::move(tree));
}

FieldSet FieldSet::united(const FieldSet& other) const {
  if (other.empty()) return *this;
  if (empty()) return other;
  return from_tree(combine<Operation::kUnite>(tree_, other.tree_, true));
}

FieldSet FieldSet::without(const FieldSet& other) const {
  if (empty() || other.empty()) return *this;
  return from_tree(combine<Operation::kSubtract>(tree_, other.tree_, true));
}

FieldSet FieldSet::common(const FieldSet& other) const {
  if (empty() || other.empty()) return {};
  return from_tree(combine<Operation::kIntersect>(tree_, other.tree_, true));
}

void FieldSet::visit(const std::function<void(const std::string& path)>& visitor) const {
  visit_node(tree_, {}, visitor);
}

void share_managed_fields(Value& document) {
  Value* metadata = document.find("metadata");
  Value* entries = metadata == nullptr ? nullptr : metadata->find("managedFields");
  if (entries == nullptr || !entries->is_array() || entries->shared_content() != nullptr) return;
  for (Value& entry : entries->mutable_items()) {
    Value* fields = entry.find("fieldsV1");
    if (fields == nullptr || fields->shared_content() != nullptr) continue;
    Result<FieldSet> set = FieldSet::from_fields_v1(*fields);
    if (set.ok()) *fields = set->fields_v1();
  }
  *entries = Value::shared(std::move(*entries));
}

}  // namespace stead::object
