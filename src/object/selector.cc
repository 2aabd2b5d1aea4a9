#include "object/selector.h"

#include <algorithm>
#include <charconv>

#include "object/field_error.h"
#include "object/names.h"
#include "object/quote.h"

namespace stead::object {
namespace {

using Operator = LabelSelector::Operator;
using Requirement = LabelSelector::Requirement;

bool parse_integer(std::string_view text, int64_t& number) {
  if (text.starts_with('+')) text.remove_prefix(1);
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

bool has(const Requirement& requirement, std::string_view value) {
  return std::binary_search(requirement.values.begin(), requirement.values.end(), value);
}

bool satisfied(const Requirement& requirement, const Value& labels) {
  const Value* label = labels.find(requirement.key);
  switch (requirement.op) {
    case Operator::kExists:
      return label != nullptr;
    case Operator::kDoesNotExist:
      return label == nullptr;
    case Operator::kIn:
      return label != nullptr && has(requirement, label->as_string());
    case Operator::kNotIn:
      return label == nullptr || !has(requirement, label->as_string());
    case Operator::kGreaterThan:
    case Operator::kLessThan: {
      int64_t left = 0;
      int64_t right = 0;
      if (label == nullptr || requirement.values.size() != 1) return false;
      if (!parse_integer(label->as_string(), left) || !parse_integer(requirement.values[0], right)) return false;
      return requirement.op == Operator::kGreaterThan ? left > right : left < right;
    }
  }
  return false;
}

std::string requirement_text(const Requirement& requirement) {
  std::string list;
  for (const std::string& value : requirement.values) list += (&value == requirement.values.data() ? "" : ",") + value;
  switch (requirement.op) {
    case Operator::kExists:
      return requirement.key;
    case Operator::kDoesNotExist:
      return "!" + requirement.key;
    case Operator::kIn:
      if (requirement.values.size() == 1) return requirement.key + "=" + list;
      return requirement.key + " in (" + list + ")";
    case Operator::kNotIn:
      if (requirement.values.size() == 1) return requirement.key + "!=" + list;
      return requirement.key + " notin (" + list + ")";
    case Operator::kGreaterThan:
      return requirement.key + ">" + list;
    case Operator::kLessThan:
      return requirement.key + "<" + list;
  }
  return {};
}

// field.Error's text, or several in brackets.
std::string listed(const FieldErrors& errors) {
  std::string text;
  for (const Cause& cause : errors.causes()) text += (text.empty() ? "" : ", ") + cause.field + ": " + cause.message;
  return errors.size() > 1 ? "[" + text + "]" : text;
}

// The rules of labels.NewRequirement. Empty where fine.
std::string check(const Requirement& requirement) {
  FieldErrors errors;
  if (std::string wrong = check_qualified_name(requirement.key); !wrong.empty()) {
    errors.invalid(Path("key"), requirement.key, wrong);
  }
  Value values = Value::array();
  for (const std::string& value : requirement.values) values.append(value);
  const Path path("values");
  switch (requirement.op) {
    case Operator::kIn:
    case Operator::kNotIn:
      if (values.empty()) errors.invalid(path, values, "for 'in', 'notin' operators, values set can't be empty");
      break;
    case Operator::kExists:
    case Operator::kDoesNotExist:
      if (!values.empty()) errors.invalid(path, values, "values set must be empty for exists and does not exist");
      break;
    case Operator::kGreaterThan:
    case Operator::kLessThan:
      if (values.size() != 1) errors.invalid(path, values, "for 'Gt', 'Lt' operators, exactly one value is required");
      for (size_t i = 0; i < requirement.values.size(); ++i) {
        int64_t number = 0;
        if (parse_integer(requirement.values[i], number)) continue;
        errors.invalid(path.index(i), requirement.values[i], "for 'Gt', 'Lt' operators, the value must be an integer");
      }
      break;
  }
  for (size_t i = 0; i < requirement.values.size(); ++i) {
    std::string wrong = check_label_value(requirement.values[i]);
    if (wrong.empty()) continue;
    const Path item = path.index(i);
    errors.invalid(item.key(requirement.key), requirement.values[i], wrong);
  }
  return listed(errors);
}

void normalise(std::vector<Requirement>& requirements) {
  for (Requirement& requirement : requirements) {
    std::sort(requirement.values.begin(), requirement.values.end());
    auto last = std::unique(requirement.values.begin(), requirement.values.end());
    requirement.values.erase(last, requirement.values.end());
  }
  std::stable_sort(requirements.begin(), requirements.end(),
                   [](const Requirement& a, const Requirement& b) { return a.key < b.key; });
}

enum class Token : uint8_t {
  kEnd,
  kWord,
  kIn,
  kNotIn,
  kComma,
  kOpen,
  kClose,
  kNot,
  kEqual,
  kNotEqual,
  kGreater,
  kLess
};

// The grammar of apimachinery's labels.Parse. An error text ends the walk.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) { next(); }

  Result<std::vector<Requirement>> run() {
    std::vector<Requirement> requirements;
    for (;;) {
      if (token_ == Token::kEnd) return requirements;
      if (!is_value() && token_ != Token::kNot) {
        return bad("found '" + literal_ + "', expected: !, identifier, or 'end of string'");
      }
      Requirement requirement;
      std::string wrong = parse_requirement(requirement);
      if (wrong.empty()) wrong = check(requirement);
      if (!wrong.empty()) return bad("unable to parse requirement: " + wrong);
      requirements.push_back(std::move(requirement));
      if (token_ == Token::kEnd) return requirements;
      if (token_ != Token::kComma) return bad("found '" + literal_ + "', expected: ',' or 'end of string'");
      next();
      if (!is_value() && token_ != Token::kNot) {
        return bad("found '" + literal_ + "', expected: identifier after ','");
      }
    }
  }

 private:
  static Error bad(std::string text) { return make_error(Reason::kBadRequest, std::move(text)); }
  static bool special(char c) { return std::string_view("=!(),<>").find(c) != std::string_view::npos; }
  static bool space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
  // "in" and "notin" are words where a word is expected.
  bool is_value() const { return token_ == Token::kWord || token_ == Token::kIn || token_ == Token::kNotIn; }
  std::string expected(std::string_view what) const {
    return "found '" + literal_ + "', expected: " + std::string(what);
  }

  void next() {
    while (!text_.empty() && space(text_[0])) text_.remove_prefix(1);
    if (text_.empty() || text_[0] == '\0') {
      token_ = Token::kEnd;
      literal_.clear();
      return;
    }
    size_t length = 1;
    if (special(text_[0])) {
      if (text_.starts_with("==") || text_.starts_with("!=")) length = 2;
      constexpr std::string_view kSingles = "=!(),<>";
      constexpr Token kTokens[] = {Token::kEqual, Token::kNot,  Token::kOpen,   Token::kClose,
                                   Token::kComma, Token::kLess, Token::kGreater};
      token_ = kTokens[kSingles.find(text_[0])];
      if (text_.starts_with("!=")) token_ = Token::kNotEqual;
    } else {
      while (length < text_.size() && !special(text_[length]) && !space(text_[length]) && text_[length] != '\0') {
        ++length;
      }
      std::string_view word = text_.substr(0, length);
      token_ = word == "in" ? Token::kIn : word == "notin" ? Token::kNotIn : Token::kWord;
    }
    literal_ = text_.substr(0, length);
    text_.remove_prefix(length);
  }

  std::string parse_requirement(Requirement& into) {
    const bool negated = token_ == Token::kNot;
    if (negated) next();
    if (!is_value()) return expected("identifier");
    into.key = literal_;
    if (std::string wrong = check_qualified_name(into.key); !wrong.empty()) {
      FieldErrors errors;
      errors.invalid(Path("<nil>"), into.key, wrong);  // upstream has no path to name here
      return listed(errors);
    }
    next();
    if (token_ == Token::kEnd || token_ == Token::kComma) {
      into.op = negated ? Operator::kDoesNotExist : Operator::kExists;
      return {};
    }
    if (negated) {
      into.op = Operator::kDoesNotExist;
      return {};  // what follows is refused by the caller: ',' or the end is expected
    }
    return parse_operator(into);
  }

  std::string parse_operator(Requirement& into) {
    const Token token = token_;
    switch (token) {
      case Token::kIn:
      case Token::kEqual:
        into.op = Operator::kIn;
        break;
      case Token::kNotIn:
      case Token::kNotEqual:
        into.op = Operator::kNotIn;
        break;
      case Token::kGreater:
        into.op = Operator::kGreaterThan;
        break;
      case Token::kLess:
        into.op = Operator::kLessThan;
        break;
      default:
        return expected("in, notin, =, ==, !=, gt, lt");
    }
    next();
    if (token == Token::kIn || token == Token::kNotIn) return parse_values(into.values);
    if (token_ == Token::kEnd || token_ == Token::kComma) {
      into.values = {""};
      return {};
    }
    if (!is_value()) return expected("identifier");
    into.values = {literal_};
    next();
    return {};
  }

  // "(a,b)": an empty place between commas is the empty value.
  std::string parse_values(std::vector<std::string>& values) {
    if (token_ != Token::kOpen) return "found '" + literal_ + "' expected: '('";
    next();
    if (!is_value() && token_ != Token::kComma && token_ != Token::kClose) {
      return expected("',', ')' or identifier");
    }
    for (;;) {
      if (is_value()) {
        values.push_back(literal_);
        next();
        if (token_ != Token::kComma && token_ != Token::kClose) return expected("',' or ')'");
      } else {
        values.emplace_back();
      }
      if (token_ == Token::kClose) break;
      if (token_ != Token::kComma) return expected("',', or identifier");
      next();
      if (!is_value() && token_ != Token::kComma && token_ != Token::kClose) return expected("',', or identifier");
    }
    next();
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return {};
  }

  std::string_view text_;
  Token token_ = Token::kEnd;
  std::string literal_;
};

}  // namespace

Result<LabelSelector> LabelSelector::parse(std::string_view text) {
  STEAD_TRY(requirements, Parser(text).run());
  LabelSelector made;
  made.requirements_ = std::move(requirements);
  normalise(made.requirements_);
  return made;
}

Result<LabelSelector> LabelSelector::from_document(const Value& document) {
  LabelSelector made;
  if (document.is_null()) {
    made.nothing_ = true;
    return made;
  }
  for (const Member& member : document.at("matchLabels").members()) {
    made.requirements_.push_back({std::string(member.name()), Operator::kIn, {std::string(member.value.as_string())}});
  }
  for (const Value& expression : document.at("matchExpressions").items()) {
    Requirement requirement;
    requirement.key = expression.at("key").as_string();
    const std::string_view op = expression.at("operator").as_string();
    if (op == "In") {
      requirement.op = Operator::kIn;
    } else if (op == "NotIn") {
      requirement.op = Operator::kNotIn;
    } else if (op == "Exists") {
      requirement.op = Operator::kExists;
    } else if (op == "DoesNotExist") {
      requirement.op = Operator::kDoesNotExist;
    } else {
      return make_error(Reason::kInvalid, quote(op) + " is not a valid label selector operator");
    }
    for (const Value& value : expression.at("values").items()) requirement.values.emplace_back(value.as_string());
    made.requirements_.push_back(std::move(requirement));
  }
  for (const Requirement& requirement : made.requirements_) {
    if (std::string wrong = check(requirement); !wrong.empty()) return make_error(Reason::kInvalid, wrong);
  }
  normalise(made.requirements_);
  return made;
}

LabelSelector LabelSelector::from_map(const Value& map) {
  LabelSelector made;
  made.nothing_ = map.empty();
  for (const Member& member : map.members()) {
    made.requirements_.push_back({std::string(member.name()), Operator::kIn, {std::string(member.value.as_string())}});
  }
  normalise(made.requirements_);
  return made;
}

bool LabelSelector::matches(const Value& labels) const {
  if (nothing_) return false;
  return std::all_of(requirements_.begin(), requirements_.end(),
                     [&](const Requirement& requirement) { return satisfied(requirement, labels); });
}

std::string LabelSelector::str() const {
  std::string text;
  for (const Requirement& requirement : requirements_) {
    text += (text.empty() ? "" : ",") + requirement_text(requirement);
  }
  return text;
}

}  // namespace stead::object
