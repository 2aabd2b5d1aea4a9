#include "controllers/namespaces/namespace_conditions.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "kinds/meta/conditions.h"
#include "object/time.h"

namespace stead::controllers::namespaces {
namespace {

using object::Value;

struct Condition {
  std::string_view type;
  bool holds = false;
  std::string_view reason;
  std::string message;
};

using Counts = std::map<std::string, size_t>;

std::string listed(const Counts& counts, std::string_view of_each) {
  std::string text;
  for (const auto& [name, count] : counts) {
    text += fmt::format("{}{} {} {} resource instances", text.empty() ? "" : ", ", name, of_each, count);
  }
  return text;
}

Condition content_remaining(std::span<const Content> remaining) {
  Counts counts;
  for (const Content& content : remaining) ++counts[content.resource.resource + "." + content.resource.group];
  if (counts.empty()) return {"NamespaceContentRemaining", false, "ContentRemoved", "nothing is left"};
  return {"NamespaceContentRemaining", true, "SomeResourcesRemain",
          "Some resources are remaining: " + listed(counts, "has")};
}

Condition finalizers_remaining(std::span<const Content> remaining) {
  Counts counts;
  for (const Content& content : remaining) {
    for (const Value& finalizer : content.object->metadata().at("finalizers").items()) {
      ++counts[std::string(finalizer.as_string())];
    }
  }
  if (counts.empty()) {
    return {"NamespaceFinalizersRemaining", false, "ContentRemoved", "nothing is left"};
  }
  return {"NamespaceFinalizersRemaining", true, "SomeFinalizersRemain",
          "Some finalizers are remaining: " + listed(counts, "in")};
}

void put(Value& status, const Condition& condition, WallTime now) {
  std::string_view holds = condition.holds ? "True" : "False";
  Value entry = Value::object({{"type", condition.type},
                               {"status", holds},
                               {"lastTransitionTime", object::format_time(now)},
                               {"reason", condition.reason},
                               {"message", condition.message}});
  for (Value& one : status["conditions"].mutable_items()) {
    if (one.at("type").as_string() != condition.type) continue;
    if (one.at("status").as_string() == holds) entry.set("lastTransitionTime", one.at("lastTransitionTime"));
    one = std::move(entry);
    return;
  }
  status["conditions"].append(std::move(entry));
}

}  // namespace

Value with_deletion_conditions(Value status, std::span<const Content> remaining, WallTime now) {
  // The first three tell of failures of a kind that cannot happen here: what is served is known, and a delete that is
  // refused is tried until it is not.
  put(status, {"NamespaceDeletionDiscoveryFailure", false, "ResourcesDiscovered", "what the API serves is known"}, now);
  put(status,
      {"NamespaceDeletionGroupVersionParsingFailure", false, "ParsedGroupVersions",
       "all groups and versions are known"},
      now);
  put(status, {"NamespaceDeletionContentFailure", false, "ContentDeleted", "everything that could be was told to go"},
      now);
  put(status, content_remaining(remaining), now);
  put(status, finalizers_remaining(remaining), now);
  return status;
}

}  // namespace stead::controllers::namespaces
