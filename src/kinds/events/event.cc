#include <string>

#include "kinds/events/events_rules.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "object/names.h"
#include "object/time.h"

namespace stead::kinds {
namespace {

bool is_set(const Value& time);

// Events of newer reporters, which say who saw what happen, and when (KEP-383).
void validate_reported(const Value& event, FieldErrors& errors) {
  constexpr size_t kNoteBytesMax = 1024;
  constexpr size_t kNameBytesMax = 128;
  auto bounded = [&](std::string_view name, std::string_view member, size_t bytes_max) {
    if (event.at(member).as_string().size() <= bytes_max) return;
    errors.invalid(Path(name), Value(""), "can have at most " + std::to_string(bytes_max) + " characters");
  };
  const Value& reporter = event.at("reportingComponent");
  check_present(Path("reportingController"), reporter, errors);
  check(Path("reportingController"), Value(reporter.as_string()), object::check_qualified_name(reporter.as_string()),
        errors);
  for (std::string_view name : {"reportingInstance", "action", "reason"}) {
    check_present(Path(name), event.at(name), errors);
    bounded(name, name, kNameBytesMax);
  }
  bounded("message", "message", kNoteBytesMax);
}

void validate(const Value& event, FieldErrors& errors) {
  std::string_view ns = event.at({"metadata", "namespace"}).as_string();
  std::string_view about = event.at({"involvedObject", "namespace"}).as_string();
  Path path("involvedObject");
  bool reported = is_set(event.at("eventTime"));
  // What has no namespace has its events in "default". Newer reporters may keep them elsewhere than what they are
  // about.
  bool fits = about.empty() ? ns == "default" || ns == "kube-system" : reported || about == ns;
  if (!fits) errors.invalid(path.child("namespace"), Value(about), "does not match event.namespace");
  if (reported) validate_reported(event, errors);
}

// Old clients write "0001-01-01T00:00:00Z" for nothing.
bool is_set(const Value& time) { return !time.as_string().empty() && !time.as_string().starts_with("0001-"); }

std::string first_seen(const Value& event, WallTime now) {
  const Value& first = event.at("firstTimestamp");
  return age_since(is_set(first) ? first : event.at("eventTime"), now);
}

// "5m", or "10s (x3 over 5m)" for one seen again.
std::string last_seen(const Value& event, WallTime now) {
  std::string over = " over " + first_seen(event, now) + ")";
  if (const Value* series = event.find("series")) {
    return age_since(series->at("lastObservedTime"), now) + " (x" + std::to_string(series->at("count").as_int()) + over;
  }
  const Value& last = event.at("lastTimestamp");
  int64_t count = event.at("count").as_int();
  std::string seen = is_set(last) ? age_since(last, now) : first_seen(event, now);
  return count > 1 ? seen + " (x" + std::to_string(count) + over : seen;
}

std::string source_text(const Value& event) {
  std::string component = text_or(event.at({"source", "component"}), event.at("reportingComponent").as_string());
  std::string host = text_or(event.at({"source", "host"}), event.at("reportingInstance").as_string());
  return host.empty() ? component : component + ", " + host;
}

int64_t count_of(const Value& event) {
  if (const Value* series = event.find("series")) return series->at("count").as_int();
  int64_t count = event.at("count").as_int();
  return count == 0 ? 1 : count;
}

std::vector<Value> cells(const Value& event, WallTime now) {
  const Value& about = event.at("involvedObject");
  std::string object = lower(about.at("kind").as_string());
  if (!is_absent_or_empty(about.at("name"))) object += "/" + std::string(about.at("name").as_string());
  std::string message(event.at("message").as_string());
  size_t end = message.find_last_not_of(" \t\r\n");
  message.resize(end == std::string::npos ? 0 : end + 1);
  return {last_seen(event, now),
          text_or(event.at("type"), ""),
          text_or(event.at("reason"), ""),
          object,
          text_or(about.at("fieldPath"), ""),
          source_text(event),
          message,
          first_seen(event, now),
          count_of(event),
          name_of(event)};
}

std::optional<std::string> field(const Value& event, std::string_view path) {
  // The second name of each is that of events.k8s.io.
  for (std::string_view about : {"involvedObject.", "regarding."}) {
    if (!path.starts_with(about)) continue;
    return std::string(event.at({"involvedObject", path.substr(about.size())}).as_string());
  }
  if (path == "reason" || path == "type") return std::string(event.at(path).as_string());
  const Value& component = event.at({"source", "component"});
  const Value& reporter = event.at("reportingComponent");
  if (path == "reportingComponent" || path == "reportingController") return std::string(reporter.as_string());
  if (path == "source") return text_or(component, reporter.as_string());
  return std::nullopt;
}

}  // namespace

KindRules event_rules() {
  KindRules made;
  made.rules = {.validate = validate, .cells = cells, .field = field};
  made.columns = {{"Last Seen", "string", "", "Time since it was seen last."},
                  {"Type", "string", "", "Normal or Warning."},
                  {"Reason", "string", "", "Why it happened, in one word."},
                  {"Object", "string", "", "What it is about."},
                  {"Subobject", "string", "", "The part of that it is about.", 1},
                  {"Source", "string", "", "Who reported it.", 1},
                  {"Message", "string", "", "What happened."},
                  {"First Seen", "string", "", "Time since it was seen first.", 1},
                  {"Count", "string", "", "How often it was seen.", 1},
                  {"Name", "string", "name", "The event's own name.", 1}};
  made.selectable_fields = {"involvedObject.kind",
                            "involvedObject.namespace",
                            "involvedObject.name",
                            "involvedObject.uid",
                            "involvedObject.apiVersion",
                            "involvedObject.resourceVersion",
                            "involvedObject.fieldPath",
                            "regarding.kind",
                            "regarding.namespace",
                            "regarding.name",
                            "regarding.uid",
                            "regarding.apiVersion",
                            "regarding.resourceVersion",
                            "regarding.fieldPath",
                            "reason",
                            "reportingComponent",
                            "reportingController",
                            "source",
                            "type"};
  return made;
}

}  // namespace stead::kinds
