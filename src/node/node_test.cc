// The node part as a whole, on virtual time, with the fake runtime and the fake API.

#include "node/node.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/fake_api.h"
#include "loop/simulated_loop.h"
#include "node/logs/test_log_directory.h"
#include "node/runtime/fake_runtime.h"
#include "node/test_exchange.h"

namespace stead::node {
namespace {

using namespace std::chrono_literals;
using client::ResourceRef;
using object::ObjectPtr;
using object::Value;

const ResourceRef kPods{"", "pods"};

class NodeTest : public testing::Test {
 protected:
  NodeTest() : loop_(simulation_.make_loop()), api_(loop_) {
    runtime_options_.program = [this](const SandboxConfig&, const ContainerConfig& config) {
      started_.push_back(config.name);
      configs_[config.name] = config;
      auto found = programs_.find(config.name);
      return found == programs_.end() ? FakeProgram{} : found->second;
    };
    runtime_options_.exec = [this](const ContainerStatus&, const std::vector<std::string>&) { return exec_answer_; };
    runtime_options_.on_call = [this](std::string_view call, std::string_view subject) -> Result<void> {
      return on_call_ ? on_call_(call, subject) : Result<void>();
    };
  }

  void start_node() {
    if (!runtime_) runtime_ = std::make_unique<FakeRuntime>(loop_, runtime_options_);
    NodeOptions options;
    options.node_name = "n1";
    options.node_ip = "192.0.2.1";
    options.data_dir = data_.path();
    options.cluster_dns = "10.43.0.10";
    node_ = std::make_unique<Node>(api_, loop_, simulation_.worker_pool(), *runtime_, files_, dialer_, options);
    node_->start();
  }

  Value pod_document(const std::string& name, std::vector<std::string> containers) {
    Value list = Value::array();
    for (const std::string& container : containers) {
      list.append(Value::object({{"name", container}, {"image", "busybox:1"}}));
    }
    return Value::object({{"apiVersion", "v1"},
                          {"kind", "Pod"},
                          {"metadata", Value::object({{"name", name}, {"namespace", "default"}})},
                          {"spec", Value::object({{"nodeName", "n1"}, {"containers", std::move(list)}})},
                          {"status", Value::object({{"phase", "Pending"}})}});
  }

  ObjectPtr pod(const std::string& name) { return api_.get(kPods, "default/" + name); }
  std::string condition(const std::string& name, std::string_view type) {
    ObjectPtr object = pod(name);
    if (!object) return "gone";
    for (const Value& one : object->status().at("conditions").items()) {
      if (one.at("type").as_string() == type) return std::string(one.at("status").as_string());
    }
    return "";
  }
  bool until(const std::function<bool()>& done, Duration limit = 60s) { return simulation_.run_until(done, limit); }
  bool ready(const std::string& name) { return condition(name, "Ready") == "True"; }
  const Value& container(const std::string& name, size_t index = 0) {
    static const Value none;
    auto items = pod(name)->status().at("containerStatuses").items();
    return index < items.size() ? items[index] : none;
  }
  void delete_pod(const std::string& name, int grace) {
    api_.change(kPods, "default/" + name, [&](Value& document) {
      document.set({"metadata", "deletionTimestamp"}, "2026-01-01T00:00:00Z");
      document.set({"metadata", "deletionGracePeriodSeconds"}, grace);
    });
  }
  size_t events(std::string_view reason) {
    size_t count = 0;
    for (const ObjectPtr& event : api_.list({"", "events"})) {
      if (event->document().at("reason").as_string() == reason) {
        count += static_cast<size_t>(event->document().at("count").as_int(1));
      }
    }
    return count;
  }

  // What the node says to `target`: "200 text".
  std::string ask(const std::string& target) {
    auto exchange = std::make_shared<TestExchange>();
    node_->handle(exchange, target);
    bool answered = until([&] {
      exchange->run_posted();
      return exchange->finished;
    });
    return answered ? std::to_string(exchange->status) + " " + exchange->text : "no answer";
  }

  TestLogDirectory data_;
  loop::Simulation simulation_{1};
  loop::SimulatedLoop& loop_;
  client::FakeApi api_;
  FakeRuntimeOptions runtime_options_;
  std::map<std::string, FakeProgram> programs_;
  std::map<std::string, ContainerConfig> configs_;
  std::vector<std::string> started_;
  ExecResult exec_answer_;
  std::function<Result<void>(std::string_view, std::string_view)> on_call_;
  NoFiles files_;
  AgreeableDialer dialer_;
  std::unique_ptr<FakeRuntime> runtime_;
  std::unique_ptr<Node> node_;
};

TEST_F(NodeTest, RegistersAndKeepsItsLease) {
  start_node();
  ASSERT_TRUE(until([&] { return node_->ready(); }));
  simulation_.run_for(1s);
  ObjectPtr node = api_.get({"", "nodes"}, "n1");
  ASSERT_TRUE(node);
  EXPECT_EQ(node->status().at("conditions").items().back().at("status").as_string(), "True");
  EXPECT_EQ(node->status().at({"nodeInfo", "kubeletVersion"}).as_string(), "v1.35.0+stead");
  std::string renewed(
      api_.get({"coordination.k8s.io", "leases"}, "kube-node-lease/n1")->spec().at("renewTime").as_string());
  simulation_.run_for(11s);
  EXPECT_NE(api_.get({"coordination.k8s.io", "leases"}, "kube-node-lease/n1")->spec().at("renewTime").as_string(),
            renewed);
}

TEST_F(NodeTest, APodBecomesReadyAtOnce) {
  start_node();
  ASSERT_TRUE(until([&] { return node_->ready(); }));
  Instant before = simulation_.now();
  api_.put(kPods, pod_document("web-0", {"app", "side"}));
  ASSERT_TRUE(until([&] { return ready("web-0"); }));
  EXPECT_EQ(simulation_.now(), before) << "something waited for a timer";
  EXPECT_EQ(started_, (std::vector<std::string>{"app", "side"}));
  const Value& status = pod("web-0")->status();
  EXPECT_EQ(status.at("phase").as_string(), "Running");
  EXPECT_EQ(status.at("podIP").as_string(), "10.42.0.2");
  EXPECT_EQ(status.at("hostIP").as_string(), "192.0.2.1");
  EXPECT_TRUE(container("web-0").at({"state", "running", "startedAt"}).is_string());
  EXPECT_TRUE(container("web-0").at("containerID").as_string().starts_with("containerd://"));
  simulation_.run_for(1s);
  EXPECT_EQ(events("Started"), 2u);
  EXPECT_EQ(events("Pulled"), 2u);
}

TEST_F(NodeTest, APodThatDoesNotFitGetsASecondLookAndIsRefused) {
  start_node();
  ASSERT_TRUE(until([&] { return node_->ready(); }));
  auto with_port = [&](const std::string& name) {
    Value document = pod_document(name, {name});
    document["spec"]["containers"].mutable_items()[0].set(
        "ports", Value::array({Value::object({{"containerPort", 80}, {"hostPort", 8080}})}));
    api_.put(kPods, std::move(document));
  };
  with_port("first");
  ASSERT_TRUE(until([&] { return ready("first"); }));
  with_port("second");
  ASSERT_TRUE(until([&] { return pod("second")->status().at("phase").as_string() == "Failed"; }));
  EXPECT_EQ(pod("second")->status().at("reason").as_string(), "NodePorts");
  EXPECT_EQ(started_, (std::vector<std::string>{"first"}));
  with_port("third");
  simulation_.run_for(500ms);
  delete_pod("first", 0);
  ASSERT_TRUE(until([&] { return ready("third"); })) << "the port was given back in time";
}

TEST_F(NodeTest, ADeadlineSetLaterHolds) {
  start_node();
  ASSERT_TRUE(until([&] { return node_->ready(); }));
  api_.put(kPods, pod_document("web-0", {"app"}));
  ASSERT_TRUE(until([&] { return ready("web-0"); }));
  api_.change(kPods, "default/web-0", [](Value& document) { document.set({"spec", "activeDeadlineSeconds"}, 5); });
  ASSERT_TRUE(until([&] { return pod("web-0")->status().at("reason").as_string() == "DeadlineExceeded"; }));
}

// Whoever opened the input attaches when it runs, or reads the log when it has ended.
TEST_F(NodeTest, AContainerWithInputIsToldToRunWhenItStillDoesALittleLater) {
  start_node();
  ASSERT_TRUE(until([&] { return node_->ready(); }));
  auto with_input = [&](const std::string& name) {
    Value document = pod_document(name, {name});
    Value container = document.at({"spec", "containers"}).items()[0];
    container.set("stdin", true);
    document.set({"spec", "containers"}, Value::array({std::move(container)}));
    document.set({"spec", "restartPolicy"}, "Never");
    return document;
  };
  bool seen_running = false;
  auto ended = [&](const std::string& name) {
    seen_running = seen_running || pod(name)->status().at("phase").as_string() == "Running";
    return pod(name)->status().at("phase").as_string() == "Succeeded";
  };
  programs_["short"] = FakeProgram{.runs_for = 200ms};
  api_.put(kPods, with_input("short"));
  ASSERT_TRUE(until([&] { return ended("short"); }, 900ms));
  EXPECT_FALSE(seen_running);
  Instant before = simulation_.now();
  api_.put(kPods, with_input("long"));
  ASSERT_TRUE(until([&] { return ready("long"); }));
  EXPECT_EQ(simulation_.now() - before, Duration(1s));
}

TEST_F(NodeTest, ServesTheKubeletsPaths) {
  using testing::HasSubstr;
  using testing::StartsWith;
  start_node();
  ASSERT_TRUE(until([&] { return node_->ready(); }));
  EXPECT_EQ(ask("/healthz"), "200 ok");
  EXPECT_THAT(ask("/nothing"), StartsWith("404 {"));
  EXPECT_THAT(ask("/containerLogs/default/web-0/app"), HasSubstr(R"(pod \"web-0\" does not exist)"));
  EXPECT_THAT(ask("/exec/default/web-0/app?command=sh&output=1"), StartsWith("404 {"));

  programs_["app"] = FakeProgram{.runs_for = 1h};
  api_.put(kPods, pod_document("web-0", {"app"}));
  ASSERT_TRUE(until([&] { return ready("web-0"); }));
  EXPECT_EQ(ask("/containerLogs/default/web-0/app"), "200 ");
  EXPECT_THAT(ask("/containerLogs/default/web-0/other"),
              HasSubstr(R"(container \"other\" in pod \"web-0\" is not av)"));
  EXPECT_THAT(ask("/containerLogs/default/web-0/app?previous=true"), StartsWith("400 {"));
  // The fake runtime has no streaming server: the question has reached it.
  EXPECT_THAT(ask("/exec/default/web-0/app?command=sh&output=1"), StartsWith("501 {"));
  EXPECT_THAT(ask("/portForward/default/web-0"), StartsWith("501 {"));
  EXPECT_THAT(ask("/exec/default/web-0/other?command=sh&output=1"), HasSubstr(R"(container not found (\"other\"))"));
  EXPECT_THAT(ask("/stats/summary"), HasSubstr(R"("nodeName":"n1")"));
  EXPECT_THAT(ask("/metrics"), HasSubstr("kubelet_node_name{node=\"n1\"} 1"));
  EXPECT_THAT(ask("/metrics/resource"), HasSubstr("resource_scrape_error 0"));
  EXPECT_THAT(ask("/metrics/cadvisor"), HasSubstr("# TYPE container_cpu_usage_seconds_total counter"));
}

TEST_F(NodeTest, AFollowedLogEndsWithItsContainer) {
  start_node();
  ASSERT_TRUE(until([&] { return node_->ready(); }));
  api_.put(kPods, pod_document("web-0", {"app"}));
  ASSERT_TRUE(until([&] { return ready("web-0"); }));
  std::string id(container("web-0").at("containerID").as_string());
  id = id.substr(id.rfind('/') + 1);
  std::string uid(pod("web-0")->uid());
  auto exchange = std::make_shared<TestExchange>();
  std::filesystem::create_directories(data_.path() + "/pod-logs/default_web-0_" + uid + "/app");
  node_->handle(exchange, "/containerLogs/default/web-0/app?follow=true");
  auto follow = [&] {
    exchange->run_posted();
    return exchange->finished;
  };
  EXPECT_FALSE(until(follow, 30s));
  EXPECT_EQ(exchange->status, 200);
  ASSERT_TRUE(runtime_->kill_container(id, 1));
  EXPECT_TRUE(until(follow, 30s));
}

TEST_F(NodeTest, ResizesInPlaceOrWaitsForRoom) {
  start_node();
  ASSERT_TRUE(until([&] { return node_->ready(); }));
  auto resources = [&](const std::string& name, const char* cpu, int64_t generation) {
    api_.change(kPods, "default/" + name, [&](Value& document) {
      document["spec"]["containers"].mutable_items()[0].set({"resources", "requests", "cpu"}, cpu);
      document.set({"metadata", "generation"}, generation);
    });
  };
  for (const char* name : {"a", "b"}) {
    Value document = pod_document(name, {"app"});
    document["spec"]["containers"].mutable_items()[0].set({"resources", "requests", "cpu"}, "1");
    document.set({"metadata", "generation"}, 1);
    api_.put(kPods, std::move(document));
    ASSERT_TRUE(until([&] { return ready(name); }));
  }
  resources("a", "2500m", 2);
  ASSERT_TRUE(until([&] { return container("a").at({"resources", "requests", "cpu"}).as_string() == "2500m"; }));
  std::string id(container("a").at("containerID").as_string());
  EXPECT_EQ(runtime_->resources_of(id.substr(id.rfind('/') + 1)).cpu_shares, 2560);
  EXPECT_EQ(container("a").at({"allocatedResources", "cpu"}).as_string(), "2500m");
  EXPECT_EQ(container("a").at("restartCount").as_int(), 0);
  // The node has four processors: no room, before the other gives some back.
  resources("b", "2", 2);
  ASSERT_TRUE(until([&] { return condition("b", "PodResizePending") == "True"; }));
  EXPECT_EQ(container("b").at({"allocatedResources", "cpu"}).as_string(), "1");
  resources("a", "1", 3);
  ASSERT_TRUE(until([&] { return container("b").at({"resources", "requests", "cpu"}).as_string() == "2"; }));
  ASSERT_TRUE(until([&] { return condition("b", "PodResizePending").empty(); }));
  ASSERT_TRUE(until([&] { return condition("b", "PodResizeInProgress").empty(); }));
  simulation_.run_for(1s);
  EXPECT_EQ(events("ResizeDeferred"), 1u);
  EXPECT_EQ(events("ResizeCompleted"), 3u);
}

TEST_F(NodeTest, AResizeRestartsWhereThePolicySaysSo) {
  start_node();
  Value document = pod_document("a", {"app"});
  document["spec"].set("restartPolicy", "OnFailure");
  Value& app = document["spec"]["containers"].mutable_items()[0];
  app.set({"resources", "limits", "memory"}, "100Mi");
  app.set("resizePolicy",
          Value::array({Value::object({{"resourceName", "memory"}, {"restartPolicy", "RestartContainer"}})}));
  api_.put(kPods, std::move(document));
  ASSERT_TRUE(until([&] { return ready("a"); }));
  api_.change(kPods, "default/a", [&](Value& changed) {
    changed["spec"]["containers"].mutable_items()[0].set({"resources", "limits", "memory"}, "200Mi");
  });
  // It ends with 0 when it is stopped, and is started again all the same.
  ASSERT_TRUE(until([&] { return container("a").at("restartCount").as_int() == 1 && ready("a"); }));
  EXPECT_EQ(configs_["app"].resources.memory_limit_bytes, 200 << 20);
  EXPECT_EQ(container("a").at({"resources", "limits", "memory"}).as_string(), "200Mi");
}

TEST_F(NodeTest, DeletionEndsContainersFirst) {
  start_node();
  api_.put(kPods, pod_document("web-0", {"app"}));
  ASSERT_TRUE(until([&] { return ready("web-0"); }));
  api_.fault = [this](const client::Request& request) -> std::optional<Error> {
    if (request.verb == client::Verb::kDelete) {
      EXPECT_EQ(runtime_->running_containers(), 0u);
    }
    return std::nullopt;
  };
  delete_pod("web-0", 30);
  ASSERT_TRUE(until([&] { return !pod("web-0"); }));
  ASSERT_TRUE(until([&] { return node_->pods() == 0; }));
  EXPECT_TRUE(runtime_->list_sandboxes()->empty());
  EXPECT_GE(events("Killing"), 1u);
}

TEST_F(NodeTest, ANameUsedAgainWaitsForItsPredecessor) {
  start_node();
  api_.put(kPods, pod_document("web-0", {"app"}));
  ASSERT_TRUE(until([&] { return ready("web-0"); }));
  std::string first(pod("web-0")->uid());
  bool blocked = true;
  on_call_ = [&](std::string_view call, std::string_view) -> Result<void> {
    if (call == "stop_container" && blocked) return make_error(Reason::kUnavailable, "it will not die");
    if (call == "run_sandbox") {
      EXPECT_EQ(runtime_->running_containers(), 0u);
    }
    return {};
  };
  api_.remove(kPods, "default/web-0");
  api_.put(kPods, pod_document("web-0", {"app"}));
  simulation_.run_for(20s);
  EXPECT_FALSE(ready("web-0"));
  EXPECT_EQ(started_.size(), 1u);
  blocked = false;
  ASSERT_TRUE(until([&] { return ready("web-0"); }));
  EXPECT_NE(pod("web-0")->uid(), first);
}

TEST_F(NodeTest, CrashesBackOff) {
  programs_["app"] = {.runs_for = Duration(0ms), .exit_code = 3};
  start_node();
  api_.put(kPods, pod_document("web-0", {"app"}));
  ASSERT_TRUE(until([&] { return started_.size() == 2; }));
  Instant second = simulation_.now();
  ASSERT_TRUE(until([&] {
    return pod("web-0") && container("web-0").at({"state", "waiting", "reason"}).as_string() == "CrashLoopBackOff";
  }));
  EXPECT_EQ(container("web-0").at({"lastState", "terminated", "exitCode"}).as_int(), 3);
  EXPECT_TRUE(
      container("web-0").at({"state", "waiting", "message"}).as_string().starts_with("back-off 10s restarting"));
  ASSERT_TRUE(until([&] { return started_.size() == 3; }));
  EXPECT_EQ(simulation_.now() - second, 10s);
  ASSERT_TRUE(until([&] { return started_.size() == 4; }));
  EXPECT_EQ(simulation_.now() - second, 30s);
}

TEST_F(NodeTest, AdoptsWithoutRestart) {
  start_node();
  api_.put(kPods, pod_document("web-0", {"app"}));
  api_.put(kPods, pod_document("gone", {"app"}));
  ASSERT_TRUE(until([&] { return ready("web-0") && ready("gone"); }));
  std::string id(container("web-0").at("containerID").as_string());
  node_.reset();
  api_.remove(kPods, "default/gone");
  simulation_.run_for(5s);
  start_node();
  ASSERT_TRUE(until([&] { return runtime_->running_containers() == 1 && node_->pods() == 1; }));
  simulation_.run_for(30s);
  EXPECT_EQ(container("web-0").at("containerID").as_string(), id);
  EXPECT_EQ(container("web-0").at("restartCount").as_int(), 0);
  EXPECT_EQ(started_.size(), 2u);
}

// What a crash in the middle of a start leaves: a container that was made, whose start the runtime may still be at.
TEST_F(NodeTest, AStartCutShortIsNoRestart) {
  int refusals = 0;
  std::string stuck;
  on_call_ = [&](std::string_view call, std::string_view subject) -> Result<void> {
    if (call == "start_container" && stuck.empty()) stuck = subject;
    bool busy = subject == stuck && (call == "start_container" || (call == "remove_container" && refusals < 3));
    if (call == "remove_container" && busy) ++refusals;
    return busy ? Result<void>(make_error(Reason::kInternal, "already in starting state")) : Result<void>();
  };
  start_node();
  api_.put(kPods, pod_document("web-0", {"app"}));
  ASSERT_TRUE(until([&] { return !stuck.empty(); }));
  node_.reset();
  start_node();
  ASSERT_TRUE(until([&] { return ready("web-0"); }));
  EXPECT_EQ(refusals, 3);
  EXPECT_EQ(container("web-0").at("restartCount").as_int(), 0);
  EXPECT_EQ(runtime_->list_containers()->size(), 1u);
}

TEST_F(NodeTest, AMachineThatRestartsStartsItsPodsAgain) {
  start_node();
  api_.put(kPods, pod_document("web-0", {"app"}));
  ASSERT_TRUE(until([&] { return ready("web-0"); }));
  node_.reset();
  runtime_->crash_machine();
  start_node();
  ASSERT_TRUE(until([&] { return ready("web-0") && container("web-0").at("restartCount").as_int() == 1; }));
  EXPECT_EQ(runtime_->running_containers(), 1u);
  EXPECT_EQ(runtime_->list_sandboxes()->size(), 1u);
}

TEST_F(NodeTest, ReadinessFollowsItsProbe) {
  start_node();
  Value document = pod_document("web-0", {"app"});
  document["spec"]["containers"].mutable_items()[0].set(
      "readinessProbe", Value::object({{"exec", Value::object({{"command", Value::array({"check"})}})},
                                       {"periodSeconds", 2},
                                       {"failureThreshold", 1}}));
  exec_answer_.exit_code = 1;
  api_.put(kPods, document);
  simulation_.run_for(5s);
  EXPECT_EQ(condition("web-0", "Ready"), "False");
  EXPECT_EQ(pod("web-0")->status().at("phase").as_string(), "Running");
  EXPECT_GE(events("Unhealthy"), 1u);
  exec_answer_.exit_code = 0;
  ASSERT_TRUE(until([&] { return ready("web-0"); }, 3s));
  exec_answer_.exit_code = 1;
  ASSERT_TRUE(until([&] { return !ready("web-0"); }, 3s));
}

TEST_F(NodeTest, LivenessRestarts) {
  start_node();
  Value document = pod_document("web-0", {"app"});
  document["spec"]["containers"].mutable_items()[0].set(
      "livenessProbe", Value::object({{"exec", Value::object({{"command", Value::array({"check"})}})},
                                      {"periodSeconds", 1},
                                      {"failureThreshold", 3}}));
  api_.put(kPods, document);
  ASSERT_TRUE(until([&] { return ready("web-0"); }));
  exec_answer_.exit_code = 1;
  ASSERT_TRUE(until([&] { return started_.size() == 2; }, 5s));
  exec_answer_.exit_code = 0;
  ASSERT_TRUE(until([&] { return ready("web-0") && container("web-0").at("restartCount").as_int() == 1; }));
}

TEST_F(NodeTest, WaitsForWhatItRefersTo) {
  start_node();
  Value document = pod_document("web-0", {"app"});
  document["spec"].set(
      "volumes", Value::array({Value::object({{"name", "v"}, {"configMap", Value::object({{"name", "settings"}})}})}));
  document["spec"]["containers"].mutable_items()[0].set(
      "env",
      Value::array({Value::object(
          {{"name", "A"},
           {"valueFrom", Value::object({{"configMapKeyRef", Value::object({{"name", "other"}, {"key", "k"}})}})}})}));
  api_.put(kPods, document);
  simulation_.run_for(3s);
  EXPECT_GE(events("FailedMount"), 1u);
  EXPECT_EQ(container("web-0").at({"state", "waiting", "reason"}).as_string(), "ContainerCreating");
  auto map = [](const char* name) {
    return Value::object({{"apiVersion", "v1"},
                          {"kind", "ConfigMap"},
                          {"metadata", Value::object({{"name", name}, {"namespace", "default"}})},
                          {"data", Value::object({{"k", "v1"}})}});
  };
  Instant before = simulation_.now();
  api_.put({"", "configmaps"}, map("settings"));
  ASSERT_TRUE(until([&] {
    return container("web-0").at({"state", "waiting", "reason"}).as_string() == "CreateContainerConfigError";
  }));
  EXPECT_EQ(container("web-0").at({"state", "waiting", "message"}).as_string(), "configmap \"other\" not found");
  api_.put({"", "configmaps"}, map("other"));
  ASSERT_TRUE(until([&] { return ready("web-0"); }));
  EXPECT_EQ(simulation_.now(), before) << "the change itself should have started it";
  EXPECT_EQ(configs_["app"].environment.front(), (std::pair<std::string, std::string>{"A", "v1"}));
}

TEST_F(NodeTest, PullFailuresAreToldAndRetried) {
  runtime_options_.images_absent = {"busybox:1"};
  bool down = true;
  on_call_ = [&](std::string_view call, std::string_view) -> Result<void> {
    if (call == "pull_image" && down) return make_error(Reason::kInternal, "pull access denied");
    return {};
  };
  start_node();
  api_.put(kPods, pod_document("web-0", {"app"}));
  auto reason = [&] { return std::string(container("web-0").at({"state", "waiting", "reason"}).as_string()); };
  ASSERT_TRUE(until([&] { return pod("web-0") && reason() == "ErrImagePull"; }));
  ASSERT_TRUE(until([&] { return reason() == "ImagePullBackOff"; }));
  down = false;
  ASSERT_TRUE(until([&] { return ready("web-0"); }, 20s));
  EXPECT_EQ(events("Pulling"), 2u);
}

TEST_F(NodeTest, AStartNobodyKnowsTheEndOfIsNotRepeated) {
  int failures = 1;
  on_call_ = [&](std::string_view call, std::string_view) -> Result<void> {
    if (call == "container_status" && failures-- > 0) return make_error(Reason::kUnavailable, "no answer");
    return {};
  };
  start_node();
  api_.put(kPods, pod_document("web-0", {"app"}));
  ASSERT_TRUE(until([&] { return ready("web-0"); }));
  simulation_.run_for(30s);
  EXPECT_EQ(runtime_->running_containers(), 1u);
  EXPECT_EQ(container("web-0").at("restartCount").as_int(), 0);
  EXPECT_TRUE(container("web-0").at({"state", "running", "startedAt"}).is_string());
}

TEST_F(NodeTest, PodsThatEndAreSucceededAndStay) {
  programs_["app"] = {.runs_for = Duration(1s), .exit_code = 0};
  start_node();
  Value document = pod_document("job", {"app"});
  document["spec"].set("restartPolicy", "Never");
  api_.put(kPods, document);
  ASSERT_TRUE(until([&] { return pod("job")->status().at("phase").as_string() == "Succeeded"; }));
  simulation_.run_for(5s);
  EXPECT_EQ(container("job").at({"state", "terminated", "reason"}).as_string(), "Completed");
  EXPECT_EQ(started_.size(), 1u);
}

}  // namespace
}  // namespace stead::node
