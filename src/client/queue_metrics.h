#pragma once

// What work queues count, by their name: Kubernetes' workqueue_* metrics. Queues of one name add up. Any thread.

#include <string>

#include "base/clock.h"
#include "base/metrics.h"

namespace stead::client {

struct QueueMetrics {
  explicit QueueMetrics(const std::string& name);

  metrics::Number& depth;
  metrics::Number& adds;
  metrics::Number& retries;
  metrics::Histogram& waited_seconds;
  metrics::Histogram& worked_seconds;
};

}  // namespace stead::client
