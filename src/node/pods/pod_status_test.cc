#include "node/pods/pod_status.h"

#include <gtest/gtest.h>

#include "object/codec.h"

namespace stead::node {
namespace {

using object::Value;

constexpr WallTime kNow{std::chrono::hours(24 * 365 * 55)};

PodShape shape_of(const std::string& spec, const std::string& status = "{}") {
  return read_pod_shape(object::make_object(
      *object::parse_json(R"({"metadata":{"name":"p","namespace":"n","uid":"u","generation":3},"spec":)" + spec +
                          R"(,"status":)" + status + "}"),
      1));
}

ContainerReport running() {
  ContainerReport report;
  report.phase = ContainerPhase::kRunning;
  report.current.emplace();
  report.current->id = "x";
  report.current->state = ContainerState::kRunning;
  report.current->started_at = kNow;
  report.started = report.ready = true;
  return report;
}

ContainerReport exited(int code) {
  ContainerReport report = running();
  report.phase = ContainerPhase::kExited;
  report.current->state = ContainerState::kExited;
  report.current->exit_code = code;
  report.started = report.ready = false;
  return report;
}

Value status(const PodShape& shape, std::vector<ContainerReport> containers, bool finished = false) {
  StatusInput input;
  input.containers = std::move(containers);
  input.finished = finished;
  input.sandbox_ready = true;
  input.now = kNow;
  return build_pod_status(shape, shape.pod->status(), input);
}

std::string condition(const Value& status, std::string_view type, std::string_view field = "status") {
  for (const Value& one : status.at("conditions").items()) {
    if (one.at("type").as_string() == type) return std::string(one.at(field).as_string());
  }
  return "";
}

TEST(PodStatus, Phases) {
  struct Case {
    const char* policy;
    std::vector<ContainerReport> containers;
    bool finished;
    const char* phase;
  } cases[] = {
      {"Always", {{}, {}}, false, "Pending"},
      {"Always", {running(), {}}, false, "Pending"},
      {"Always", {running(), running()}, false, "Running"},
      {"Always", {running(), exited(1)}, false, "Running"},
      {"Always", {exited(0), exited(1)}, false, "Running"},
      {"Never", {exited(0), running()}, false, "Running"},
      {"Never", {exited(0), exited(0)}, true, "Succeeded"},
      {"Never", {exited(0), exited(1)}, true, "Failed"},
  };
  for (const Case& one : cases) {
    PodShape shape =
        shape_of(std::string(R"({"restartPolicy":")") + one.policy + R"(","containers":[{"name":"a"},{"name":"b"}]})");
    EXPECT_EQ(status(shape, one.containers, one.finished).at("phase").as_string(), one.phase) << one.policy;
  }
}

TEST(PodStatus, Conditions) {
  PodShape shape = shape_of(R"({"initContainers":[{"name":"i"}],"containers":[{"name":"a"}]})");
  Value waiting = status(shape, {{}, {}});
  EXPECT_EQ(condition(waiting, "Initialized"), "False");
  EXPECT_EQ(condition(waiting, "Initialized", "message"), "containers with incomplete status: [i]");
  EXPECT_EQ(condition(waiting, "Ready", "message"), "containers with unready status: [a]");
  EXPECT_EQ(waiting.at("containerStatuses").items()[0].at({"state", "waiting", "reason"}).as_string(),
            "PodInitializing");
  Value up = status(shape, {exited(0), running()});
  EXPECT_EQ(condition(up, "Ready"), "True");
  EXPECT_EQ(condition(up, "PodReadyToStartContainers"), "True");
  EXPECT_EQ(up.at("observedGeneration").as_int(), 3);
}

TEST(PodStatus, ReadinessGates) {
  const char* spec = R"({"readinessGates":[{"conditionType":"x/y"}],"containers":[{"name":"a"}]})";
  Value without = status(shape_of(spec), {running()});
  EXPECT_EQ(condition(without, "Ready", "reason"), "ReadinessGatesNotReady");
  EXPECT_EQ(condition(without, "ContainersReady"), "True");
  Value with = status(shape_of(spec, R"({"conditions":[{"type":"x/y","status":"True"}]})"), {running()});
  EXPECT_EQ(condition(with, "Ready"), "True");
}

TEST(PodStatus, EphemeralContainersAreToldApart) {
  PodShape shape = shape_of(R"({"containers":[{"name":"a"}],"ephemeralContainers":[{"name":"e","image":"i"}]})");
  ASSERT_EQ(shape.containers[1].kind, ContainerKind::kEphemeral);
  Value now = status(shape, {running(), {}});
  EXPECT_EQ(now.at("phase").as_string(), "Running");
  EXPECT_EQ(condition(now, "Ready"), "True");
  EXPECT_EQ(now.at("containerStatuses").size(), 1U);
  const Value& ephemeral = now.at("ephemeralContainerStatuses").items()[0];
  EXPECT_EQ(ephemeral.at("name").as_string(), "e");
  EXPECT_NE(ephemeral.find({"state", "waiting"}), nullptr);
  Value later = status(shape, {running(), exited(1)});
  EXPECT_EQ(later.at("phase").as_string(), "Running");
  Value patch = status_patch(*shape.pod, now, later);
  EXPECT_NE(patch.at({"status", "ephemeralContainerStatuses"}).items()[0].find({"state", "terminated"}), nullptr);
}

TEST(PodStatus, KnownEphemeralContainersKeepTheirPlaces) {
  PodShape first = shape_of(R"({"containers":[{"name":"a"}],"ephemeralContainers":[{"name":"x"}]})");
  PodShape second = shape_of(R"({"containers":[{"name":"a"}],"ephemeralContainers":[{"name":"new"},{"name":"x"}]})");
  PodShape kept = read_pod_shape(second.pod, &first);
  EXPECT_EQ(kept.containers[1].name, "x");
  EXPECT_EQ(kept.containers[2].name, "new");
}

TEST(PodStatus, AFinalPhaseStays) {
  PodShape shape = shape_of(R"({"containers":[{"name":"a"}]})", R"({"phase":"Failed","reason":"Evicted"})");
  Value now = status(shape, {running()});
  EXPECT_EQ(now.at("phase").as_string(), "Failed");
  EXPECT_EQ(now.at("reason").as_string(), "Evicted");
}

TEST(PodStatus, ThePatchHoldsOnlyWhatDiffers) {
  PodShape shape = shape_of(R"({"containers":[{"name":"a"}]})");
  Value first = status(shape, {{}});
  Value patch = status_patch(*shape.pod, Value::object(), first);
  EXPECT_EQ(patch.at({"metadata", "uid"}).as_string(), "u");
  EXPECT_TRUE(status_patch(*shape.pod, first, first).is_null());
  Value second = status(shape, {running()});
  patch = status_patch(*shape.pod, first, second);
  EXPECT_EQ(patch.at("status").find("qosClass"), nullptr);
  EXPECT_EQ(patch.at({"status", "phase"}).as_string(), "Running");
  // A reason that no longer holds is taken away.
  for (const Value& one : patch.at({"status", "conditions"}).items()) {
    if (one.at("type").as_string() != "Ready") continue;
    EXPECT_NE(one.find("reason"), nullptr);
  }
}

}  // namespace
}  // namespace stead::node
