#include "node/server/usage_metrics.h"

#include <gtest/gtest.h>

#include "node/containers/container_plan.h"

namespace stead::node {
namespace {

ContainerUsage usage(const std::string& container, const std::string& pod, uint64_t cpu, uint64_t memory) {
  return {container + "-id",
          container,
          {{kLabelPodUid, pod + "-uid"}, {kLabelPodName, pod}, {kLabelPodNamespace, "ns"}},
          cpu,
          memory};
}

const std::vector<ContainerUsage> kUsages = {usage("a", "web-0", 1'500'000'000, 100),
                                             usage("b", "web-0", 500'000'000, 50), usage("a", "web-1", 0, 7),
                                             ContainerUsage{"other", "other", {}, 1, 1}};
const WallTime kNow{std::chrono::seconds(1000)};

TEST(UsageMetrics, OfContainersPodsAndTheNode) {
  std::string text = resource_metrics(kUsages, kNow);
  for (const char* line :
       {"container_cpu_usage_seconds_total{container=\"a\",namespace=\"ns\",pod=\"web-0\"} 1.5 1000000\n",
        "container_memory_working_set_bytes{container=\"b\",namespace=\"ns\",pod=\"web-0\"} 50 1000000\n",
        "\npod_cpu_usage_seconds_total{namespace=\"ns\",pod=\"web-0\"} 2 1000000\n",
        "\npod_memory_working_set_bytes{namespace=\"ns\",pod=\"web-1\"} 7 1000000\n",
        "\nnode_memory_working_set_bytes 157 1000000\n", "\nresource_scrape_error 0\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "in\n" << text;
  }
  EXPECT_EQ(text.find("\"other\""), std::string::npos);
}

TEST(UsageMetrics, ByTheNamesOfCadvisor) {
  EXPECT_NE(container_metrics(kUsages, kNow)
                .find("container_cpu_usage_seconds_total{container=\"b\",cpu=\"total\",id=\"b-id\",name=\"b-id\","
                      "namespace=\"ns\","
                      "pod=\"web-0\"} 0.5 1000000\n"),
            std::string::npos);
}

TEST(UsageMetrics, CountWhatRuns) {
  std::string text = kubelet_metrics("node1", kUsages);
  EXPECT_NE(text.find("kubelet_node_name{node=\"node1\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("kubelet_running_containers{container_state=\"running\"} 3\n"), std::string::npos);
  EXPECT_NE(text.find("kubelet_running_pods 2\n"), std::string::npos);
}

}  // namespace
}  // namespace stead::node
