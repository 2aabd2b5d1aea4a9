#include "object/field_error.h"

#include <algorithm>

#include "object/codec.h"
#include "object/quote.h"

namespace stead::object {
namespace {

std::string shown(const Value& value) { return value.is_string() ? quote(value.as_string()) : to_json(value); }

std::string with_detail(std::string message, std::string_view detail) {
  if (!detail.empty()) {
    message += ": ";
    message += detail;
  }
  return message;
}

}  // namespace

std::string Path::str() const {
  std::string text = parent_ == nullptr ? std::string() : parent_->str();
  if (index_ >= 0) {
    text += "[" + std::to_string(index_) + "]";
  } else if (is_key_) {
    text += "[";
    text += name_;
    text += "]";
  } else {
    if (!text.empty()) text += '.';
    text += name_;
  }
  return text;
}

void FieldErrors::add(std::string_view reason, const Path& path, std::string message) {
  causes_.push_back({std::string(reason), std::move(message), path.str()});
}

void FieldErrors::required(const Path& path, std::string_view detail) {
  add("FieldValueRequired", path, with_detail("Required value", detail));
}

void FieldErrors::invalid(const Path& path, const Value& value, std::string_view detail) {
  add("FieldValueInvalid", path, with_detail("Invalid value: " + shown(value), detail));
}

void FieldErrors::not_supported(const Path& path, const Value& value, std::span<const std::string_view> supported) {
  std::string detail;
  for (std::string_view one : supported) detail += (detail.empty() ? "supported values: " : ", ") + quote(one);
  add("FieldValueNotSupported", path, with_detail("Unsupported value: " + shown(value), detail));
}

void FieldErrors::forbidden(const Path& path, std::string_view detail) {
  add("FieldValueForbidden", path, with_detail("Forbidden", detail));
}

void FieldErrors::duplicate(const Path& path, const Value& value, std::string_view detail) {
  add("FieldValueDuplicate", path, with_detail("Duplicate value: " + shown(value), detail));
}

void FieldErrors::not_found(const Path& path, const Value& value, std::string_view detail) {
  add("FieldValueNotFound", path, with_detail("Not found: " + shown(value), detail));
}

void FieldErrors::too_long(const Path& path, const Value&, size_t bytes_max) {
  add("FieldValueTooLong", path,
      "Too long: may not be more than " + std::to_string(bytes_max) + (bytes_max == 1 ? " byte" : " bytes"));
}

void FieldErrors::too_many(const Path& path, size_t count, size_t count_max) {
  add("FieldValueTooMany", path,
      "Too many: " + std::to_string(count) + ": must have at most " + std::to_string(count_max) +
          (count_max == 1 ? " item" : " items"));
}

Error FieldErrors::to_error(std::string_view group, std::string_view kind, std::string_view name) const {
  Error error;
  error.reason = Reason::kInvalid;
  error.causes = causes_;
  error.group = group;
  error.kind = kind;
  error.name = name;
  // Each text is listed once, though every cause is kept.
  std::vector<std::string> texts;
  for (const Cause& cause : causes_) {
    std::string text = cause.field + ": " + cause.message;
    if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(std::move(text));
  }
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + text;
  if (texts.size() > 1) list = "[" + list + "]";
  error.message = std::string(kind);
  if (!group.empty()) error.message += "." + std::string(group);
  error.message += " " + quote(name) + " is invalid";
  if (!list.empty()) error.message += ": " + list;
  return error;
}

}  // namespace stead::object
