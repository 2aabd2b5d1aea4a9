// Why a container is not ready.

#include <fmt/format.h>

#include "cli/why/explain.h"

namespace stead::cli::why {
namespace {

using object::Object;

std::string ended_text(const Value& terminated) {
  std::string_view reason = terminated.at("reason").as_string();
  std::string text = fmt::format("exit code {}", terminated.at("exitCode").as_int());
  if (int64_t signal = terminated.at("signal").as_int(); signal != 0) text += fmt::format(", signal {}", signal);
  if (!reason.empty() && reason != "Error" && reason != "Completed") text += fmt::format(" ({})", reason);
  return text;
}

Cause crash(const ClusterView& view, const Object& pod, std::string_view name, const Value& status, bool previous) {
  const Value& ended = previous ? status.at({"lastState", "terminated"}) : status.at({"state", "terminated"});
  std::string command =
      fmt::format("kubectl logs {} -c {}{}{}", pod.name(), name, namespace_option(pod), previous ? " --previous" : "");
  Cause cause{fmt::format("container {} ended with {}, {} restarts so far", name, ended_text(ended),
                          status.at("restartCount").as_int()),
              command,
              {}};
  if (ended.at("reason").as_string() == "OOMKilled") {
    cause.mend = "raise resources.limits.memory of the container";
    cause.causes.push_back({"it used more memory than resources.limits.memory allows", {}, {}});
  }
  std::string_view message = ended.at("message").as_string();
  std::string last = view.last_log_line ? view.last_log_line(pod.ns(), pod.name(), name, previous) : std::string();
  if (!message.empty()) {
    cause.causes.push_back({fmt::format("it left the message: {}", message), {}, {}});
  } else if (!last.empty()) {
    cause.causes.push_back({fmt::format("its last words: {}", last), {}, {}});
  }
  return cause;
}

Cause image(const Object& pod, std::string_view name, const Value& container, const Value& waiting) {
  std::string_view text = container.at("image").as_string();
  std::string_view reason = waiting.at("reason").as_string();
  std::string_view message = waiting.at("message").as_string();
  Cause cause{fmt::format("container {}: the image {} cannot be had ({})", name, text, reason), {}, {}};
  if (!message.empty()) cause.causes.push_back({std::string(message), {}, {}});
  cause.mend = fmt::format("stead image import FILE.tar   # with {}; or kubectl set image pod/{} {}=IMAGE{}", text,
                           pod.name(), name, namespace_option(pod));
  return cause;
}

// Why a container that runs is not ready: what its probe last said.
Cause unready(const ClusterView& view, const Object& pod, std::string_view name, const Value& container,
              const Value& status) {
  bool starting = container.find("startupProbe") != nullptr && !status.at("started").as_bool();
  std::string_view probe = starting ? "startup" : "readiness";
  Cause cause{fmt::format("container {} runs, but its {} probe does not succeed", name, probe), {}, {}};
  if (container.find(starting ? "startupProbe" : "readinessProbe") == nullptr) {
    cause.text = fmt::format("container {} runs, but is not reported ready yet", name);
    return cause;
  }
  std::string message = view.newest_warning(pod, {"Unhealthy"}, name);
  cause.causes.push_back({message.empty() ? "it has not failed yet: it waits for its first success" : message, {}, {}});
  cause.mend = fmt::format("kubectl logs {} -c {}{}", pod.name(), name, namespace_option(pod));
  return cause;
}

bool is_image_reason(std::string_view reason) {
  return reason.find("Image") != std::string_view::npos || reason == "RegistryUnavailable";
}

}  // namespace

std::optional<Cause> container_cause(const ClusterView& view, const Object& pod, const Value& container,
                                     const Value& status, bool init) {
  std::string_view name = container.at("name").as_string();
  bool sidecar = init && container.at("restartPolicy").as_string() == "Always";
  const Value* waiting = status.find({"state", "waiting"});
  const Value* ended = status.find({"state", "terminated"});
  const Value* running = status.find({"state", "running"});
  if (waiting != nullptr) {
    std::string_view reason = waiting->at("reason").as_string();
    if (is_image_reason(reason)) return image(pod, name, container, *waiting);
    if (reason == "CrashLoopBackOff") return crash(view, pod, name, status, true);
    if (reason == "PodInitializing" || reason == "ContainerCreating" || reason.empty()) return std::nullopt;
    return Cause{fmt::format("container {}: {}: {}", name, reason, waiting->at("message").as_string()), {}, {}};
  }
  if (ended != nullptr) {
    if (init && ended->at("exitCode").as_int() == 0) return std::nullopt;
    return crash(view, pod, name, status, false);
  }
  if (running == nullptr) return std::nullopt;
  if (init && !sidecar) {
    Cause cause{fmt::format("init container {} still runs", name),
                fmt::format("kubectl logs {} -c {}{}", pod.name(), name, namespace_option(pod)),
                {}};
    std::string last = view.last_log_line ? view.last_log_line(pod.ns(), pod.name(), name, false) : std::string();
    if (!last.empty()) cause.causes.push_back({fmt::format("its last words: {}", last), {}, {}});
    return cause;
  }
  if (status.at("ready").as_bool()) return std::nullopt;
  return unready(view, pod, name, container, status);
}

}  // namespace stead::cli::why
