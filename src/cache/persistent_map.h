#pragma once

// An ordered map whose versions share structure: insert and erase give a new map and leave the old one as it was,
// copying only the path from the root (a treap; priorities come from the key's hash, so equal contents have equal
// shapes). Copying a map copies one pointer; readers on other threads keep any version as long as they like.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stead::cache {

template <class T>
class PersistentMap {
 public:
  PersistentMap() = default;

  // The map of `entries`, which must be in ascending order of distinct keys; takes linear time.
  static PersistentMap from_sorted(std::vector<std::pair<std::string, T>> entries) {
    // The spine is the path of right children from the root; priorities fall along it. A node that leaves the
    // spine is complete.
    std::vector<std::shared_ptr<Node>> spine;
    for (auto& [key, value] : entries) {
      size_t priority = std::hash<std::string>{}(key);
      auto node = std::make_shared<Node>(Node{std::move(key), std::move(value), priority, 1, nullptr, nullptr});
      while (!spine.empty() && spine.back()->priority < priority) node->left = pop_complete(spine);
      spine.push_back(std::move(node));
    }
    NodePtr root;
    while (!spine.empty()) root = pop_complete(spine);
    return PersistentMap(std::move(root));
  }

  // Whether both are the same version or have equal shapes, keys and values.
  friend bool operator==(const PersistentMap& a, const PersistentMap& b) { return equal(a.root_, b.root_); }

  size_t size() const { return root_ ? root_->size : 0; }
  bool empty() const { return !root_; }

  // nullptr if absent; valid while any version that holds the key lives.
  const T* find(std::string_view key) const {
    const Node* node = root_.get();
    while (node != nullptr) {
      int order = key.compare(node->key);
      if (order == 0) return &node->value;
      node = (order < 0 ? node->left : node->right).get();
    }
    return nullptr;
  }

  [[nodiscard]] PersistentMap insert(std::string key, T value) const {
    size_t priority = std::hash<std::string>{}(key);
    return PersistentMap(insert(root_, std::move(key), priority, std::move(value)));
  }
  [[nodiscard]] PersistentMap erase(std::string_view key) const { return PersistentMap(erase(root_, key)); }

  // Calls visit(key, value) in order from the first key >= `from` until it returns false.
  template <class Visit>
  void visit_from(std::string_view from, Visit&& visit) const {
    visit_node(root_.get(), from, visit);
  }
  // The same for keys that start with `prefix`.
  template <class Visit>
  void visit_prefix(std::string_view prefix, Visit&& visit) const {
    visit_from(prefix, [&](const std::string& key, const T& value) {
      if (!std::string_view(key).starts_with(prefix)) return false;
      return static_cast<bool>(visit(key, value));
    });
  }

 private:
  struct Node;
  using NodePtr = std::shared_ptr<const Node>;
  struct Node {
    std::string key;
    T value;
    size_t priority;
    size_t size;
    NodePtr left;
    NodePtr right;
  };

  explicit PersistentMap(NodePtr root) : root_(std::move(root)) {}

  // Takes the last node off the spine and hangs it below the one before.
  static NodePtr pop_complete(std::vector<std::shared_ptr<Node>>& spine) {
    std::shared_ptr<Node> node = std::move(spine.back());
    spine.pop_back();
    node->size = 1 + count(node->left) + count(node->right);
    if (!spine.empty()) spine.back()->right = node;
    return node;
  }

  static bool equal(const NodePtr& a, const NodePtr& b) {
    if (a == b) return true;
    return a && b && a->size == b->size && a->key == b->key && a->value == b->value && equal(a->left, b->left) &&
           equal(a->right, b->right);
  }

  static size_t count(const NodePtr& node) { return node ? node->size : 0; }

  static NodePtr make(const NodePtr& like, NodePtr left, NodePtr right) {
    size_t size = 1 + count(left) + count(right);
    return std::make_shared<const Node>(
        Node{like->key, like->value, like->priority, size, std::move(left), std::move(right)});
  }

  static NodePtr insert(const NodePtr& node, std::string key, size_t priority, T value) {
    if (!node)
      return std::make_shared<const Node>(Node{std::move(key), std::move(value), priority, 1, nullptr, nullptr});
    int order = key.compare(node->key);
    if (order == 0) {
      return std::make_shared<const Node>(
          Node{std::move(key), std::move(value), priority, node->size, node->left, node->right});
    }
    if (order < 0) {
      NodePtr left = insert(node->left, std::move(key), priority, std::move(value));
      if (left->priority > node->priority) return make(left, left->left, make(node, left->right, node->right));
      return make(node, std::move(left), node->right);
    }
    NodePtr right = insert(node->right, std::move(key), priority, std::move(value));
    if (right->priority > node->priority) return make(right, make(node, node->left, right->left), right->right);
    return make(node, node->left, std::move(right));
  }

  static NodePtr join(const NodePtr& left, const NodePtr& right) {
    if (!left) return right;
    if (!right) return left;
    if (left->priority > right->priority) return make(left, left->left, join(left->right, right));
    return make(right, join(left, right->left), right->right);
  }

  static NodePtr erase(const NodePtr& node, std::string_view key) {
    if (!node) return nullptr;
    int order = key.compare(node->key);
    if (order == 0) return join(node->left, node->right);
    if (order < 0) {
      NodePtr left = erase(node->left, key);
      return left == node->left ? node : make(node, std::move(left), node->right);
    }
    NodePtr right = erase(node->right, key);
    return right == node->right ? node : make(node, node->left, std::move(right));
  }

  template <class Visit>
  static bool visit_node(const Node* node, std::string_view from, Visit& visit) {
    if (node == nullptr) return true;
    if (from.compare(node->key) <= 0) {
      if (!visit_node(node->left.get(), from, visit)) return false;
      if (!visit(node->key, node->value)) return false;
    }
    return visit_node(node->right.get(), from, visit);
  }

  NodePtr root_;
};

}  // namespace stead::cache
