#include <re2/re2.h>

#include "cel/library/library.h"
#include "cel/library/texts.h"

namespace stead::cel {

namespace {

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

// The pattern of a call, compiled before or now; null where it is malformed.
std::shared_ptr<const re2::RE2> pattern(const Call& call) {
  if (call.regex) return {std::shared_ptr<void>(), call.regex};
  return compile_regex(call[1].as_string());
}

Value illegal(const Call& call) { return Value::error("Illegal regex: " + std::string(call[1].as_string())); }

Value matches(const Call& call) {
  auto regex = pattern(call);
  if (!regex) return Value::error("error parsing regexp: " + std::string(call[1].as_string()));
  return Value::boolean(re2::RE2::PartialMatch(piece(call[0].as_string()), *regex));
}

Value find(const Call& call) {
  auto regex = pattern(call);
  if (!regex) return illegal(call);
  re2::StringPiece found;
  std::string_view text = call[0].as_string();
  if (!regex->Match(piece(text), 0, text.size(), re2::RE2::UNANCHORED, &found, 1)) return Value::string("");
  return Value::string(std::string(found.data(), found.size()));
}

Value find_all(const Call& call) {
  auto regex = pattern(call);
  if (!regex) return illegal(call);
  int64_t left = call.size() > 2 ? call[2].as_int() : -1;
  std::string_view text = call[0].as_string();
  std::vector<Value> all;
  const char* previous_end = nullptr;
  for (size_t at = 0; at <= text.size() && left != 0;) {
    re2::StringPiece found;
    if (!regex->Match(piece(text), at, text.size(), re2::RE2::UNANCHORED, &found, 1)) break;
    auto end = static_cast<size_t>(found.data() + found.size() - text.data());
    if (all.size() >= Value::kWeightMax) return Value::error("list is too large");
    // An empty match right after another one is none.
    if (!found.empty() || found.data() != previous_end) {
      all.push_back(Value::string(std::string(found.data(), found.size())));
      --left;
    }
    previous_end = text.data() + end;
    at = found.empty() ? end + std::max<size_t>(code_point_offset(text.substr(end), 1), 1) : end;
  }
  return Value::list(std::move(all));
}

constexpr Overload kRegex[] = {
    {"matches", "string,string:bool", matches, CostRule::kRegex},
    {"matches", "string.string:bool", matches, CostRule::kRegex},
    {"find", "string.string:string", find, CostRule::kRegex},
    {"findAll", "string.string:list<string>", find_all, CostRule::kRegex},
    {"findAll", "string.string,int:list<string>", find_all, CostRule::kRegex},
};

}  // namespace

std::span<const Overload> regex_functions() { return kRegex; }

}  // namespace stead::cel
