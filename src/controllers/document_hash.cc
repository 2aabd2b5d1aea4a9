#include "controllers/document_hash.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace stead::controllers {
namespace {

using object::Member;
using object::Value;

class Fnv1a {
 public:
  void add(const void* data, size_t size) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    for (size_t i = 0; i < size; ++i) hash_ = (hash_ ^ bytes[i]) * 16777619U;
  }
  void add(std::string_view text) {
    uint64_t size = text.size();
    add(&size, sizeof size);
    add(text.data(), text.size());
  }
  void add_kind(Value::Kind kind) {
    auto byte = static_cast<unsigned char>(kind);
    add(&byte, 1);
  }
  uint32_t hash() const { return hash_; }

 private:
  uint32_t hash_ = 2166136261U;
};

void add_document(Fnv1a& fnv, const Value& value) {
  fnv.add_kind(value.kind());
  switch (value.kind()) {
    case Value::Kind::kNull:
      break;
    case Value::Kind::kBool:
      fnv.add(value.as_bool() ? "t" : "f");
      break;
    case Value::Kind::kInt: {
      int64_t number = value.as_int();
      fnv.add(&number, sizeof number);
      break;
    }
    case Value::Kind::kDouble: {
      double number = value.as_double();
      fnv.add(&number, sizeof number);
      break;
    }
    case Value::Kind::kString:
      fnv.add(value.as_string());
      break;
    case Value::Kind::kArray:
      for (const Value& item : value.items()) add_document(fnv, item);
      break;
    case Value::Kind::kObject: {
      std::vector<const Member*> members;
      for (const Member& member : value.members()) members.push_back(&member);
      std::sort(members.begin(), members.end(), [](auto* a, auto* b) { return a->name() < b->name(); });
      for (const Member* member : members) {
        fnv.add(member->name());
        add_document(fnv, member->value);
      }
      break;
    }
  }
}

}  // namespace

uint32_t document_hash(const Value& document, int64_t salt) {
  Fnv1a fnv;
  add_document(fnv, document);
  if (salt > 0) fnv.add(&salt, sizeof salt);
  return fnv.hash();
}

std::string safe_name(uint32_t number) {
  constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  std::string name = std::to_string(number);
  for (char& digit : name) digit = kAlphabet[static_cast<unsigned char>(digit) % kAlphabet.size()];
  return name;
}

}  // namespace stead::controllers
