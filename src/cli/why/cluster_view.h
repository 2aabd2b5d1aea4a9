#pragma once

// The objects that explanations look at. Pure; objects stay where they are as long as the view.

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "object/object.h"

namespace stead::cli::why {

using object::ObjectPtr;
using object::Value;

struct ClusterView {
  std::map<std::string, std::vector<ObjectPtr>, std::less<>> lists;  // by plural; core's "events"
  // The last line that a container wrote, before it ended last if `previous`; empty where there is none.
  std::function<std::string(std::string_view ns, std::string_view pod, std::string_view container, bool previous)>
      last_log_line;

  const std::vector<ObjectPtr>& list(std::string_view plural) const;
  ObjectPtr find(std::string_view plural, std::string_view ns, std::string_view name) const;
  // Those whose controlling owner has that uid, by name, numbers in order (web-2 before web-10).
  std::vector<ObjectPtr> owned(std::string_view plural, std::string_view owner_uid) const;
  // The message of the newest Warning with one of these reasons about an object (its uid); empty where there is none.
  // `container` narrows to events about that container.
  std::string newest_warning(const object::Object& about, std::initializer_list<std::string_view> reasons,
                             std::string_view container = {}) const;
};

// A condition of status.conditions; null where there is none of that type.
const Value& condition_of(const object::Object& object, std::string_view type);
bool condition_holds(const object::Object& object, std::string_view type);

// " -n NS" for commands, empty for the namespace default.
std::string namespace_option(const object::Object& object);

}  // namespace stead::cli::why
