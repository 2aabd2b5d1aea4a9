#include "node/server/target.h"

#include <fmt/format.h>

#include <charconv>

#include "http/http.h"
#include "http/target.h"
#include "object/time.h"

namespace stead::node {
namespace {

using Kind = KubeletTarget::Kind;

constexpr int64_t kSinceSecondsMax = int64_t{100} * 366 * 24 * 3600;
constexpr size_t kPortsMax = 64;

// "/a/b/c" → {"a", "b", "c"}
std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    size_t end = path.find('/');
    segments.emplace_back(path.substr(0, end));
    path = end == std::string_view::npos ? std::string_view() : path.substr(end);
  }
  return segments;
}

Result<std::optional<int64_t>> number(const http::Request& request, std::string_view name) {
  std::string_view text = request.query_value(name);
  if (text.empty()) return std::optional<int64_t>();
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return make_error(Reason::kBadRequest, fmt::format("{}: {} is not an integer", name, text));
  }
  return std::optional(value);
}

Error invalid(const KubeletTarget& target, const char* type, const char* field, std::string text) {
  Error error =
      make_error(Reason::kInvalid, fmt::format("PodLogOptions \"{}\" is invalid: {}: {}", target.pod, field, text));
  error.kind = "PodLogOptions";
  error.name = target.pod;
  error.causes.push_back({type, std::move(text), field});
  return error;
}

Error too_small(const KubeletTarget& target, const char* field, int64_t value, std::string_view bound) {
  return invalid(target, "FieldValueInvalid", field,
                 fmt::format("Invalid value: {}: must be greater than {}", value, bound));
}

Result<void> read_output(const http::Request& request, KubeletTarget& target) {
  std::string_view output = request.query_value("stream");
  if (output == "Stdout") {
    target.logs.output = LogOutput::kStdout;
  } else if (output == "Stderr") {
    target.logs.output = LogOutput::kStderr;
  } else if (!output.empty() && output != "All") {
    return invalid(target, "FieldValueNotSupported", "stream",
                   fmt::format("Unsupported value: \"{}\": supported values: \"All\", \"Stderr\", \"Stdout\"", output));
  }
  if (target.logs.output != LogOutput::kAll && target.logs.tail_lines) {
    return invalid(target, "FieldValueForbidden", "tailLines",
                   "Forbidden: `tailLines` and specific `stream` are mutually exclusive for now");
  }
  return {};
}

Result<void> read_log_options(const http::Request& request, WallTime now, KubeletTarget& target) {
  LogOptions& logs = target.logs;
  logs.follow = request.has_flag("follow");
  logs.previous = request.has_flag("previous");
  logs.timestamps = request.has_flag("timestamps");
  STEAD_TRY(tail_lines, number(request, "tailLines"));
  STEAD_TRY(limit_bytes, number(request, "limitBytes"));
  STEAD_TRY(since_seconds, number(request, "sinceSeconds"));
  std::string_view since_time = request.query_value("sinceTime");
  if (tail_lines && *tail_lines < 0) return too_small(target, "tailLines", *tail_lines, "or equal to 0");
  if (limit_bytes && *limit_bytes < 1) return too_small(target, "limitBytes", *limit_bytes, "0");
  if (since_seconds && *since_seconds < 1) return too_small(target, "sinceSeconds", *since_seconds, "0");
  if (since_seconds && !since_time.empty()) {
    return invalid(target, "FieldValueForbidden", "sinceSeconds",
                   "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified");
  }
  logs.tail_lines = tail_lines;
  logs.limit_bytes = limit_bytes;
  if (since_seconds) logs.since = now - std::chrono::seconds(std::min(*since_seconds, kSinceSecondsMax));
  if (!since_time.empty()) {
    logs.since = object::parse_time(since_time);
    if (!logs.since) {
      return make_error(Reason::kBadRequest, fmt::format("sinceTime: {} is not an RFC 3339 time", since_time));
    }
  }
  return read_output(request, target);
}

Result<void> read_stream_options(const http::Request& request, KubeletTarget& target) {
  target.tty = request.has_flag("tty");
  target.input = request.has_flag("input");
  target.output = request.has_flag("output");
  // A terminal has one output.
  target.error = request.has_flag("error") && !target.tty;
  for (const auto& [name, value] : request.query) {
    if (name == "command") target.command.push_back(value);
  }
  if (!target.input && !target.output && !target.error) {
    return make_error(Reason::kBadRequest, "you must specify at least 1 of stdin, stdout, stderr");
  }
  if (target.kind == Kind::kExec && target.command.empty()) {
    return make_error(Reason::kBadRequest, "you must specify at least 1 command for the container");
  }
  return {};
}

// "port" is the kubelet's name, "ports" the API's; either may hold a list.
Result<void> read_ports(const http::Request& request, KubeletTarget& target) {
  for (const auto& [name, value] : request.query) {
    if (name != "port" && name != "ports") continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      std::string_view text = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), text.size() + 1));
      int32_t port = 0;
      auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
      if (error != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535) {
        return make_error(Reason::kBadRequest, fmt::format("{}: {} is not a port (1-65535)", name, text));
      }
      if (target.ports.size() == kPortsMax) {
        return make_error(Reason::kBadRequest, fmt::format("{}: more than {} ports", name, kPortsMax));
      }
      target.ports.push_back(port);
    }
  }
  return {};
}

struct PathForm {
  std::string_view first;
  size_t segments;
  Kind kind;
  std::string_view second = {};  // where it is always the same
};
constexpr PathForm kForms[] = {{"containerLogs", 4, Kind::kLogs},
                               {"exec", 4, Kind::kExec},
                               {"attach", 4, Kind::kAttach},
                               {"portForward", 3, Kind::kPortForward},
                               {"healthz", 1, Kind::kHealth},
                               {"stats", 2, Kind::kStats, "summary"},
                               {"metrics", 1, Kind::kMetrics},
                               {"metrics", 2, Kind::kResourceMetrics, "resource"},
                               {"metrics", 2, Kind::kContainerMetrics, "cadvisor"}};

bool has_form(const std::vector<std::string>& segments, const PathForm& form) {
  if (segments.size() != form.segments || segments[0] != form.first) return false;
  if (!form.second.empty()) return segments[1] == form.second;
  for (const std::string& segment : segments) {
    if (segment.empty()) return false;
  }
  return true;
}

}  // namespace

Result<KubeletTarget> parse_kubelet_target(const std::string& text, WallTime now) {
  http::Request request;
  request.method = "GET";
  request.target = text;
  if (!http::parse_target(request)) return make_error(Reason::kBadRequest, "the target cannot be read");
  std::vector<std::string> segments = segments_of(request.path);
  if (segments.size() == 5 && (segments[0] == "exec" || segments[0] == "attach")) segments.erase(segments.begin() + 3);
  for (const PathForm& form : kForms) {
    if (!has_form(segments, form)) continue;
    KubeletTarget target;
    target.kind = form.kind;
    if (form.segments < 3) return target;
    target.ns = segments[1];
    target.pod = segments[2];
    if (form.segments == 4) target.container = segments[3];
    if (form.kind == Kind::kLogs) STEAD_TRY_VOID(read_log_options(request, now, target));
    if (form.kind == Kind::kExec || form.kind == Kind::kAttach) STEAD_TRY_VOID(read_stream_options(request, target));
    if (form.kind == Kind::kPortForward) STEAD_TRY_VOID(read_ports(request, target));
    return target;
  }
  return make_error(Reason::kNotFound, "the node does not serve " + request.path);
}

}  // namespace stead::node
