#include "node/server/log_policy.h"

#include <fmt/format.h>

namespace stead::node {
namespace {

std::string waiting_text(const std::string& reason) {
  if (reason == "ErrImagePull") return "image can't be pulled";
  if (reason == "ImagePullBackOff") return "trying and failing to pull image";
  return reason;
}

}  // namespace

Result<LogSource> choose_log(const ContainerReport& report, uint32_t attempt, bool previous,
                             const std::string& container, const std::string& pod, const std::string& usual_reason) {
  bool has_ended = report.current && report.current->state == ContainerState::kExited;
  bool live = report.current && !has_ended &&
              (report.phase == ContainerPhase::kRunning || report.phase == ContainerPhase::kStopping);
  // Shown as waiting, with the newest instance as the last one.
  bool waits = !live && !(has_ended && report.waiting_reason.empty());

  LogSource source;
  source.attempt = attempt;
  if (previous) {
    source.or_earlier = true;
    source.missing =
        make_error(Reason::kBadRequest,
                   fmt::format("previous terminated container \"{}\" in pod \"{}\" not found", container, pod));
    if (waits && (has_ended || !report.last_terminated.is_null())) return source;
    if (report.last_terminated.is_null() || attempt == 0) return source.missing;
    --source.attempt;
    return source;
  }
  if (!waits) {
    if (live) source.container_id = report.current->id;
    return source;
  }
  std::string reason = report.waiting_reason.empty() ? usual_reason : report.waiting_reason;
  Error waiting = make_error(Reason::kBadRequest, fmt::format("container \"{}\" in pod \"{}\" is waiting to start: {}",
                                                              container, pod, waiting_text(reason)));
  if (!has_ended && report.last_terminated.is_null()) return waiting;
  source.or_earlier = true;
  source.missing = std::move(waiting);
  return source;
}

}  // namespace stead::node
