#include "cli/why/cluster_view.h"

#include <algorithm>

#include "kinds/meta/conditions.h"

namespace stead::cli::why {
namespace {

using object::Object;

bool before_by_number(const ObjectPtr& a, const ObjectPtr& b) {
  auto parts = [](std::string_view name) {
    size_t digits = name.find_last_not_of("0123456789") + 1;
    std::string_view number = name.substr(digits);
    return std::make_tuple(name.substr(0, digits), number.size(), number);
  };
  return parts(a->name()) < parts(b->name());
}

std::string_view time_of(const Object& event) {
  for (std::string_view field : {"lastTimestamp", "eventTime", "firstTimestamp"}) {
    std::string_view text = event.document().at(field).as_string();
    if (!text.empty()) return text;
  }
  return event.metadata().at("creationTimestamp").as_string();
}

}  // namespace

const std::vector<ObjectPtr>& ClusterView::list(std::string_view plural) const {
  static const std::vector<ObjectPtr> kNone;
  auto found = lists.find(plural);
  return found == lists.end() ? kNone : found->second;
}

ObjectPtr ClusterView::find(std::string_view plural, std::string_view ns, std::string_view name) const {
  for (const ObjectPtr& object : list(plural)) {
    if (object->name() == name && object->ns() == ns) return object;
  }
  return nullptr;
}

std::vector<ObjectPtr> ClusterView::owned(std::string_view plural, std::string_view owner_uid) const {
  std::vector<ObjectPtr> found;
  for (const ObjectPtr& object : list(plural)) {
    for (const Value& owner : object->metadata().at("ownerReferences").items()) {
      if (owner.at("controller").as_bool() && owner.at("uid").as_string() == owner_uid) found.push_back(object);
    }
  }
  std::sort(found.begin(), found.end(), before_by_number);
  return found;
}

std::string ClusterView::newest_warning(const Object& about, std::initializer_list<std::string_view> reasons,
                                        std::string_view container) const {
  const Object* newest = nullptr;
  for (const ObjectPtr& event : list("events")) {
    const Value& document = event->document();
    const Value& object = document.at("involvedObject");
    if (document.at("type").as_string() != "Warning" || object.at("uid").as_string() != about.uid()) continue;
    std::string_view field = object.at("fieldPath").as_string();
    if (!container.empty() && !field.empty() && !field.ends_with("{" + std::string(container) + "}")) continue;
    if (std::find(reasons.begin(), reasons.end(), document.at("reason").as_string()) == reasons.end()) continue;
    if (newest == nullptr || time_of(*event) >= time_of(*newest)) newest = event.get();
  }
  return newest == nullptr ? std::string() : std::string(newest->document().at("message").as_string());
}

const Value& condition_of(const Object& object, std::string_view type) {
  static const Value kNone;
  const Value* condition = kinds::find_condition(object.status(), type);
  return condition == nullptr ? kNone : *condition;
}

bool condition_holds(const Object& object, std::string_view type) {
  return kinds::is_condition_true(object.status(), type);
}

std::string namespace_option(const Object& object) {
  return object.ns().empty() || object.ns() == "default" ? std::string() : " -n " + std::string(object.ns());
}

}  // namespace stead::cli::why
