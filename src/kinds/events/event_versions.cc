// Events have two faces: core/v1, in whose form they are kept, and events.k8s.io/v1, which names the same facts anew.

#include <utility>

#include "kinds/events/events_rules.h"

namespace stead::kinds {
namespace {

constexpr std::pair<std::string_view, std::string_view> kNames[] = {
    {"regarding", "involvedObject"},
    {"note", "message"},
    {"reportingController", "reportingComponent"},
    {"deprecatedSource", "source"},
    {"deprecatedFirstTimestamp", "firstTimestamp"},
    {"deprecatedLastTimestamp", "lastTimestamp"},
    {"deprecatedCount", "count"},
};

void rename(Value& event, std::string_view from, std::string_view to) {
  Value* value = event.find(from);
  if (value == nullptr) return;
  Value moved = std::move(*value);
  event.erase(from);
  event.set(to, std::move(moved));
}

}  // namespace

void event_from_events_group(Value& event) {
  for (const auto& [face, kept] : kNames) rename(event, face, kept);
  // Shown though they are empty, in core/v1 alone.
  for (std::string_view name : {"reportingComponent", "reportingInstance"}) {
    if (event.find(name) == nullptr) event.set(name, "");
  }
}

void event_to_events_group(Value& event) {
  for (const auto& [face, kept] : kNames) rename(event, kept, face);
}

}  // namespace stead::kinds
