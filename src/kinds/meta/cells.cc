#include "kinds/meta/cells.h"

#include <algorithm>

#include "object/selector.h"
#include "object/time.h"

namespace stead::kinds {

std::string age_since(const Value& timestamp, WallTime now) {
  auto since = object::parse_time(timestamp.as_string());
  if (!since) return "<unknown>";
  return object::human_duration(now - *since);
}

std::string age(const Value& document, WallTime now) {
  return age_since(document.at({"metadata", "creationTimestamp"}), now);
}

Value name_of(const Value& document) { return document.at({"metadata", "name"}); }

std::string text_or(const Value& value, std::string_view otherwise) {
  std::string_view text = value.as_string();
  return std::string(text.empty() ? otherwise : text);
}

std::string format_labels(const Value& labels) {
  std::vector<std::string> pairs;
  for (const object::Member& label : labels.members()) {
    pairs.push_back(std::string(label.name()) + "=" + std::string(label.value.as_string()));
  }
  if (pairs.empty()) return std::string(kNone);
  std::sort(pairs.begin(), pairs.end());
  std::string joined;
  for (const std::string& pair : pairs) joined += (joined.empty() ? "" : ",") + pair;
  return joined;
}

std::string format_label_selector(const Value& selector) {
  auto parsed = object::LabelSelector::from_document(selector);
  if (!parsed.ok()) return "<error>";
  std::string text = parsed->str();
  return text.empty() ? std::string(kNone) : text;
}

std::string join(const Value& list, std::string_view member) {
  std::string joined;
  bool first = true;
  for (const Value& item : list.items()) {
    if (!first) joined += ',';
    first = false;
    joined += (member.empty() ? item : item.at(member)).as_string();
  }
  return joined;
}

Column name_column() {
  return {"Name", "string", "name", "The object's name, unique among its kind in its namespace."};
}

Column age_column() { return {"Age", "string", "", "Time since the object was created."}; }
Column containers_column() { return {"Containers", "string", "", "Names of each container in the template.", 1}; }
Column images_column() { return {"Images", "string", "", "Images referenced by each container in the template.", 1}; }

}  // namespace stead::kinds
