#include "kinds/custom/json_path.h"

#include <charconv>

namespace stead::kinds {
namespace {

using object::Value;

// The text between matching quotes at the start of `rest`; consumes it.
std::optional<std::string> quoted(std::string_view& rest) {
  if (rest.empty() || (rest[0] != '\'' && rest[0] != '"')) return std::nullopt;
  size_t end = rest.find(rest[0], 1);
  if (end == std::string_view::npos) return std::nullopt;
  std::string text(rest.substr(1, end - 1));
  rest.remove_prefix(end + 1);
  return text;
}

// A member's name up to the next '.' or '['; a backslash takes the next character as it is.
std::string member_name(std::string_view& rest) {
  std::string name;
  while (!rest.empty() && rest[0] != '.' && rest[0] != '[') {
    if (rest[0] == '\\' && rest.size() > 1) rest.remove_prefix(1);
    name += rest[0];
    rest.remove_prefix(1);
  }
  return name;
}

bool take(std::string_view& rest, std::string_view prefix) {
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  if (!rest.starts_with(prefix)) return false;
  rest.remove_prefix(prefix.size());
  return true;
}

bool same_text(const Value& value, std::string_view text) {
  if (value.is_bool()) return text == (value.as_bool() ? "true" : "false");
  if (value.is_int()) return text == std::to_string(value.as_int());
  return value.is_string() && value.as_string() == text;
}

}  // namespace

std::optional<JsonPath> JsonPath::parse(std::string_view text) {
  JsonPath path;
  if (text.starts_with("$")) text.remove_prefix(1);
  while (!text.empty()) {
    Step step;
    if (text.starts_with("..")) return std::nullopt;
    if (text[0] == '.') {
      text.remove_prefix(1);
      if (text.empty() && path.steps_.empty()) return path;
      step.name = member_name(text);
      if (step.name == "*") step.kind = Step::Kind::kAll;
      if (step.name.empty()) return std::nullopt;
    } else if (take(text, "[")) {
      if (auto name = quoted(text)) {
        step.name = *name;
      } else if (take(text, "*")) {
        step.kind = Step::Kind::kAll;
      } else if (take(text, "?(@.")) {
        step.kind = Step::Kind::kFilter;
        size_t end = text.find_first_of("=! )");
        step.name = text.substr(0, end);
        text.remove_prefix(std::min(end, text.size()));
        if (!take(text, "==")) return std::nullopt;
        while (text.starts_with(' ')) text.remove_prefix(1);
        auto wanted = quoted(text);
        if (!wanted) {
          wanted = std::string(text.substr(0, text.find(')')));
          text.remove_prefix(wanted->size());
        }
        step.text = *wanted;
        if (!take(text, ")")) return std::nullopt;
      } else {
        step.kind = Step::Kind::kIndex;
        auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step.index);
        if (error != std::errc()) return std::nullopt;
        text.remove_prefix(static_cast<size_t>(end - text.data()));
      }
      if (!take(text, "]")) return std::nullopt;
    } else {
      return std::nullopt;
    }
    path.steps_.push_back(std::move(step));
  }
  return path;
}

std::vector<const Value*> JsonPath::find(const Value& document) const {
  std::vector<const Value*> at = {&document};
  for (const Step& step : steps_) {
    std::vector<const Value*> next;
    for (const Value* value : at) {
      if (step.kind == Step::Kind::kMember) {
        if (const Value* member = value->find(step.name)) next.push_back(member);
      } else if (step.kind == Step::Kind::kIndex) {
        auto size = static_cast<int64_t>(value->items().size());
        int64_t index = step.index < 0 ? step.index + size : step.index;
        if (index >= 0 && index < size) next.push_back(&value->items()[static_cast<size_t>(index)]);
      } else {
        for (const Value& item : value->items()) {
          if (step.kind == Step::Kind::kAll || same_text(item.at(step.name), step.text)) next.push_back(&item);
        }
        for (const object::Member& member : value->members()) {
          if (step.kind == Step::Kind::kAll) next.push_back(&member.value);
        }
      }
    }
    at = std::move(next);
  }
  return at;
}

bool JsonPath::simple() const {
  for (const Step& step : steps_) {
    if (step.kind != Step::Kind::kMember) return false;
  }
  return !steps_.empty();
}

void JsonPath::set(Value& document, Value value) const {
  Value* at = &document;
  for (const Step& step : steps_) at = &(*at)[step.name];
  *at = std::move(value);
}

}  // namespace stead::kinds
