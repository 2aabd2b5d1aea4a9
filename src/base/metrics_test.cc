#include "base/metrics.h"

#include <gtest/gtest.h>

namespace stead::metrics {
namespace {

TEST(Metrics, AreShownInPrometheusTextForm) {
  static constexpr double kBounds[] = {0.5, 1};
  counter("a_total", "Things.", {{"kind", "x\"y\\z\n"}}).add();
  counter("a_total", "Things.", {{"kind", "x\"y\\z\n"}}).add(2);
  gauge("b", "Level.", {}).set(-1.5);
  Histogram& taken = histogram("c_seconds", "Time.", {{"verb", "GET"}}, kBounds);
  for (double value : {0.25, 0.5, 0.75, 3.0}) taken.observe(value);
  const Family more[] = {{"d", "Late.", "gauge", {{labels_text(std::vector<Label>{{"n", "1"}}), 7}}}};
  EXPECT_EQ(
      text(more),
      "# HELP a_total Things.\n# TYPE a_total counter\na_total{kind=\"x\\\"y\\\\z\\n\"} 3\n"
      "# HELP b Level.\n# TYPE b gauge\nb -1.5\n"
      "# HELP c_seconds Time.\n# TYPE c_seconds histogram\n"
      "c_seconds_bucket{verb=\"GET\",le=\"0.5\"} 2\nc_seconds_bucket{verb=\"GET\",le=\"1\"} 3\n"
      "c_seconds_bucket{verb=\"GET\",le=\"+Inf\"} 4\nc_seconds_sum{verb=\"GET\"} 4.5\nc_seconds_count{verb=\"GET\"} 4\n"
      "# HELP d Late.\n# TYPE d gauge\nd{n=\"1\"} 7\n");
}

TEST(Metrics, OfOneNameAndLabelsAreOne) {
  EXPECT_EQ(&counter("same_total", "", {{"a", "1"}}), &counter("same_total", "", {{"a", "1"}}));
  EXPECT_NE(&counter("same_total", "", {{"a", "1"}}), &counter("same_total", "", {{"a", "2"}}));
}

}  // namespace
}  // namespace stead::metrics
