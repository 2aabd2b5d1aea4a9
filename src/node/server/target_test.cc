#include "node/server/target.h"

#include <gtest/gtest.h>

#include "node/server/log_policy.h"
#include "node/server/stream_url.h"
#include "object/time.h"

namespace stead::node {
namespace {

using namespace std::chrono_literals;
using Kind = KubeletTarget::Kind;

const WallTime kNow = *object::parse_time("2026-01-02T03:04:05Z");

std::string refused(const std::string& target) {
  auto parsed = parse_kubelet_target(target, kNow);
  return parsed.ok() ? "accepted" : std::string(reason_name(parsed.error().reason)) + ": " + parsed.error().message;
}

TEST(KubeletTarget, Logs) {
  auto target = parse_kubelet_target(
      "/containerLogs/ns/web-0/"
      "app?follow=true&tailLines=5&previous=0&timestamps=1&sinceSeconds=10&limitBytes=7&stream=All",
      kNow);
  ASSERT_TRUE(target.ok()) << target.error().message;
  EXPECT_EQ(target->kind, Kind::kLogs);
  EXPECT_EQ(target->ns + "/" + target->pod + "/" + target->container, "ns/web-0/app");
  EXPECT_TRUE(target->logs.follow);
  EXPECT_FALSE(target->logs.previous);
  EXPECT_TRUE(target->logs.timestamps);
  EXPECT_EQ(target->logs.tail_lines, 5);
  EXPECT_EQ(target->logs.limit_bytes, 7);
  EXPECT_EQ(target->logs.since, kNow - 10s);
  target = parse_kubelet_target("/containerLogs/ns/p/c?sinceTime=2026-01-01T00%3A00%3A00Z&stream=Stderr", kNow);
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->logs.since, object::parse_time("2026-01-01T00:00:00Z"));
  EXPECT_EQ(target->logs.output, LogOutput::kStderr);
}

TEST(KubeletTarget, Streams) {
  auto target =
      parse_kubelet_target("/exec/ns/p/c?command=sh&command=-c&command=echo+a%26b&input=1&output=1&error=1", kNow);
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->kind, Kind::kExec);
  EXPECT_EQ(target->command, (std::vector<std::string>{"sh", "-c", "echo a&b"}));
  EXPECT_TRUE(target->input && target->output && target->error && !target->tty);
  target = parse_kubelet_target("/attach/ns/p/uid/c?output=1&error=1&tty=1", kNow);
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->kind, Kind::kAttach);
  EXPECT_EQ(target->container, "c");
  EXPECT_TRUE(target->tty && !target->error);
  target = parse_kubelet_target("/portForward/ns/p?ports=80,8080&port=1", kNow);
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->ports, (std::vector<int32_t>{80, 8080, 1}));
}

TEST(KubeletTarget, Others) {
  EXPECT_EQ(parse_kubelet_target("/healthz", kNow)->kind, Kind::kHealth);
  EXPECT_EQ(parse_kubelet_target("/stats/summary?only_cpu_and_memory=true", kNow)->kind, Kind::kStats);
  EXPECT_EQ(parse_kubelet_target("/metrics", kNow)->kind, Kind::kMetrics);
  EXPECT_EQ(parse_kubelet_target("/metrics/resource", kNow)->kind, Kind::kResourceMetrics);
  EXPECT_EQ(parse_kubelet_target("/metrics/cadvisor", kNow)->kind, Kind::kContainerMetrics);
  EXPECT_FALSE(parse_kubelet_target("/metrics/none", kNow).ok());
}

TEST(KubeletTarget, Refusals) {
  EXPECT_EQ(refused("/nothing"), "NotFound: the node does not serve /nothing");
  EXPECT_EQ(refused("/containerLogs/ns/p"), "NotFound: the node does not serve /containerLogs/ns/p");
  EXPECT_EQ(refused("/containerLogs/ns//c"), "NotFound: the node does not serve /containerLogs/ns//c");
  EXPECT_EQ(refused("/containerLogs/ns/p/c?tailLines=x"), "BadRequest: tailLines: x is not an integer");
  EXPECT_EQ(
      refused("/containerLogs/ns/p/c?tailLines=-1"),
      "Invalid: PodLogOptions \"p\" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0");
  EXPECT_EQ(refused("/containerLogs/ns/p/c?limitBytes=0"),
            "Invalid: PodLogOptions \"p\" is invalid: limitBytes: Invalid value: 0: must be greater than 0");
  EXPECT_EQ(refused("/containerLogs/ns/p/c?sinceTime=x"), "BadRequest: sinceTime: x is not an RFC 3339 time");
  EXPECT_EQ(refused("/exec/ns/p/c?output=1"), "BadRequest: you must specify at least 1 command for the container");
  EXPECT_EQ(refused("/exec/ns/p/c?command=a"), "BadRequest: you must specify at least 1 of stdin, stdout, stderr");
  EXPECT_EQ(refused("/portForward/ns/p?ports=0"), "BadRequest: ports: 0 is not a port (1-65535)");
}

TEST(StreamUrl, TakesUrlsApart) {
  auto url = parse_stream_url("http://127.0.0.1:4711/exec/TOKEN");
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(url->host, "127.0.0.1");
  EXPECT_EQ(url->port, 4711);
  EXPECT_EQ(url->target, "/exec/TOKEN");
  EXPECT_EQ(parse_stream_url("http://[::1]:80/a")->host, "::1");
  for (const char* wrong :
       {"https://h/x", "http://:1/x", "http://h:0/x", "http://h:x/", "http://h:99999/", "http://[::1"}) {
    EXPECT_FALSE(parse_stream_url(wrong).ok()) << wrong;
  }
}

ContainerStatus instance(ContainerState state) {
  ContainerStatus status;
  status.id = "id";
  status.state = state;
  return status;
}

std::string chosen(const ContainerReport& report, uint32_t attempt, bool previous) {
  auto source = choose_log(report, attempt, previous, "c", "p", "ContainerCreating");
  if (!source.ok()) return source.error().message;
  return std::to_string(source->attempt) + (source->or_earlier ? "-" : "") + source->container_id;
}

TEST(LogPolicy, ChoosesTheInstance) {
  const std::string no_previous = "previous terminated container \"c\" in pod \"p\" not found";
  const std::string waiting = "container \"c\" in pod \"p\" is waiting to start: ";
  object::Value terminated = object::Value::object({{"exitCode", 1}});

  ContainerReport starting;
  EXPECT_EQ(chosen(starting, 0, false), waiting + "ContainerCreating");
  EXPECT_EQ(chosen(starting, 0, true), no_previous);
  starting.waiting_reason = "ImagePullBackOff";
  EXPECT_EQ(chosen(starting, 0, false), waiting + "trying and failing to pull image");

  ContainerReport running{.phase = ContainerPhase::kRunning, .current = instance(ContainerState::kRunning)};
  EXPECT_EQ(chosen(running, 0, false), "0id");
  EXPECT_EQ(chosen(running, 0, true), no_previous);
  running.last_terminated = terminated;
  EXPECT_EQ(chosen(running, 3, true), "2-");

  ContainerReport ended{.phase = ContainerPhase::kExited, .current = instance(ContainerState::kExited)};
  EXPECT_EQ(chosen(ended, 1, false), "1");
  EXPECT_EQ(chosen(ended, 0, true), no_previous);
  // In back-off the instance that has ended is the last state already.
  ended.waiting_reason = "CrashLoopBackOff";
  EXPECT_EQ(chosen(ended, 1, false), "1-");
  EXPECT_EQ(chosen(ended, 1, true), "1-");

  ContainerReport again{.phase = ContainerPhase::kStarting, .last_terminated = terminated};
  EXPECT_EQ(chosen(again, 2, false), "2-");
  EXPECT_EQ(chosen(again, 2, true), "2-");
}

}  // namespace
}  // namespace stead::node
