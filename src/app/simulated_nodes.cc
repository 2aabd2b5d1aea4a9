#include "app/simulated_nodes.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <future>

#include "node/runtime/fake_runtime.h"

namespace stead::app {
namespace {

constexpr uint32_t kNodeAddressBase = (198U << 24) | (18U << 16);  // 198.18.0.0/15
constexpr uint32_t kRangeSize = 256;

// A runtime in memory never blocks: its calls need no threads.
class LoopPool final : public loop::WorkerPool {
 public:
  explicit LoopPool(loop::Loop& loop) : loop_(loop) {}
  void run(loop::Task work) override { loop_.post(std::move(work)); }

 private:
  loop::Loop& loop_;
};

struct Range {
  uint32_t first = 0;
  uint32_t last = 0;
};

Result<Range> parse_range(const std::string& option, const std::string& text) {
  size_t slash = text.find('/');
  in_addr address{};
  int bits = slash == std::string::npos ? -1 : std::atoi(text.c_str() + slash + 1);
  if (bits < 1 || bits > 32 || inet_pton(AF_INET, text.substr(0, slash).c_str(), &address) != 1) {
    return make_error(Reason::kInvalid, fmt::format("{}: \"{}\" is not a range such as 10.42.0.0/16", option, text));
  }
  uint32_t mask = ~uint32_t{0} << (32 - bits);
  uint32_t first = ntohl(address.s_addr) & mask;
  return Range{first, first | ~mask};
}

std::string dotted(uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, (address >> 16) & 255, (address >> 8) & 255, address & 255);
}

}  // namespace

Result<std::vector<SimulatedNodePlace>> place_simulated_nodes(int count, const std::string& name,
                                                              const std::string& pod_cidr,
                                                              const std::string& service_cidr) {
  STEAD_TRY(pods, parse_range("--pod-cidr", pod_cidr));
  STEAD_TRY(services, parse_range("--service-cidr", service_cidr));
  std::vector<SimulatedNodePlace> places;
  uint64_t next = pods.first;
  for (int number = 1; number <= count; ++number) {
    if (next <= services.last && next + kRangeSize > services.first) {
      next = (uint64_t{services.last} / kRangeSize + 1) * kRangeSize;
    }
    if (next + kRangeSize > uint64_t{1} << 32) {
      return make_error(Reason::kInvalid, fmt::format("--pod-cidr: there is no room for {} nodes from {} on, with 256 "
                                                      "addresses each",
                                                      count, pod_cidr));
    }
    bool named = count == 1 && !name.empty();
    places.push_back({named ? name : fmt::format("node-{}", number),
                      dotted(kNodeAddressBase + static_cast<uint32_t>(number)),
                      dotted(static_cast<uint32_t>(next)) + "/24"});
    next += kRangeSize;
  }
  return places;
}

struct SimulatedNodes::One {
  std::string name;
  std::unique_ptr<node::FakeRuntime> runtime;
  std::unique_ptr<client::ApiTransport> transport;
  std::unique_ptr<node::Node> node;
};

SimulatedNodes::SimulatedNodes(apiserver::ApiServer& api, ClusterNodeGateway& gateway,
                               const std::vector<SimulatedNodePlace>& places, const node::NodeOptions& options)
    : gateway_(gateway),
      pool_(std::make_unique<LoopPool>(loop_)),
      files_(std::make_unique<node::NoFiles>()),
      dialer_(std::make_unique<node::AgreeableDialer>()) {
  for (const SimulatedNodePlace& place : places) {
    auto one = std::make_unique<One>();
    one->name = place.name;
    node::FakeRuntimeOptions runtime;
    runtime.address_prefix = place.pod_range.substr(0, place.pod_range.rfind('.'));
    one->runtime = std::make_unique<node::FakeRuntime>(loop_, std::move(runtime));
    one->transport = api.transport({"system:node:" + place.name, "", {"system:nodes", "system:authenticated"}}, loop_);
    node::NodeOptions own = options;
    own.node_name = place.name;
    own.node_ip = place.address;
    own.pod_cidr = place.pod_range;
    one->node = std::make_unique<node::Node>(*one->transport, loop_, *pool_, *one->runtime, *files_, *dialer_, own);
    loop_.post([node = one->node.get()] { node->start(); });
    gateway_.set(place.name, one->node.get());
    nodes_.push_back(std::move(one));
  }
  loop_.start_thread("node");
}

SimulatedNodes::~SimulatedNodes() {
  for (const auto& one : nodes_) gateway_.set(one->name, nullptr);
  std::promise<void> ended;
  loop_.post([this, &ended] {
    for (const auto& one : nodes_) one->node.reset();
    ended.set_value();
  });
  ended.get_future().wait();
  loop_.stop();
  loop_.join();
}

}  // namespace stead::app
