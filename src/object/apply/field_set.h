#pragma once

// FieldSet: a set of field paths, held as the tree that FieldsV1 writes. A member of the tree is named by a path
// element ("f:spec", "k:{\"name\":\"web\"}", "v:\"finalizer\"", "i:0"); {} means that the path itself is in the set,
// "." says so beside deeper members. Members stand in the order of their names. Equal trees are shared among
// all objects of the process as far as a bounded pool remembers them, so that a thousand pods of one set keep one copy.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "object/value.h"

namespace stead::object {

class FieldSet {
 public:
  FieldSet() = default;
  // Any thread. kBadRequest on names that are no path elements.
  static Result<FieldSet> from_fields_v1(const Value& fields);
  // For trees that this process has made: sorted and valid.
  static FieldSet from_tree(Value tree);

  bool empty() const { return tree_.empty(); }
  // The FieldsV1 form; its content is shared.
  const Value& fields_v1() const { return tree_; }

  FieldSet united(const FieldSet& other) const;
  FieldSet without(const FieldSet& other) const;
  FieldSet common(const FieldSet& other) const;
  // Each path of the set as messages spell it: `.spec.containers[name="web"].image`.
  void visit(const std::function<void(const std::string& path)>& visitor) const;

  friend bool operator==(const FieldSet& a, const FieldSet& b) { return a.tree_ == b.tree_; }

 private:
  explicit FieldSet(Value tree) : tree_(std::move(tree)) {}
  Value tree_ = Value::object();
};

// The parts of a tree's node: whether its own path is in the set, and what lies below.
namespace field_tree {

inline constexpr std::string_view kSelf = ".";

bool is_member(const Value& node);  // of a node below the root
// A node of sorted members; null where there is neither. Shared.
Value make_node(std::vector<Member> children, bool member);
const Value& leaf();
// "f:<name>". `lasting`: names of descriptors that live for ever are kept once.
Value field_element(std::string_view name, bool lasting);
// The text of a node's name in a path: `.spec`, `[name="web"]`.
std::string path_text(std::string_view element);

}  // namespace field_tree

// Gives the managedFields of a document that was read as text the same sharing as those made here.
void share_managed_fields(Value& document);

}  // namespace stead::object
