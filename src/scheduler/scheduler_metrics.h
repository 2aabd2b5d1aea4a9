#pragma once

// What the scheduler counts: Kubernetes' scheduler_* metrics. Schedulers of one name add up. Any thread.

#include <string>

#include "base/clock.h"
#include "base/metrics.h"

namespace stead::scheduler {

class SchedulerMetrics {
 public:
  explicit SchedulerMetrics(const std::string& scheduler);

  enum class Result : uint8_t { kScheduled, kUnschedulable, kError };
  void tried(Result result);
  // How long the search for a node took.
  void searched(Duration time);
  void set_unschedulable(size_t pods) { unschedulable_.set(static_cast<double>(pods)); }

 private:
  metrics::Number& scheduled_;
  metrics::Number& failed_;
  metrics::Number& errors_;
  metrics::Histogram& search_seconds_;
  metrics::Number& unschedulable_;
};

}  // namespace stead::scheduler
