#include "client/queue_metrics.h"

namespace stead::client {
namespace {

constexpr double kSeconds[] = {1e-4, 1e-3, 1e-2, 0.1, 1, 10};

}  // namespace

QueueMetrics::QueueMetrics(const std::string& name)
    : depth(metrics::gauge("workqueue_depth", "Keys that wait for their turn.", {{"name", name}})),
      adds(metrics::counter("workqueue_adds_total", "Keys that were queued.", {{"name", name}})),
      retries(metrics::counter("workqueue_retries_total", "Keys queued again because they failed.", {{"name", name}})),
      waited_seconds(metrics::histogram("workqueue_queue_duration_seconds", "How long keys waited for their turn.",
                                        {{"name", name}}, kSeconds)),
      worked_seconds(metrics::histogram("workqueue_work_duration_seconds", "How long a key's turn took.",
                                        {{"name", name}}, kSeconds)) {}

}  // namespace stead::client
