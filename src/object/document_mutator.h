#pragma once

// Changes API documents as a person might: fields that their kinds declare come, go and change their values. For
// fuzzers of what takes whole requests; bytes alone would hardly ever make a second field.

#include <array>
#include <random>
#include <string>
#include <string_view>

#include "object/descriptor.h"
#include "object/value.h"

namespace stead::object {

class DocumentMutator {
 public:
  explicit DocumentMutator(uint64_t seed) : random_(seed) {}

  size_t below(size_t limit) { return limit == 0 ? 0 : random_() % limit; }
  bool one_in(size_t times) { return below(times) == 0; }

  // One change somewhere below `value`.
  void change(Value& value, const TypeRef& type) {
    if (one_in(40)) {
      value = any(type, 2);
      return;
    }
    if (type.type == Type::kMessage && value.is_object()) return change_message(value, *type.message);
    if (type.type == Type::kList && value.is_array()) return change_list(value, type);
    if (type.type == Type::kMap && value.is_object()) return change_map(value, type);
    value = any(type, 2);
  }

  // A value of the type, or now and then of another.
  Value any(const TypeRef& type, int depth) {
    if (one_in(60)) return scalar(static_cast<Type>(below(static_cast<size_t>(Type::kRaw))));
    switch (type.type) {
      case Type::kMessage: {
        Value made = Value::object();
        if (depth <= 0) return made;
        for (const Field& field : type.message->fields) {
          if (field.required || field.schema_required || one_in(4)) made.set(field.name, of_field(field, depth - 1));
        }
        return made;
      }
      case Type::kList: {
        Value made = Value::array();
        for (size_t left = depth <= 0 ? 0 : 1 + below(2); left > 0; --left) made.append(any(*type.element, depth - 1));
        return made;
      }
      case Type::kMap: {
        Value made = Value::object();
        if (depth > 0) made.set(text(), any(*type.element, depth - 1));
        return made;
      }
      default:
        return scalar(type.type);
    }
  }

  Value of_field(const Field& field, int depth) {
    if (!field.enum_values.empty() && !one_in(10)) return field.enum_values[below(field.enum_values.size())];
    if ((field.has_minimum || field.has_maximum) && one_in(2)) {
      return field.has_maximum && one_in(2) ? field.maximum + static_cast<int64_t>(below(2))
                                            : field.minimum - static_cast<int64_t>(below(2));
    }
    return any(field.type, depth);
  }

  std::string_view text() {
    static constexpr auto kTexts = std::to_array<std::string_view>({"",
                                                                    "a",
                                                                    "b",
                                                                    "default",
                                                                    "web-0",
                                                                    "x-1",
                                                                    "kube-system",
                                                                    "10.0.0.1",
                                                                    "10.0.0.0/8",
                                                                    "fd00::1",
                                                                    "fd00::/64",
                                                                    "/",
                                                                    "/data",
                                                                    "/a/../b",
                                                                    "http",
                                                                    "https",
                                                                    "TCP",
                                                                    "UDP",
                                                                    "Always",
                                                                    "Never",
                                                                    "8080",
                                                                    "0",
                                                                    "-1",
                                                                    "1",
                                                                    "100%",
                                                                    "50%",
                                                                    "v1",
                                                                    "apps/v1",
                                                                    "nginx:1",
                                                                    "100m",
                                                                    "1Gi",
                                                                    "1e400",
                                                                    "1s",
                                                                    "2026-01-01T00:00:00Z",
                                                                    "node-a",
                                                                    "x=1",
                                                                    "a in (b)",
                                                                    "example.com",
                                                                    "example.com/x",
                                                                    "*.example.com",
                                                                    "kubernetes.io/hostname",
                                                                    "Exists",
                                                                    "In",
                                                                    "NotIn",
                                                                    "NoSchedule",
                                                                    "$(A)",
                                                                    "UPPER",
                                                                    "a b",
                                                                    "a_b",
                                                                    "\xc3\xa9",
                                                                    "Pod",
                                                                    "Node",
                                                                    "pods",
                                                                    "*",
                                                                    "get",
                                                                    "cpu",
                                                                    "memory",
                                                                    "pods.example.com",
                                                                    "ReadWriteOnce",
                                                                    "0 * * * *",
                                                                    "@every 1s",
                                                                    "[",
                                                                    "^a$",
                                                                    ".spec.replicas",
                                                                    "YQ==",
                                                                    "Namespaced",
                                                                    "object",
                                                                    "string"});
    return one_in(30) ? long_text_ : kTexts[below(kTexts.size())];
  }

 private:
  Value scalar(Type type) {
    static constexpr auto kNumbers = std::to_array<int64_t>(
        {0, 1, -1, 2, 3, 80, 443, 1000, 8080, 65535, 65536, 2147483647, -2147483648, 4294967296, INT64_MAX, INT64_MIN});
    switch (type) {
      case Type::kBool:
        return one_in(2);
      case Type::kInt32:
        return kNumbers[below(13)];
      case Type::kInt64:
        return kNumbers[below(kNumbers.size())];
      case Type::kDouble:
        return 0.5 * static_cast<double>(below(9));
      case Type::kIntOrString:
        if (one_in(2)) return kNumbers[below(12)];
        return text();
      case Type::kTime:
        return "2026-01-02T03:04:05Z";
      case Type::kMicroTime:
        return "2026-01-02T03:04:05.000006Z";
      case Type::kDuration:
        return one_in(2) ? "1h2m" : "-5s";
      case Type::kQuantity: {
        static constexpr auto kAmounts = std::to_array<std::string_view>(
            {"0", "1", "100m", "1Gi", "-1", "1.5", "2312.5Ki", "99999999999999999999", "1n"});
        return kAmounts[below(kAmounts.size())];
      }
      case Type::kBytes:
        return one_in(2) ? "YWJj" : "";
      case Type::kRaw:
        return Value::object({{text(), text()}});
      default:
        return text();
    }
  }

  void change_message(Value& value, const Message& message) {
    auto& members = value.mutable_members();
    size_t at = below(members.size() + 2);
    if (at >= members.size()) {
      if (message.fields.empty()) return;
      const Field& field = message.fields[below(message.fields.size())];
      if (field.name == "apiVersion" || field.name == "kind") return;
      return value.set(field.name, of_field(field, 3));
    }
    std::string name(members[at].name());
    const Field* field = message.find(name);
    if (name == "apiVersion" || name == "kind") return;
    if (field == nullptr || one_in(10)) {
      value.erase(name);
    } else if (members[at].value.is_object() || members[at].value.is_array()) {
      change(members[at].value, field->type);
    } else {
      members[at].value = of_field(*field, 2);
    }
  }

  void change_list(Value& value, const TypeRef& type) {
    auto& items = value.mutable_items();
    size_t at = below(items.size() + 1);
    if (at == items.size()) {
      // Often the same once more: that is what lists go wrong with.
      Value item = items.empty() || one_in(2) ? any(*type.element, 3) : items[below(items.size())];
      items.push_back(std::move(item));
    } else if (one_in(8)) {
      items.erase(items.begin() + static_cast<std::ptrdiff_t>(at));
    } else {
      change(items[at], *type.element);
    }
  }

  void change_map(Value& value, const TypeRef& type) {
    auto& members = value.mutable_members();
    size_t at = below(members.size() + 1);
    if (at == members.size()) return value.set(text(), any(*type.element, 2));
    if (one_in(8)) {
      value.erase(std::string(members[at].name()));
    } else {
      change(members[at].value, *type.element);
    }
  }

  std::mt19937_64 random_;
  const std::string long_text_ = std::string(300, 'a');
};

}  // namespace stead::object
