#include "node/runtime/fake_runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "loop/simulated_loop.h"

namespace stead::node {
namespace {

using std::chrono::seconds;

class FakeRuntimeTest : public ::testing::Test {
 protected:
  std::string start(FakeRuntime& runtime, const std::string& pod, const std::string& container) {
    SandboxConfig sandbox;
    sandbox.name = pod;
    sandbox.uid = "uid-" + pod;
    ContainerConfig config;
    config.name = container;
    config.image = "busybox";
    sandbox_id_ = runtime.run_sandbox(sandbox).value();
    const std::string id = runtime.create_container(sandbox_id_, config, sandbox).value();
    EXPECT_TRUE(runtime.start_container(id).ok());
    return id;
  }

  loop::Simulation simulation_{1};
  loop::Loop& loop_ = simulation_.make_loop();
  std::string sandbox_id_;
};

TEST_F(FakeRuntimeTest, ProgramEndsWhenItsTimeIsOverAndTellsSo) {
  FakeRuntimeOptions options;
  options.program = [](const SandboxConfig&, const ContainerConfig&) {
    return FakeProgram{.runs_for = seconds(5), .exit_code = 3};
  };
  FakeRuntime runtime(loop_, options);
  const std::string id = start(runtime, "web-0", "main");
  std::vector<std::string> told;
  auto watch = runtime.watch_events([&](const RuntimeEvent& event) { told.push_back(event.container_id); });

  simulation_.run_for(seconds(4));
  EXPECT_EQ(runtime.container_status(id)->state, ContainerState::kRunning);
  EXPECT_THAT(told, testing::ElementsAre(""));
  simulation_.run_for(seconds(2));
  const ContainerStatus status = runtime.container_status(id).value();
  EXPECT_EQ(status.state, ContainerState::kExited);
  EXPECT_EQ(status.exit_code, 3);
  EXPECT_EQ(status.reason, "Error");
  EXPECT_EQ(status.finished_at - status.started_at, seconds(5));
  EXPECT_THAT(told, testing::ElementsAre("", id));
}

TEST_F(FakeRuntimeTest, StopIsIdempotentAndRemovalTakesContainersAlong) {
  FakeRuntime runtime(loop_, {});
  const std::string id = start(runtime, "web-0", "main");
  EXPECT_EQ(runtime.running_containers(), 1U);
  EXPECT_TRUE(runtime.stop_container(id, seconds(1)).ok());
  EXPECT_TRUE(runtime.stop_container(id, seconds(1)).ok());
  EXPECT_TRUE(runtime.stop_sandbox(sandbox_id_).ok());
  EXPECT_FALSE(runtime.sandbox_status(sandbox_id_)->ready);
  EXPECT_TRUE(runtime.remove_sandbox(sandbox_id_).ok());
  EXPECT_EQ(runtime.container_status(id).error().reason, Reason::kNotFound);
  EXPECT_EQ(runtime.running_containers(), 0U);
}

TEST_F(FakeRuntimeTest, SandboxNamesAreReservedUntilRemoved) {
  FakeRuntime runtime(loop_, {});
  start(runtime, "web-0", "main");
  SandboxConfig again;
  again.name = "web-0";
  again.uid = "uid-web-0";
  EXPECT_EQ(runtime.run_sandbox(again).error().reason, Reason::kAlreadyExists);
  again.attempt = 1;
  EXPECT_TRUE(runtime.run_sandbox(again).ok());
}

TEST_F(FakeRuntimeTest, CrashesAndOutages) {
  FakeRuntime runtime(loop_, {});
  const std::string id = start(runtime, "web-0", "main");
  int events = 0;
  auto watch = runtime.watch_events([&](const RuntimeEvent&) { ++events; });
  simulation_.run_for(seconds(1));
  EXPECT_EQ(events, 1);
  runtime.set_available(false);
  EXPECT_EQ(runtime.list_containers().error().reason, Reason::kUnavailable);
  EXPECT_TRUE(runtime.kill_container(id, 1));
  simulation_.run_for(seconds(1));
  EXPECT_EQ(events, 1);
  runtime.set_available(true);
  simulation_.run_for(seconds(1));
  EXPECT_EQ(events, 2);
  EXPECT_TRUE(runtime.crash_sandbox(sandbox_id_));
  EXPECT_FALSE(runtime.sandbox_status(sandbox_id_)->ready);
}

TEST_F(FakeRuntimeTest, InjectedErrorIsTheAnswer) {
  FakeRuntimeOptions options;
  options.on_call = [](std::string_view call, std::string_view subject) -> Result<void> {
    if (call == "run_sandbox" && subject == "web-1") return make_error(Reason::kInternal, "no address left");
    return {};
  };
  options.images_absent = {"redis"};
  FakeRuntime runtime(loop_, options);
  SandboxConfig config;
  config.name = "web-1";
  EXPECT_EQ(runtime.run_sandbox(config).error().message, "no address left");
  EXPECT_FALSE(runtime.image_status("redis")->has_value());
  EXPECT_TRUE(runtime.pull_image("redis", "", "").ok());
  EXPECT_TRUE(runtime.image_status("redis")->has_value());
}

TEST_F(FakeRuntimeTest, EndedWatchHearsNothing) {
  FakeRuntime runtime(loop_, {});
  int events = 0;
  auto watch = runtime.watch_events([&](const RuntimeEvent&) { ++events; });
  watch.reset();
  start(runtime, "web-0", "main");
  simulation_.run_for(seconds(1));
  EXPECT_EQ(events, 0);
}

TEST_F(FakeRuntimeTest, AddressesGoOnInTheNextSubnet) {
  FakeRuntime runtime(loop_, {.address_prefix = "10.42.7"});
  SandboxConfig config;
  std::string last;
  for (int i = 0; i < 254; ++i) {
    config.name = "pod-" + std::to_string(i);
    last = runtime.sandbox_status(runtime.run_sandbox(config).value())->ip;
    if (i == 0) {
      EXPECT_EQ(last, "10.42.7.2");
    }
  }
  EXPECT_EQ(last, "10.42.8.2");
}

}  // namespace
}  // namespace stead::node
