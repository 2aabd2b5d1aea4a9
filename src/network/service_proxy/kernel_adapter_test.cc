// The rules at work in a real kernel, in network namespaces of the test's own that have no way out: a node, two pods
// and a stranger on its network.

#include "network/service_proxy/kernel_adapter.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <map>
#include <set>
#include <thread>

#include "client/fake_api.h"
#include "loop/simulated_loop.h"
#include "network/pod_network/node_link.h"
#include "network/service_proxy/service_proxy.h"
#include "network/service_proxy/test_documents.h"

namespace stead::network::service_proxy {
namespace {

using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

constexpr int kLimitSeconds = 3;

std::string output_of(const std::string& command) {
  std::string output;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  char buffer[4096];
  while (size_t count = fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, count);
  pclose(pipe);
  return output;
}

sockaddr_in address_of(const std::string& address, uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  inet_pton(AF_INET, address.c_str(), &result.sin_addr);
  return result;
}

// A named network namespace, gone with the object.
class Netns {
 public:
  explicit Netns(std::string name) : name_(std::move(name)) {
    EXPECT_EQ(output_of("ip netns add " + name_), "");
    fd_ = open(("/var/run/netns/" + name_).c_str(), O_RDONLY | O_CLOEXEC);
    run("ip link set lo up");
  }
  Netns(const Netns&) = delete;
  Netns& operator=(const Netns&) = delete;
  ~Netns() {
    close(fd_);
    output_of("ip netns del " + name_);
  }
  const std::string& name() const { return name_; }
  std::string run(const std::string& command) const {
    return output_of("nsenter --net=/var/run/netns/" + name_ + " " + command);
  }
  // A socket that belongs to this namespace, whichever the calling thread is in.
  int socket(int type) const {
    const int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    EXPECT_EQ(setns(fd_, CLONE_NEWNET), 0);
    const int made = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
    EXPECT_EQ(setns(home, CLONE_NEWNET), 0);
    close(home);
    timeval limit{kLimitSeconds, 0};
    setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(made, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    return made;
  }
  void enter() const { ASSERT_EQ(setns(fd_, CLONE_NEWNET), 0); }

 private:
  std::string name_;
  int fd_ = -1;
};

// Answers "NAME CLIENT-ADDRESS" on TCP and UDP port 8080 until destroyed.
class Listener {
 public:
  Listener(const Netns& netns, std::string name, const std::string& address)
      : name_(std::move(name)), tcp_(netns.socket(SOCK_STREAM)), udp_(netns.socket(SOCK_DGRAM)) {
    sockaddr_in here = address_of(address, 8080);
    EXPECT_EQ(bind(tcp_, reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
    EXPECT_EQ(bind(udp_, reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
    EXPECT_EQ(listen(tcp_, 64), 0);
    timeval forever{};
    setsockopt(tcp_, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof forever);
    setsockopt(udp_, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof forever);
    tcp_thread_ = std::thread([this] { serve_tcp(); });
    udp_thread_ = std::thread([this] { serve_udp(); });
  }
  ~Listener() {
    ending_ = true;
    shutdown(tcp_, SHUT_RDWR);
    shutdown(udp_, SHUT_RDWR);
    tcp_thread_.join();
    udp_thread_.join();
    close(tcp_);
    close(udp_);
  }

 private:
  std::string answer_to(const sockaddr_in& from) const {
    char text[INET_ADDRSTRLEN];
    return name_ + " " + inet_ntop(AF_INET, &from.sin_addr, text, sizeof text);
  }
  void serve_tcp() {
    for (;;) {
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const int client = accept(tcp_, reinterpret_cast<sockaddr*>(&from), &size);
      if (client < 0) return;
      const std::string text = answer_to(from);
      send(client, text.data(), text.size(), MSG_NOSIGNAL);
      close(client);
    }
  }
  void serve_udp() {
    while (!ending_) {
      char buffer[64];
      sockaddr_in from{};
      socklen_t size = sizeof from;
      if (recvfrom(udp_, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size) <= 0) continue;
      const std::string text = answer_to(from);
      sendto(udp_, text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }

  const std::string name_;
  std::atomic<bool> ending_ = false;
  const int tcp_;
  const int udp_;
  std::thread tcp_thread_;
  std::thread udp_thread_;
};

// One question on a socket: the answer, or the error's name.
std::string ask(int socket, const std::string& address, uint16_t port) {
  sockaddr_in target = address_of(address, port);
  if (connect(socket, reinterpret_cast<sockaddr*>(&target), sizeof target) != 0) return strerrorname_np(errno);
  send(socket, "?", 1, MSG_NOSIGNAL);
  char buffer[64];
  const ssize_t got = recv(socket, buffer, sizeof buffer, 0);
  return got < 0 ? strerrorname_np(errno) : std::string(buffer, static_cast<size_t>(got));
}

std::string ask_once(const Netns& from, const std::string& address, uint16_t port, int type = SOCK_STREAM) {
  const int socket = from.socket(type);
  std::string answer = ask(socket, address, port);
  close(socket);
  return answer;
}

class Machine {
 public:
  Machine() {
    const std::string in_stranger = " netns " + stranger.name();
    node.run("ip link add outside type veth peer name eth0" + in_stranger);
    node.run("ip addr add 192.0.2.10/24 dev outside");
    node.run("ip link set outside up");
    stranger.run("ip addr add 192.0.2.77/24 dev eth0");
    stranger.run("ip link set eth0 up");
    stranger.run("ip route add 10.43.0.0/16 via 192.0.2.10");
    stranger.run("ip route add 203.0.113.0/24 via 192.0.2.10");
    join(pod1, "veth1", "10.42.0.2");
    join(pod2, "veth2", "10.42.0.3");
    node.enter();
    const NodeLinkOptions link{.addresses = {"10.43.0.1"},
                               .service_cidrs = {"10.43.0.0/16"},
                               .pod_cidrs = {"10.42.0.0/16"},
                               .source = "192.0.2.10"};
    const Result<void> made = ensure_node_link(link);
    EXPECT_TRUE(made.ok()) << made.error().message;
    EXPECT_TRUE(enable_loopback_node_ports(state_path).ok());
    const Result<void> started = proxy_.start();
    EXPECT_TRUE(started.ok());
  }

  ~Machine() { std::remove(state_path.c_str()); }

  void put_service(const std::string& spec) {
    api_.put({"", "services"}, service_document("web", spec));
    settle();
  }
  void put_document(const std::string& yaml) {
    api_.put({"", "services"}, document(yaml));
    settle();
  }
  // The pods by address, as endpoints.
  void put_endpoints(const std::vector<std::string>& addresses, Duration limit = 50ms) {
    std::string list;
    for (const std::string& address : addresses) list += "{addresses: [" + address + "], nodeName: node1},";
    api_.put({"discovery.k8s.io", "endpointslices"},
             slice_document("web", "{name: tcp, port: 8080}, {name: udp, protocol: UDP, port: 8080}", list));
    settle(limit);
  }
  // The limit is shorter than the back-off after an error: the kernel takes each change at the first try.
  void settle(Duration limit = 50ms) {
    simulation_.run_for(5ms);
    EXPECT_TRUE(simulation_.run_until([this] { return proxy_.settled(); }, limit)) << "the kernel refuses";
  }

  static std::string unique(const std::string& what) { return "stead-" + what + "-" + std::to_string(getpid()); }
  const std::string state_path = "/tmp/" + unique("loopback");
  Netns node{unique("node")};
  Netns stranger{unique("stranger")};
  Netns pod1{unique("pod1")};
  Netns pod2{unique("pod2")};
  Listener listener1_{pod1, "pod1", "0.0.0.0"};
  Listener listener2_{pod2, "pod2", "0.0.0.0"};

 private:
  // As the CNI plugin ptp does it.
  void join(const Netns& pod, const std::string& link, const std::string& address) const {
    node.run("ip link add " + link + " type veth peer name eth0 netns " + pod.name());
    node.run("ip addr add 10.42.0.1/32 dev " + link);
    node.run("ip link set " + link + " up");
    node.run("ip route add " + address + " dev " + link);
    pod.run("ip addr add " + address + "/24 dev eth0");
    pod.run("ip link set eth0 up");
    pod.run("ip route del 10.42.0.0/24");
    pod.run("ip route add 10.42.0.1 dev eth0");
    pod.run("ip route add default via 10.42.0.1");
  }

  loop::Simulation simulation_{1};
  loop::SimulatedLoop& loop_ = simulation_.make_loop();
  client::FakeApi api_{loop_};
  ServiceProxy proxy_{api_, loop_, simulation_.worker_pool(), make_kernel_adapter(),
                      ServiceProxyOptions{"node1", {"10.42.0.0/16"}, {"10.43.0.0/16"}, {"10.43.0.1"}}};
};

// On a thread of its own, since it enters the node's namespace.
void on_machine(const std::function<void(Machine&)>& test) {
  if (geteuid() != 0 || output_of("ip netns list").find("rror") != std::string::npos) {
    GTEST_SKIP() << "SKIPPED: needs root and network namespaces";
  }
  std::thread([&] {
    Machine machine;
    test(machine);
  }).join();
}

const std::string kPorts =
    "clusterIP: 10.43.0.50, ports: [{name: tcp, port: 80, nodePort: 30080}, "
    "{name: udp, protocol: UDP, port: 53, nodePort: 30053}]";
const std::string kNodePort = "type: NodePort, " + kPorts;

// How often each answer came.
std::map<std::string, int> tally(const Netns& from, const std::string& address, uint16_t port, int times) {
  std::map<std::string, int> counts;
  for (int time = 0; time < times; ++time) {
    const std::string answer = ask_once(from, address, port);
    ++counts[answer.substr(0, answer.find(' '))];
  }
  return counts;
}

TEST(KernelTest, ConnectionsAreBalancedOverTheEndpoints) {
  on_machine([](Machine& machine) {
    machine.put_service(kNodePort);
    machine.put_endpoints({"10.42.0.2", "10.42.0.3"});
    for (const Netns* from : {&machine.node, &machine.pod1, &machine.stranger}) {
      const auto counts = tally(*from, "10.43.0.50", 80, 40);
      ASSERT_EQ(counts.size(), 2u) << from->name() << testing::PrintToString(counts);
      EXPECT_TRUE(counts.contains("pod1") && counts.contains("pod2")) << testing::PrintToString(counts);
    }
    EXPECT_THAT(ask_once(machine.pod1, "10.43.0.50", 53, SOCK_DGRAM), HasSubstr("pod"));
    machine.put_endpoints({"10.42.0.3"});
    EXPECT_EQ(tally(machine.pod1, "10.43.0.50", 80, 10), (std::map<std::string, int>{{"pod2", 10}}));
  });
}

TEST(KernelTest, WithoutEndpointsConnectionsAreRefusedAtOnce) {
  on_machine([](Machine& machine) {
    machine.put_service(kNodePort);
    for (const Netns* from : {&machine.node, &machine.pod1, &machine.stranger}) {
      EXPECT_EQ(ask_once(*from, "10.43.0.50", 80), "ECONNREFUSED") << from->name();
      EXPECT_EQ(ask_once(*from, "10.43.0.50", 53, SOCK_DGRAM), "ECONNREFUSED") << from->name();
      EXPECT_EQ(ask_once(*from, "192.0.2.10", 30080), "ECONNREFUSED") << from->name();
      // Addresses nobody has.
      EXPECT_EQ(ask_once(*from, "10.43.7.7", 80), "ECONNREFUSED") << from->name();
    }
  });
}

TEST(KernelTest, NodePortsAreReachedFromEverywhere) {
  on_machine([](Machine& machine) {
    machine.put_service(kNodePort + ", externalIPs: [203.0.113.9]");
    machine.put_endpoints({"10.42.0.2"});
    EXPECT_EQ(ask_once(machine.stranger, "192.0.2.10", 30080), "pod1 10.42.0.1");
    EXPECT_EQ(ask_once(machine.stranger, "203.0.113.9", 80), "pod1 10.42.0.1");
    EXPECT_THAT(ask_once(machine.pod2, "192.0.2.10", 30080), HasSubstr("pod1"));
    EXPECT_THAT(ask_once(machine.node, "192.0.2.10", 30080), HasSubstr("pod1"));
    EXPECT_THAT(ask_once(machine.node, "127.0.0.1", 30080), HasSubstr("pod1"));
    EXPECT_THAT(ask_once(machine.node, "127.0.0.1", 30053, SOCK_DGRAM), HasSubstr("pod1"));
  });
}

TEST(KernelTest, PolicyLocalKeepsTheClientsAddress) {
  on_machine([](Machine& machine) {
    machine.put_service(kNodePort + ", externalTrafficPolicy: Local");
    machine.put_endpoints({"10.42.0.2"});
    machine.stranger.run("ip route add 10.42.0.0/16 via 192.0.2.10");
    EXPECT_EQ(ask_once(machine.stranger, "192.0.2.10", 30080), "pod1 192.0.2.77");
    EXPECT_THAT(ask_once(machine.node, "127.0.0.1", 30080), HasSubstr("pod1"));
  });
}

TEST(KernelTest, SourceRangesGuardTheBalancersAddress) {
  on_machine([](Machine& machine) {
    const std::string begin =
        "{metadata: {namespace: default, name: web}, status: {loadBalancer: {ingress: [{ip: 203.0.113.9}]}}, "
        "spec: {type: LoadBalancer, " +
        kPorts + ", loadBalancerSourceRanges: [";
    machine.put_document(begin + "192.0.2.0/24]}}");
    machine.put_endpoints({"10.42.0.2"});
    EXPECT_THAT(ask_once(machine.stranger, "203.0.113.9", 80), HasSubstr("pod1"));
    machine.put_document(begin + "198.51.100.0/24]}}");
    // Silence: connecting gives up at the socket's limit.
    EXPECT_EQ(ask_once(machine.stranger, "203.0.113.9", 80), "EINPROGRESS");
    EXPECT_THAT(ask_once(machine.stranger, "192.0.2.10", 30080), HasSubstr("pod1"));
  });
}

TEST(KernelTest, APodReachesItselfThroughItsService) {
  on_machine([](Machine& machine) {
    machine.put_service(kNodePort);
    machine.put_endpoints({"10.42.0.2"});
    EXPECT_EQ(ask_once(machine.pod1, "10.43.0.50", 80), "pod1 10.42.0.1");
    EXPECT_EQ(ask_once(machine.pod2, "10.43.0.50", 80), "pod1 10.42.0.3");
  });
}

TEST(KernelTest, AffinityKeepsAClientWithItsEndpoint) {
  on_machine([](Machine& machine) {
    machine.put_service(kNodePort + ", sessionAffinity: ClientIP");
    machine.put_endpoints({"10.42.0.2", "10.42.0.3"});
    const auto counts = tally(machine.pod1, "10.43.0.50", 80, 20);
    ASSERT_EQ(counts.size(), 1u) << testing::PrintToString(counts);
    const bool first = counts.contains("pod1");
    // Its endpoint goes, and comes back: the client stays where it went meanwhile.
    machine.put_endpoints({first ? "10.42.0.3" : "10.42.0.2"});
    const std::map<std::string, int> others{{first ? "pod2" : "pod1", 20}};
    EXPECT_EQ(tally(machine.pod1, "10.43.0.50", 80, 20), others);
    machine.put_endpoints({"10.42.0.2", "10.42.0.3"});
    EXPECT_EQ(tally(machine.pod1, "10.43.0.50", 80, 20), others);
  });
}

TEST(KernelTest, UdpFlowsFollowTheEndpoints) {
  on_machine([](Machine& machine) {
    machine.put_service(kNodePort);
    machine.put_endpoints({"10.42.0.2"});
    const int socket = machine.node.socket(SOCK_DGRAM);
    EXPECT_THAT(ask(socket, "10.43.0.50", 53), HasSubstr("pod1"));
    machine.put_endpoints({"10.42.0.3"});
    EXPECT_THAT(ask(socket, "10.43.0.50", 53), HasSubstr("pod2"));
    close(socket);
  });
}

TEST(KernelTest, OwnAddressesAreLeftAlone) {
  on_machine([](Machine& machine) {
    Listener own(machine.node, "own", "10.43.0.1");
    machine.put_service("clusterIP: 10.43.0.1, ports: [{name: tcp, port: 8080}]");
    EXPECT_THAT(ask_once(machine.node, "10.43.0.1", 8080), HasSubstr("own"));
    EXPECT_THAT(ask_once(machine.pod1, "10.43.0.1", 8080), HasSubstr("own"));
  });
}

TEST(KernelTest, NothingIsLeftBehind) {
  on_machine([](Machine& machine) {
    const std::string path = "/proc/sys/net/ipv4/conf/all/route_localnet";
    machine.put_service(kNodePort + ", sessionAffinity: ClientIP");
    machine.put_endpoints({"10.42.0.2"});
    EXPECT_EQ(machine.node.run("cat " + path), "1\n");
    EXPECT_THAT(machine.node.run("nft list ruleset"), HasSubstr("stead-services"));
    for (int round = 0; round < 2; ++round) ASSERT_TRUE(remove_service_rules(machine.state_path).ok());
    EXPECT_EQ(machine.node.run("nft list ruleset"), "");
    EXPECT_EQ(machine.node.run("cat " + path), "0\n");
  });
}

TEST(KernelTest, RulesThatSomebodyRemovedComeBackWithTheNextChange) {
  on_machine([](Machine& machine) {
    machine.put_service(kNodePort);
    machine.put_endpoints({"10.42.0.2"});
    machine.node.run("nft flush ruleset");
    machine.put_endpoints({"10.42.0.3"}, 1s);
    EXPECT_THAT(ask_once(machine.node, "10.43.0.50", 80), HasSubstr("pod2"));
  });
}

}  // namespace
}  // namespace stead::network::service_proxy
