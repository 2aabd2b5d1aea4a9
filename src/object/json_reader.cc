#include <simdjson.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "object/codec.h"
#include "object/json_scanner.h"

namespace stead::object {
namespace {

namespace dom = simdjson::dom;

// Kubernetes' decoder stops collecting here too.
constexpr size_t kStrictErrorsMax = 100;
// Objects up to this size are searched linearly for duplicates.
constexpr size_t kSmallObject = 16;
// A parser that has seen no larger text is kept for the next one.
constexpr size_t kKeptParserBytes = 256 * 1024;

class Reader {
 public:
  Reader(StrictErrors* strict, int depth_max) : strict_(strict), depth_max_(depth_max) {}

  // False where nesting is too deep.
  bool read(dom::element element, Value& into) {
    switch (element.type()) {
      case dom::element_type::ARRAY:
        return read_array(element.get_array().value_unsafe(), into);
      case dom::element_type::OBJECT:
        return read_object(element.get_object().value_unsafe(), into);
      case dom::element_type::INT64:
        into = Value(element.get_int64().value_unsafe());
        return true;
      case dom::element_type::UINT64:
        into = Value(static_cast<double>(element.get_uint64().value_unsafe()));
        return true;
      case dom::element_type::DOUBLE:
        // Negative zero would be written "-0" and read back as the integer.
        into = Value(element.get_double().value_unsafe() + 0.0);
        return true;
      case dom::element_type::STRING:
        into = Value(element.get_string().value_unsafe());
        return true;
      case dom::element_type::BOOL:
        into = Value(element.get_bool().value_unsafe());
        return true;
      case dom::element_type::NULL_VALUE:
        into = Value();
        return true;
    }
    return false;
  }

 private:
  struct Step {
    std::string_view name;
    size_t index = 0;  // where name.data() is null
  };

  bool read_array(dom::array array, Value& into) {
    if (static_cast<int>(path_.size()) >= depth_max_) return false;
    into = Value::array();
    auto& items = into.mutable_items();
    items.reserve(array.size());
    path_.emplace_back();
    for (dom::element item : array) {
      if (!read(item, items.emplace_back())) return false;
      ++path_.back().index;
    }
    path_.pop_back();
    return true;
  }

  bool read_object(dom::object object, Value& into) {
    if (static_cast<int>(path_.size()) >= depth_max_) return false;
    into = Value::object();
    auto& members = into.mutable_members();
    members.reserve(object.size());
    std::unordered_map<std::string_view, size_t> index;
    const bool large = object.size() > kSmallObject;
    path_.emplace_back();
    for (dom::key_value_pair pair : object) {
      path_.back().name = pair.key;
      size_t at = members.size();
      if (large) {
        at = index.emplace(pair.key, at).first->second;
      } else {
        at = static_cast<size_t>(
            std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.name() == pair.key; }) -
            members.begin());
      }
      if (at == members.size()) {
        members.emplace_back(Value(pair.key), Value());
      } else {
        report_duplicate();
      }
      if (!read(pair.value, members[at].value)) return false;
    }
    path_.pop_back();
    return true;
  }

  void report_duplicate() {
    if (strict_ == nullptr || strict_->size() >= kStrictErrorsMax) return;
    std::string text = "duplicate field \"";
    for (size_t i = 0; i < path_.size(); ++i) {
      if (path_[i].name.data() == nullptr) {
        text += "[" + std::to_string(path_[i].index) + "]";
      } else {
        if (i > 0) text += '.';
        text += path_[i].name;
      }
    }
    text += '"';
    if (seen_.insert(text).second) strict_->push_back(std::move(text));
  }

  StrictErrors* strict_;
  int depth_max_;
  std::vector<Step> path_;
  std::unordered_set<std::string> seen_;
};

Error too_deep() { return make_error(Reason::kBadRequest, "exceeded max depth"); }

Result<Value> convert(dom::element root, StrictErrors* strict, int depth_max) {
  Value value;
  if (!Reader(strict, depth_max).read(root, value)) return too_deep();
  return value;
}

}  // namespace

Result<Value> parse_json(std::string_view text, StrictErrors* strict, const DecodeLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return make_error(Reason::kRequestEntityTooLarge, "limit is " + std::to_string(limits.bytes_max));
  }
  if (text.empty()) text = "";  // simdjson copies nothing from nowhere
  thread_local dom::parser kept;
  dom::parser once;
  dom::parser& parser = text.size() <= kKeptParserBytes ? kept : once;
  dom::element root;
  simdjson::error_code error = parser.parse(text.data(), text.size()).get(root);
  if (error == simdjson::MEMALLOC) return make_error(Reason::kInternal, "out of memory");
  if (error == simdjson::SUCCESS) return convert(root, strict, limits.depth_max);
  auto respelled = respell_json(text, limits.depth_max);
  if (!respelled.ok()) return respelled.error();
  error = parser.parse(*respelled).get(root);
  // What is left are numbers beyond the range of a double, and nesting beyond simdjson's own bound.
  if (error != simdjson::SUCCESS) return make_error(Reason::kBadRequest, simdjson::error_message(error));
  return convert(root, strict, limits.depth_max);
}

}  // namespace stead::object
