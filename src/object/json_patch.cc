#include <algorithm>
#include <charconv>

#include "object/codec.h"
#include "object/patch.h"
#include "object/quote.h"

namespace stead::object {
namespace {

constexpr size_t kOperationsMax = 10'000;
// Copies can double a document; kube-apiserver bounds their sum by its request limit.
constexpr size_t kCopiedBytesMax = 3 * 1024 * 1024;

using Tokens = std::vector<std::string>;

// RFC 6901. False where `text` is no pointer.
bool parse_pointer(std::string_view text, Tokens& tokens) {
  if (text.empty()) return true;
  if (text[0] != '/') return false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '/') {
      tokens.emplace_back();
    } else if (c != '~') {
      tokens.back() += c;
    } else if (++i < text.size() && (text[i] == '0' || text[i] == '1')) {
      tokens.back() += text[i] == '0' ? '~' : '/';
    } else {
      return false;
    }
  }
  return true;
}

// An index below `end`, by RFC 6901's grammar: digits without a leading zero.
bool parse_index(std::string_view token, size_t end, size_t& index) {
  if (token.empty() || (token.size() > 1 && token[0] == '0')) return false;
  auto [stop, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  return error == std::errc() && stop == token.data() + token.size() && index < end;
}

Value* step_into(Value& value, const std::string& token) {
  if (value.is_object()) return value.find(token);
  size_t index = 0;
  if (value.is_array() && parse_index(token, value.size(), index)) return &value.mutable_items()[index];
  return nullptr;
}

// The value at the first `count` tokens, or nullptr.
Value* walk(Value& root, const Tokens& tokens, size_t count) {
  Value* at = &root;
  for (size_t i = 0; i < count && at != nullptr; ++i) at = step_into(*at, tokens[i]);
  return at;
}

struct Operation {
  std::string_view name;
  std::string_view path_text;
  Tokens path;
  std::string_view from_text;
  Tokens from;
  const Value* value = nullptr;
};

Error malformed(size_t index, const std::string& what) {
  return make_error(Reason::kBadRequest, "json patch operation " + std::to_string(index) + ": " + what);
}

Error inapplicable(const Operation& operation, std::string_view what, std::string_view path) {
  return make_error(Reason::kInvalid, std::string(operation.name) + " operation does not apply: " + std::string(what) +
                                          ": " + quote(path));
}

Result<Operation> read_operation(const Value& text, size_t index) {
  if (!text.is_object()) return malformed(index, "must be an object");
  Operation operation;
  const Value* name = text.find("op");
  if (name == nullptr || !name->is_string()) return malformed(index, "needs a text \"op\"");
  operation.name = name->as_string();
  constexpr std::string_view kNames[] = {"add", "remove", "replace", "move", "copy", "test"};
  if (std::find(std::begin(kNames), std::end(kNames), operation.name) == std::end(kNames)) {
    return malformed(index, "unexpected kind: " + std::string(operation.name));
  }
  const Value* path = text.find("path");
  if (path == nullptr || !path->is_string()) return malformed(index, "needs a text \"path\"");
  operation.path_text = path->as_string();
  if (!parse_pointer(operation.path_text, operation.path)) {
    return malformed(index, "\"path\" is no JSON pointer: " + quote(operation.path_text));
  }
  if (operation.name == "move" || operation.name == "copy") {
    const Value* from = text.find("from");
    if (from == nullptr || !from->is_string()) return malformed(index, "needs a text \"from\"");
    operation.from_text = from->as_string();
    if (!parse_pointer(operation.from_text, operation.from)) {
      return malformed(index, "\"from\" is no JSON pointer: " + quote(operation.from_text));
    }
  } else if (operation.name != "remove") {
    operation.value = text.find("value");
    if (operation.value == nullptr) return malformed(index, "needs a \"value\"");
  }
  return operation;
}

Result<void> add(Value& root, const Operation& operation, Value value) {
  if (operation.path.empty()) {
    root = std::move(value);
    return {};
  }
  Value* parent = walk(root, operation.path, operation.path.size() - 1);
  const std::string& last = operation.path.back();
  if (parent != nullptr && parent->is_object()) {
    parent->set(last, std::move(value));
    return {};
  }
  if (parent == nullptr || !parent->is_array()) {
    return inapplicable(operation, "doc is missing path", operation.path_text);
  }
  auto& items = parent->mutable_items();
  size_t index = items.size();
  if (last != "-" && !parse_index(last, items.size() + 1, index)) {
    return inapplicable(operation, "invalid array index", operation.path_text);
  }
  items.insert(items.begin() + static_cast<ptrdiff_t>(index), std::move(value));
  return {};
}

Result<Value> remove(Value& root, const Operation& operation, const Tokens& path, std::string_view path_text) {
  Value* found = walk(root, path, path.size());
  if (found == nullptr) return inapplicable(operation, "doc is missing path", path_text);
  Value removed = std::move(*found);
  if (path.empty()) return removed;
  Value* parent = walk(root, path, path.size() - 1);
  if (parent->is_object()) {
    parent->erase(path.back());
  } else {
    auto& items = parent->mutable_items();
    items.erase(items.begin() + (found - items.data()));
  }
  return removed;
}

Result<void> test(Value& root, const Operation& operation) {
  Value* found = walk(root, operation.path, operation.path.size());
  if (found != nullptr && *found == *operation.value) return {};
  return make_error(Reason::kInvalid, "testing value " + std::string(operation.path_text) + " failed");
}

Result<void> move(Value& root, const Operation& operation) {
  const bool inside = operation.path.size() > operation.from.size() &&
                      std::equal(operation.from.begin(), operation.from.end(), operation.path.begin());
  if (inside) return inapplicable(operation, "a value cannot move into itself", operation.path_text);
  if (operation.path == operation.from) {
    return walk(root, operation.from, operation.from.size()) != nullptr
               ? Result<void>()
               : inapplicable(operation, "doc is missing path", operation.from_text);
  }
  STEAD_TRY(value, remove(root, operation, operation.from, operation.from_text));
  return add(root, operation, std::move(value));
}

Result<void> copy(Value& root, const Operation& operation, size_t& copied_bytes) {
  const Value* found = walk(root, operation.from, operation.from.size());
  if (found == nullptr) return inapplicable(operation, "doc is missing path", operation.from_text);
  copied_bytes += found->heap_bytes() + sizeof(Value);
  if (copied_bytes > kCopiedBytesMax) {
    return make_error(Reason::kInvalid, "Unable to complete the copy, the accumulated size increase of copy is " +
                                            std::to_string(copied_bytes) + ", exceeding the limit " +
                                            std::to_string(kCopiedBytesMax));
  }
  return add(root, operation, *found);
}

Result<void> apply(Value& root, const Operation& operation, size_t& copied_bytes) {
  if (operation.name == "test") return test(root, operation);
  if (operation.name == "add") return add(root, operation, *operation.value);
  if (operation.name == "move") return move(root, operation);
  if (operation.name == "copy") return copy(root, operation, copied_bytes);
  if (operation.name == "remove") {
    STEAD_TRY(removed, remove(root, operation, operation.path, operation.path_text));
    return {};
  }
  Value* found = walk(root, operation.path, operation.path.size());
  if (found == nullptr) return inapplicable(operation, "doc is missing key", operation.path_text);
  *found = *operation.value;
  return {};
}

}  // namespace

Result<void> apply_json_patch(Value& target, const Value& patch) {
  if (!patch.is_array()) return make_error(Reason::kBadRequest, "a JSON patch must be an array of operations");
  if (patch.size() > kOperationsMax) {
    return make_error(Reason::kRequestEntityTooLarge,
                      "Request entity too large: The allowed maximum operations in a JSON patch is " +
                          std::to_string(kOperationsMax) + ", got " + std::to_string(patch.size()));
  }
  // All operations are read before the first is applied: a malformed patch is malformed whatever it meets.
  std::vector<Operation> operations;
  operations.reserve(patch.size());
  for (const Value& item : patch.items()) {
    STEAD_TRY(operation, read_operation(item, operations.size()));
    operations.push_back(std::move(operation));
  }
  Value changed = target;
  size_t copied_bytes = 0;
  for (const Operation& operation : operations) STEAD_TRY_VOID(apply(changed, operation, copied_bytes));
  target = std::move(changed);
  return {};
}

}  // namespace stead::object
