#include "scheduler/scheduler_metrics.h"

namespace stead::scheduler {
namespace {

constexpr double kSeconds[] = {1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1};

metrics::Number& attempts(const char* result, const std::string& scheduler) {
  return metrics::counter("scheduler_schedule_attempts_total", "Attempts to schedule pods, by result.",
                          {{"profile", scheduler}, {"result", result}});
}

}  // namespace

SchedulerMetrics::SchedulerMetrics(const std::string& scheduler)
    : scheduled_(attempts("scheduled", scheduler)),
      failed_(attempts("unschedulable", scheduler)),
      errors_(attempts("error", scheduler)),
      search_seconds_(metrics::histogram("scheduler_scheduling_algorithm_duration_seconds",
                                         "How long the search for a node took.", {}, kSeconds)),
      unschedulable_(metrics::gauge("scheduler_pending_pods", "Pods that wait for a node, by queue.",
                                    {{"queue", "unschedulable"}})) {}

void SchedulerMetrics::tried(Result result) {
  (result == Result::kScheduled ? scheduled_ : result == Result::kError ? errors_ : failed_).add();
}

void SchedulerMetrics::searched(Duration time) { search_seconds_.observe(std::chrono::duration<double>(time).count()); }

}  // namespace stead::scheduler
