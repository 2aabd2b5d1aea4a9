#include <algorithm>

#include "object/selector.h"

namespace stead::object {
namespace {

Error bad(std::string text) { return make_error(Reason::kBadRequest, std::move(text)); }

// The terms between commas; a backslash keeps the next byte from separating.
std::vector<std::string_view> split_terms(std::string_view text) {
  std::vector<std::string_view> terms;
  size_t start = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == ',') {
      terms.push_back(text.substr(start, i - start));
      start = i + 1;
    }
  }
  terms.push_back(text.substr(start));
  std::sort(terms.begin(), terms.end());
  return terms;
}

Result<std::string> unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == ',' || c == '=') {
      return bad("invalid field selector: unescaped character in value: " + std::to_string(c));
    }
    if (c == '\\') {
      if (++i == text.size()) return bad("invalid field selector: invalid escape sequence: \\");
      c = text[i];
      if (c != '\\' && c != ',' && c != '=') {
        return bad("invalid field selector: invalid escape sequence: \\" + std::string(1, c));
      }
    }
    out += c;
  }
  return out;
}

}  // namespace

Result<FieldSelector> FieldSelector::parse(std::string_view text) {
  FieldSelector made;
  for (std::string_view term : split_terms(text)) {
    if (term.empty()) continue;
    size_t at = term.find('=');
    if (at == std::string_view::npos) {
      return bad("invalid selector: '" + std::string(text) + "'; can't understand '" + std::string(term) + "'");
    }
    Requirement requirement;
    requirement.equal = at == 0 || term[at - 1] != '!';
    requirement.path = term.substr(0, requirement.equal ? at : at - 1);
    std::string_view value = term.substr(at + 1);
    if (requirement.equal && value.starts_with('=')) value.remove_prefix(1);
    STEAD_TRY(plain, unescape(value));
    requirement.value = std::move(plain);
    made.requirements_.push_back(std::move(requirement));
  }
  return made;
}

bool FieldSelector::matches(const std::function<std::string(std::string_view path)>& field) const {
  return std::all_of(requirements_.begin(), requirements_.end(), [&](const Requirement& requirement) {
    return (field(requirement.path) == requirement.value) == requirement.equal;
  });
}

std::optional<std::string> FieldSelector::required_value(std::string_view path) const {
  for (const Requirement& requirement : requirements_) {
    if (requirement.equal && requirement.path == path) return requirement.value;
  }
  return {};
}

}  // namespace stead::object
