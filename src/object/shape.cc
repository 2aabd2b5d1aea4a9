#include <algorithm>
#include <charconv>

#include "object/base64.h"
#include "object/codec.h"
#include "object/quantity.h"
#include "object/quote.h"
#include "object/time.h"

namespace stead::object {
namespace {

constexpr size_t kStrictErrorsMax = 100;

std::string go_type(const TypeRef& type) {
  switch (type.type) {
    case Type::kString:
      return "string";
    case Type::kBool:
      return "bool";
    case Type::kInt32:
      return "int32";
    case Type::kInt64:
      return "int64";
    case Type::kDouble:
      return "float64";
    case Type::kBytes:
      return "[]uint8";
    case Type::kTime:
    case Type::kMicroTime:
    case Type::kDuration:
    case Type::kQuantity:
    case Type::kRaw:
      return "string";
    case Type::kIntOrString:
      return "int32";
    case Type::kMessage: {
      std::string_view package = type.message->package;
      std::string text(package.substr(package.rfind('.') + 1));
      if (!text.empty()) text += '.';
      return text + std::string(type.message->name);
    }
    case Type::kList:
      return "[]" + go_type(*type.element);
    case Type::kMap:
      return "map[string]" + go_type(*type.element);
  }
  return "";
}

std::string json_kind(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      return "null";
    case Value::Kind::kBool:
      return "bool";
    case Value::Kind::kInt:
    case Value::Kind::kDouble:
      return "number";
    case Value::Kind::kString:
      return "string";
    case Value::Kind::kArray:
      return "array";
    case Value::Kind::kObject:
      return "object";
  }
  return "";
}

Value zero_of(const TypeRef& type) {
  switch (type.type) {
    case Type::kBool:
      return false;
    case Type::kInt32:
    case Type::kInt64:
    case Type::kDouble:
    case Type::kIntOrString:
      return 0;
    case Type::kQuantity:
      return "0";
    case Type::kDuration:
      return "0s";
    case Type::kString:
      return "";
    case Type::kMessage:
      return Value::object();
    case Type::kBytes:
    case Type::kTime:
    case Type::kMicroTime:
    case Type::kRaw:
    case Type::kList:
    case Type::kMap:
      break;
  }
  return {};
}

bool is_zero(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      return true;
    case Value::Kind::kBool:
      return !value.as_bool();
    case Value::Kind::kInt:
    case Value::Kind::kDouble:
      return value.as_double() == 0;
    case Value::Kind::kString:
      return value.as_string().empty();
    case Value::Kind::kArray:
    case Value::Kind::kObject:
      return value.empty();
  }
  return false;
}

// Where the walk is: the names of the members above, indexes of lists in between.
struct Step {
  const Step* parent = nullptr;
  std::string_view name;
  size_t index = 0;
  enum class Kind : uint8_t { kField, kKey, kIndex } kind = Kind::kField;
  const Message* message = nullptr;  // of a field

  // "spec.containers[0].image", as strict decoding spells it.
  std::string strict_path() const {
    std::string text = parent == nullptr ? std::string() : parent->strict_path();
    if (kind == Kind::kIndex) return text + "[" + std::to_string(index) + "]";
    if (!text.empty()) text += '.';
    return text + std::string(name);
  }
  // "spec.containers.image", as Go's decoder spells it: it knows fields only.
  std::string field_path() const {
    std::string text = parent == nullptr ? std::string() : parent->field_path();
    if (kind != Kind::kField) return text;
    if (!text.empty()) text += '.';
    return text + std::string(name);
  }
  const Message* innermost() const { return message != nullptr || parent == nullptr ? message : parent->innermost(); }
};

class Shaper {
 public:
  Shaper(StrictErrors* strict, Extent extent) : strict_(strict), extent_(extent) {}

  Result<void> message(Value& value, const Message& message, const Step* at);

 private:
  Result<void> any(Value& value, const TypeRef& type, const Step* at);
  Result<void> scalar(Value& value, const TypeRef& type, const Step* at);
  Result<void> list(Value& value, const TypeRef& type, const Step* at);
  Result<void> map(Value& value, const TypeRef& type, const Step* at);
  Result<void> integer(Value& value, const TypeRef& type, const Step* at);
  Result<void> time(Value& value, const TypeRef& type);
  Result<void> quantity(Value& value);
  Result<void> bytes(Value& value, const TypeRef& type, const Step* at);

  bool dropped(const Value& value, const Field& field) const {
    if (extent_ == Extent::kPartial) return false;
    if (value.is_null()) return true;
    if (field.pointer || field.type.type == Type::kMessage || field.type.type == Type::kRaw) return false;
    // A required text is missing or empty alike, so that rules see one case.
    if (!field.omit_empty && !(field.required && field.type.type == Type::kString)) return false;
    return is_zero(value);
  }

  void unknown(std::string_view name, const Step* at) {
    if (strict_ == nullptr || strict_->size() >= kStrictErrorsMax) return;
    Step step{at, name};
    strict_->push_back("unknown field \"" + step.strict_path() + "\"");
  }

  static Error mismatch(const Value& value, const TypeRef& type, const Step* at) {
    std::string text = "json: cannot unmarshal " + json_kind(value);
    // Go shows a number only where the type is a number too, but of another range.
    const bool range = type.type == Type::kInt32 || type.type == Type::kInt64 || type.type == Type::kIntOrString;
    if (value.is_number() && range) text += " " + to_json(value);
    const Message* message = at == nullptr ? nullptr : at->innermost();
    if (message == nullptr) {
      text += " into Go value of type ";
    } else {
      text += " into Go struct field " + std::string(message->name) + "." + at->field_path() + " of type ";
    }
    return make_error(Reason::kBadRequest, text + go_type(type));
  }

  StrictErrors* strict_;
  Extent extent_;
};

Result<void> Shaper::message(Value& value, const Message& message, const Step* at) {
  if (!value.is_object()) return mismatch(value, {Type::kMessage, &message, nullptr}, at);
  auto& members = value.mutable_members();
  std::vector<Member> shaped;
  shaped.reserve(members.size());
  for (Member& member : members) {
    const Field* field = message.find(member.name());
    if (field == nullptr) {
      if (message.open) {
        shaped.push_back(std::move(member));
        continue;
      }
      unknown(member.name(), at);
      continue;
    }
    if (!member.value.is_null()) {
      Step step{at, field->name, 0, Step::Kind::kField, &message};
      STEAD_TRY_VOID(any(member.value, field->type, &step));
    }
    if (dropped(member.value, *field)) continue;
    shaped.emplace_back(Value::borrowed(field->name), std::move(member.value));
  }
  members = std::move(shaped);
  if (extent_ == Extent::kPartial) return {};
  for (const Field& field : message.fields) {
    if (field.omit_empty || field.pointer || value.find(field.name) != nullptr) continue;
    if (field.required && field.type.type == Type::kString) continue;
    if (Value zero = zero_of(field.type); !zero.is_null()) {
      // A message brought into being shows its own zero values: status: {replicas: 0}.
      if (field.type.type == Type::kMessage) STEAD_TRY_VOID(this->message(zero, *field.type.message, at));
      members.emplace_back(Value::borrowed(field.name), std::move(zero));
    }
  }
  return {};
}

Result<void> Shaper::any(Value& value, const TypeRef& type, const Step* at) {
  // Shared content was made to its declaration by this process; looking into it would end the sharing.
  if (value.shared_content() != nullptr) return {};
  switch (type.type) {
    case Type::kMessage:
      return message(value, *type.message, at);
    case Type::kList:
      return list(value, type, at);
    case Type::kMap:
      return map(value, type, at);
    case Type::kRaw:
      return {};
    default:
      return scalar(value, type, at);
  }
}

Result<void> Shaper::list(Value& value, const TypeRef& type, const Step* at) {
  if (!value.is_array()) return mismatch(value, type, at);
  Step step{at, {}, 0, Step::Kind::kIndex, nullptr};
  for (Value& item : value.mutable_items()) {
    if (item.is_null() && extent_ == Extent::kWhole) item = zero_of(*type.element);
    if (!item.is_null()) STEAD_TRY_VOID(any(item, *type.element, &step));
    ++step.index;
  }
  return {};
}

Result<void> Shaper::map(Value& value, const TypeRef& type, const Step* at) {
  if (!value.is_object()) return mismatch(value, type, at);
  for (Member& member : value.mutable_members()) {
    if (member.value.is_null() && extent_ == Extent::kWhole) member.value = zero_of(*type.element);
    if (member.value.is_null()) continue;
    Step step{at, member.name(), 0, Step::Kind::kKey, nullptr};
    STEAD_TRY_VOID(any(member.value, *type.element, &step));
  }
  return {};
}

Result<void> Shaper::scalar(Value& value, const TypeRef& type, const Step* at) {
  switch (type.type) {
    case Type::kString:
      if (!value.is_string()) return mismatch(value, type, at);
      return {};
    case Type::kBool:
      if (!value.is_bool()) return mismatch(value, type, at);
      return {};
    case Type::kInt32:
    case Type::kInt64:
      return integer(value, type, at);
    case Type::kDouble:
      if (!value.is_number()) return mismatch(value, type, at);
      return {};
    case Type::kBytes:
      return bytes(value, type, at);
    case Type::kTime:
    case Type::kMicroTime:
      return time(value, type);
    case Type::kDuration: {
      if (!value.is_string()) return mismatch(value, type, nullptr);
      auto duration = parse_duration(value.as_string());
      if (!duration) return make_error(Reason::kBadRequest, "time: invalid duration " + quote(value.as_string()));
      value = format_duration(*duration);
      return {};
    }
    case Type::kQuantity:
      return quantity(value);
    case Type::kIntOrString:
      // Go reads both forms through a method of its own, which knows no path.
      return value.is_string() ? Result<void>() : integer(value, type, nullptr);
    default:
      return {};
  }
}

Result<void> Shaper::integer(Value& value, const TypeRef& type, const Step* at) {
  const bool wide = type.type == Type::kInt64;
  if (!value.is_int()) return mismatch(value, type, at);
  if (!wide && (value.as_int() < INT32_MIN || value.as_int() > INT32_MAX)) return mismatch(value, type, at);
  return {};
}

Result<void> Shaper::time(Value& value, const TypeRef& type) {
  if (!value.is_string()) return mismatch(value, type, nullptr);
  if (value.as_string().empty() && extent_ == Extent::kPartial) return {};
  const bool micro = type.type == Type::kMicroTime;
  auto parsed = parse_time(value.as_string());
  if (!parsed) {
    std::string text = quote(value.as_string());
    return make_error(Reason::kBadRequest, "parsing time " + text + " as \"2006-01-02T15:04:05" +
                                               (micro ? ".000000" : "") + "Z07:00\": cannot parse " + text +
                                               " as \"2006\"");
  }
  std::string canonical = micro ? format_micro_time(*parsed) : format_time(*parsed);
  if (canonical.starts_with("0001-01-01T00:00:00")) {
    value = Value();  // Go's zero time, which it writes as null
  } else if (canonical != value.as_string()) {
    value = Value(canonical);
  }
  return {};
}

Result<void> Shaper::quantity(Value& value) {
  std::string number;
  std::string_view text = value.as_string();
  if (!value.is_string()) text = number = to_json(value);
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  text = text.substr(0, text.find_last_not_of(kSpace) + 1);
  STEAD_TRY(canonical, Quantity::canonical(text));
  if (!value.is_string() || canonical != value.as_string()) value = Value(canonical);
  return {};
}

Result<void> Shaper::bytes(Value& value, const TypeRef& type, const Step* at) {
  if (!value.is_string()) return mismatch(value, type, at);
  std::string_view text = value.as_string();
  STEAD_TRY(decoded, decode_base64(text));
  // As Go would write it: lines joined, and the bits that the last digit has to spare zero.
  std::string_view last_group = std::string_view(decoded).substr(decoded.size() / 3 * 3);
  const bool plain = text.find_first_of("\r\n") == std::string_view::npos && text.ends_with(encode_base64(last_group));
  if (!plain) value = Value(encode_base64(decoded));
  return {};
}

}  // namespace

Result<void> shape(Value& value, const Message& message, StrictErrors* strict, Extent extent) {
  return Shaper(strict, extent).message(value, message, nullptr);
}

}  // namespace stead::object
