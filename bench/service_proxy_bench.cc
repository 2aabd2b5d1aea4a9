// Programs services into a real kernel, then changes one endpoint at a time:
//
//   service_proxy_bench [SERVICES] [ENDPOINTS]      (default 1000 10)
//
// In a network namespace of its own; needs root. Prints JSON.

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <vector>

#include "client/fake_api.h"
#include "loop/asio_loop.h"
#include "network/service_proxy/kernel_adapter.h"
#include "network/service_proxy/service_proxy.h"
#include "object/codec.h"

namespace stead::bench {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;
constexpr int kChanges = 50;

object::Value service(int index) {
  return *object::parse_yaml(
      fmt::format("{{metadata: {{namespace: default, name: web-{0}}}, spec: {{clusterIP: 10.43.{1}.{2}, "
                  "ports: [{{port: 80}}]}}}}",
                  index, index / 250 + 1, index % 250 + 1));
}

object::Value slice(int index, int endpoints, int round) {
  std::string list;
  for (int item = 0; item < endpoints; ++item) {
    const int number = index * endpoints + item + (item == 0 ? round * 7 : 0);
    list += fmt::format("{{addresses: [10.{}.{}.{}]}},", 64 + number / 62500, number / 250 % 250, number % 250 + 1);
  }
  return *object::parse_yaml(
      fmt::format("{{metadata: {{namespace: default, name: web-{0}, labels: {{kubernetes.io/service-name: web-{0}}}}}, "
                  "addressType: IPv4, ports: [{{port: 8080}}], endpoints: [{1}]}}",
                  index, list));
}

// Knows when the kernel has a change.
struct TimedKernel final : network::service_proxy::KernelAdapter {
  Result<void> apply(const network::service_proxy::Change& change) override {
    Result<void> result = kernel->apply(change);
    if (!result.ok()) fmt::print(stderr, "{}\n", result.error().message);
    applied.set_value();
    return result;
  }
  std::shared_ptr<KernelAdapter> kernel = network::service_proxy::make_kernel_adapter();
  std::promise<void> applied;
};

int run(int services, int endpoints) {
  if (unshare(CLONE_NEWNET) != 0) {
    std::fputs("needs root\n", stderr);
    return 1;
  }
  loop::AsioLoop loop;
  client::FakeApi api(loop);
  for (int index = 0; index < services; ++index) {
    api.put({"", "services"}, service(index));
    api.put({"discovery.k8s.io", "endpointslices"}, slice(index, endpoints, 0));
  }
  auto kernel = std::make_shared<TimedKernel>();
  auto pool = loop::make_worker_pool("nftables", 1);
  auto proxy = std::make_unique<network::ServiceProxy>(
      api, loop, *pool, kernel,
      network::ServiceProxyOptions{"node1", {"10.64.0.0/12"}, {"10.43.0.0/16"}, {"10.43.0.1"}});
  auto begin = std::chrono::steady_clock::now();
  if (!proxy->start().ok()) return 1;
  loop.start_thread("services");
  kernel->applied.get_future().wait();
  const double first = Milliseconds(std::chrono::steady_clock::now() - begin).count();
  std::vector<double> times;
  for (int round = 1; round <= kChanges; ++round) {
    kernel->applied = {};
    auto done = kernel->applied.get_future();
    begin = std::chrono::steady_clock::now();
    loop.post([&, round] {
      api.put({"discovery.k8s.io", "endpointslices"}, slice(round * 13 % services, endpoints, round));
    });
    done.wait();
    times.push_back(Milliseconds(std::chrono::steady_clock::now() - begin).count());
  }
  loop.post([&] { proxy.reset(); });
  std::promise<void> ended;
  loop.post([&] { ended.set_value(); });
  ended.get_future().wait();
  loop.stop();
  loop.join();
  std::sort(times.begin(), times.end());
  fmt::print(
      "{{\"services\": {}, \"endpoints\": {}, \"program_ms\": {:.0f}, \"change_ms_median\": {:.1f}, "
      "\"change_ms_max\": {:.1f}}}\n",
      services, endpoints, first, times[times.size() / 2], times.back());
  return 0;
}

}  // namespace
}  // namespace stead::bench

int main(int argc, char** argv) {
  return stead::bench::run(argc > 1 ? std::atoi(argv[1]) : 1000, argc > 2 ? std::atoi(argv[2]) : 10);
}
