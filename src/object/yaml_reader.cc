#include <yaml-cpp/yaml.h>

#include <exception>
#include <unordered_set>

#include "object/codec.h"
#include "object/quote.h"
#include "object/yaml_scalar.h"

namespace stead::object {
namespace {

constexpr size_t kStrictErrorsMax = 100;
// What aliases may add to a document; go-yaml grows suspicious at this number, too.
constexpr size_t kAliasedNodesMax = 400'000;
constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";

Error bad(const std::string& text) {
  return make_error(Reason::kBadRequest, "error converting YAML to JSON: yaml: " + text);
}

// The characters that YAML is written in (YAML 1.1 section 5.1). Empty where there are no others.
std::string check_characters(std::string_view text) {
  while (!text.empty()) {
    CodePoint point = decode_utf8(text);
    if (!point.valid) return "invalid leading UTF-8 octet";
    const char32_t rune = point.rune;
    const bool printable = rune == '\t' || rune == '\n' || rune == '\r' || (rune >= 0x20 && rune <= 0x7e) ||
                           rune == 0x85 || (rune >= 0xa0 && rune <= 0xfffd) || rune >= 0x10000;
    if (!printable) return "control characters are not allowed";
    text.remove_prefix(point.length);
  }
  return {};
}

std::string line_of(const YAML::Mark& mark) { return "line " + std::to_string(mark.line + 1); }

// Walks yaml-cpp's node graph. Aliases share nodes there and are copied here, so that what is made is counted.
class Reader {
 public:
  Reader(size_t text_bytes, const DecodeLimits& limits)
      : limits_(limits), nodes_max_(text_bytes + kAliasedNodesMax), bytes_max_(text_bytes + limits.bytes_max) {}

  Result<Value> read(const YAML::Node& node, int depth) {
    if (++nodes_ > nodes_max_) return bad("document contains excessive aliasing");
    switch (node.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null:
        return Value();
      case YAML::NodeType::Scalar:
        return scalar(node);
      case YAML::NodeType::Sequence:
        return sequence(node, depth);
      case YAML::NodeType::Map: {
        Value object = Value::object();
        if (auto filled = mapping(node, depth, object); !filled.ok()) return filled.error();
        return object;
      }
    }
    return Value();
  }

  const std::vector<std::string>& duplicates() const { return duplicates_; }

 private:
  Result<Value> scalar(const YAML::Node& node) {
    const std::string& text = node.Scalar();
    bytes_ += text.size();
    if (bytes_ > bytes_max_) return bad("document contains excessive aliasing");
    const std::string& tag = node.Tag();
    if (tag == "?" || tag.empty()) return resolve_yaml_scalar(text);
    if (!tag.starts_with(kTagPrefix)) return Value(text);
    return tagged(text, std::string_view(tag).substr(kTagPrefix.size()), node.Mark());
  }

  static Result<Value> tagged(const std::string& text, std::string_view tag, const YAML::Mark& mark) {
    if (tag == "str" || tag == "binary" || tag == "timestamp") return Value(text);
    auto value = resolve_yaml_scalar(text);
    if (!value.ok()) return value;
    const bool fits = (tag == "bool" && value->is_bool()) || (tag == "int" && value->is_int()) ||
                      (tag == "float" && value->is_number()) || (tag == "null" && value->is_null());
    if (fits) return value;
    return bad(line_of(mark) + ": cannot decode `" + text + "` as a !!" + std::string(tag));
  }

  Result<Value> sequence(const YAML::Node& node, int depth) {
    if (depth >= limits_.depth_max) return bad("exceeded max depth");
    Value array = Value::array();
    array.mutable_items().reserve(node.size());
    for (const YAML::Node& item : node) {
      auto value = read(item, depth + 1);
      if (!value.ok()) return value;
      array.append(std::move(*value));
    }
    return array;
  }

  // Adds the members of `node` to `object`, which a merge key has perhaps begun to fill.
  Result<void> mapping(const YAML::Node& node, int depth, Value& object) {
    if (depth >= limits_.depth_max) return bad("exceeded max depth");
    std::unordered_set<std::string> seen;
    for (const auto& pair : node) {
      if (pair.first.IsScalar() && pair.first.Scalar() == "<<" && pair.first.Tag() == "?") {
        STEAD_TRY_VOID(merge(pair.second, depth, object));
        continue;
      }
      STEAD_TRY(name, key(pair.first));
      STEAD_TRY(value, read(pair.second, depth + 1));
      if (!seen.insert(name).second && duplicates_.size() < kStrictErrorsMax) {
        duplicates_.push_back(line_of(pair.first.Mark()) + ": key " + quote(name) + " already set in map");
      }
      object.set(name, std::move(value));
    }
    return {};
  }

  Result<void> merge(const YAML::Node& source, int depth, Value& object) {
    if (++nodes_ > nodes_max_) return bad("document contains excessive aliasing");
    if (source.IsMap()) return mapping(source, depth + 1, object);
    if (!source.IsSequence()) return bad("map merge requires map or sequence of maps as the value");
    // Earlier maps win, so they are laid on top.
    for (size_t i = source.size(); i-- > 0;) {
      if (!source[i].IsMap()) return bad("map merge requires map or sequence of maps as the value");
      STEAD_TRY_VOID(mapping(source[i], depth + 1, object));
    }
    return {};
  }

  Result<std::string> key(const YAML::Node& node) {
    if (!node.IsScalar()) return bad(line_of(node.Mark()) + ": unsupported map key");
    STEAD_TRY(value, scalar(node));
    if (value.is_string()) return std::string(value.as_string());
    return to_json(value);
  }

  const DecodeLimits& limits_;
  size_t nodes_max_;
  size_t bytes_max_;
  size_t nodes_ = 0;
  size_t bytes_ = 0;
  std::vector<std::string> duplicates_;
};

}  // namespace

Result<Value> parse_yaml(std::string_view text, StrictErrors* strict, const DecodeLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return make_error(Reason::kRequestEntityTooLarge, "limit is " + std::to_string(limits.bytes_max));
  }
  // Most "YAML" that clients send is JSON.
  if (size_t start = text.find_first_not_of(" \t\r\n"); start != std::string_view::npos && text[start] == '{') {
    StrictErrors found;
    auto json = parse_json(text, &found, limits);
    if (json.ok()) {
      if (strict != nullptr) strict->insert(strict->end(), found.begin(), found.end());
      return json;
    }
  }
  if (std::string wrong = check_characters(text); !wrong.empty()) return bad(wrong);
  try {
    Reader reader(text.size(), limits);
    auto value = reader.read(YAML::Load(std::string(text)), 0);
    if (value.ok() && strict != nullptr && !reader.duplicates().empty()) {
      std::string problems = "yaml: unmarshal errors:";
      for (const std::string& one : reader.duplicates()) problems += "\n  " + one;
      strict->push_back(std::move(problems));
    }
    return value;
  } catch (const YAML::Exception& problem) {
    return bad(line_of(problem.mark) + ": " + problem.msg);
  } catch (const std::exception& problem) {
    return bad(problem.what());
  }
}

}  // namespace stead::object
