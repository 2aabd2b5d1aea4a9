#include "node/pods/pod_policy.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace stead::node {
namespace {

using object::Value;
using Kind = PodAction::Kind;

PodShape make_shape(Random& random) {
  static const char* const kPolicies[] = {"Always", "OnFailure", "Never"};
  Value inits = Value::array();
  for (uint64_t i = random.below(3); i > 0; --i) {
    Value one = Value::object({{"name", "init-" + std::to_string(i)}, {"image", "a"}});
    if (random.below(2) == 0) one.set("restartPolicy", "Always");
    inits.append(std::move(one));
  }
  Value mains = Value::array();
  for (uint64_t i = 1 + random.below(3); i > 0; --i) {
    mains.append(Value::object({{"name", "main-" + std::to_string(i)}, {"image", "a"}}));
  }
  Value ephemerals = Value::array();
  for (uint64_t i = random.below(3); i > 0; --i) {
    ephemerals.append(Value::object({{"name", "ephemeral-" + std::to_string(i)}, {"image", "a"}}));
  }
  Value document = Value::object({{"metadata", Value::object({{"name", "p"}, {"namespace", "n"}, {"uid", "u"}})},
                                  {"spec", Value::object({{"restartPolicy", kPolicies[random.below(3)]},
                                                          {"initContainers", std::move(inits)},
                                                          {"containers", std::move(mains)},
                                                          {"ephemeralContainers", std::move(ephemerals)}})}});
  return read_pod_shape(object::make_object(std::move(document), 1));
}

PodObservation random_observation(const PodShape& shape, Random& random, Instant now) {
  PodObservation seen;
  seen.wish = static_cast<PodWish>(random.below(5) < 3 ? 0 : 1 + random.below(2));
  seen.failed = random.below(8) == 0;
  seen.predecessor_alive = random.below(6) == 0;
  seen.inputs_ready = random.below(6) != 0;
  seen.volumes_ready = random.below(4) != 0;
  seen.volumes_busy = random.below(6) == 0;
  seen.volumes_present = random.below(2) == 0;
  seen.sandbox = random.below(2) == 0 ? SandboxPhase::kReady : static_cast<SandboxPhase>(random.below(6));
  seen.sandboxes_made = static_cast<uint32_t>(random.below(3));
  if (random.below(6) == 0) seen.deadline = now + std::chrono::seconds(static_cast<int>(random.below(3)) - 1);
  for (size_t i = 0; i < shape.containers.size(); ++i) {
    ContainerObservation one;
    one.phase = static_cast<ContainerPhase>(random.below(5));
    one.in_sandbox = random.below(4) != 0;
    one.exit_code = static_cast<int32_t>(random.below(2));
    one.started = random.below(2) == 0;
    one.ever_ran = one.phase != ContainerPhase::kAbsent || random.below(3) == 0;
    if (random.below(6) == 0) one.condemned = StopCause::kLivenessFailed;
    if (random.below(4) == 0) one.not_before = now + std::chrono::seconds(1);
    seen.containers.push_back(one);
  }
  return seen;
}

bool main_reached(const PodShape& shape, const PodObservation& seen) {
  for (size_t i = 0; i < seen.containers.size(); ++i) {
    if (shape.containers[i].kind == ContainerKind::kMain && seen.containers[i].in_sandbox &&
        seen.containers[i].phase != ContainerPhase::kAbsent) {
      return true;
    }
  }
  return false;
}

void check_start(const PodShape& shape, const PodObservation& seen, size_t index) {
  EXPECT_FALSE(is_alive(seen.containers[index].phase)) << "a second instance beside a living one";
  EXPECT_FALSE(seen.predecessor_alive);
  EXPECT_EQ(seen.wish, PodWish::kRun);
  EXPECT_FALSE(seen.failed);
  EXPECT_EQ(seen.sandbox, SandboxPhase::kReady);
  EXPECT_TRUE(seen.volumes_ready && seen.inputs_ready);
  if (shape.containers[index].kind == ContainerKind::kEphemeral) {
    EXPECT_FALSE(seen.containers[index].ever_ran) << "an ephemeral container runs once";
  }
  if (shape.containers[index].kind != ContainerKind::kMain || main_reached(shape, seen)) return;
  for (size_t i = 0; i < index; ++i) {
    const ContainerObservation& init = seen.containers[i];
    if (shape.containers[i].kind == ContainerKind::kInit) {
      EXPECT_TRUE(init.phase == ContainerPhase::kExited && init.exit_code == 0 && init.in_sandbox);
    } else if (shape.containers[i].kind == ContainerKind::kSidecar) {
      EXPECT_TRUE(init.phase == ContainerPhase::kRunning && init.started);
    }
  }
}

TEST(PodPolicy, SafetyOverRandomObservations) {
  auto random = seeded_random(7);
  Instant now{std::chrono::hours(1)};
  for (int run = 0; run < 50000; ++run) {
    PodShape shape = make_shape(*random);
    PodObservation seen = random_observation(shape, *random, now);
    PodPlan plan = decide(shape, seen, now);
    bool alive = false;
    for (const auto& container : seen.containers) alive = alive || is_alive(container.phase);
    int starts = 0;
    for (const PodAction& action : plan.actions) {
      switch (action.kind) {
        case Kind::kStartContainer:
          starts += shape.containers[action.container].kind != ContainerKind::kEphemeral ? 1 : 0;
          check_start(shape, seen, action.container);
          break;
        case Kind::kStopContainer:
          EXPECT_EQ(seen.containers[action.container].phase, ContainerPhase::kRunning);
          EXPECT_GE(action.grace.count(), 1);
          break;
        case Kind::kDeleteObject:
        case Kind::kForget:
          EXPECT_EQ(seen.sandbox, SandboxPhase::kAbsent);
          EXPECT_FALSE(seen.volumes_present);
          [[fallthrough]];
        case Kind::kStopSandbox:
        case Kind::kRemoveSandbox:
        case Kind::kTearDownVolumes:
        case Kind::kCreateSandbox:
          EXPECT_FALSE(alive);
          break;
        case Kind::kSetUpVolumes:
          EXPECT_FALSE(seen.volumes_ready);
          break;
      }
    }
    EXPECT_LE(starts, 1);
    if (HasFailure()) FAIL() << "run " << run;
  }
}

class PodPolicySteps : public testing::Test {
 protected:
  PodShape shape_of(const char* policy, std::vector<const char*> inits, int mains) {
    Value init_list = Value::array();
    for (const char* kind : inits) {
      Value one = Value::object({{"name", "i" + std::to_string(init_list.size())}, {"image", "a"}});
      if (std::string_view(kind) == "sidecar") one.set("restartPolicy", "Always");
      init_list.append(std::move(one));
    }
    Value main_list = Value::array();
    for (int i = 0; i < mains; ++i) {
      main_list.append(Value::object({{"name", "m" + std::to_string(i)}, {"image", "a"}}));
    }
    return read_pod_shape(object::make_object(
        Value::object({{"metadata", Value::object({{"name", "p"}, {"namespace", "n"}, {"uid", "u"}})},
                       {"spec", Value::object({{"restartPolicy", policy},
                                               {"initContainers", std::move(init_list)},
                                               {"containers", std::move(main_list)}})}}),
        1));
  }
  PodObservation ready(const PodShape& shape) {
    PodObservation seen;
    seen.inputs_ready = seen.volumes_ready = seen.volumes_present = true;
    seen.sandbox = SandboxPhase::kReady;
    seen.sandboxes_made = 1;
    seen.containers.resize(shape.containers.size());
    return seen;
  }
  std::vector<std::pair<Kind, size_t>> actions(const PodShape& shape, const PodObservation& seen) {
    std::vector<std::pair<Kind, size_t>> list;
    for (const PodAction& action : decide(shape, seen, now_).actions) list.emplace_back(action.kind, action.container);
    return list;
  }
  using List = std::vector<std::pair<Kind, size_t>>;
  Instant now_{std::chrono::hours(1)};
};

TEST_F(PodPolicySteps, InitsInOrderThenMains) {
  PodShape shape = shape_of("Always", {"init", "sidecar"}, 2);
  PodObservation seen = ready(shape);
  EXPECT_EQ(actions(shape, seen), (List{{Kind::kStartContainer, 0}}));
  seen.containers[0] = {.phase = ContainerPhase::kExited, .exit_code = 0};
  EXPECT_EQ(actions(shape, seen), (List{{Kind::kStartContainer, 1}}));
  seen.containers[1] = {.phase = ContainerPhase::kRunning, .started = false};
  EXPECT_TRUE(actions(shape, seen).empty());
  seen.containers[1].started = true;
  EXPECT_EQ(actions(shape, seen), (List{{Kind::kStartContainer, 2}}));
  seen.containers[2] = {.phase = ContainerPhase::kStarting};
  EXPECT_TRUE(actions(shape, seen).empty());
  seen.containers[2].phase = ContainerPhase::kRunning;
  EXPECT_EQ(actions(shape, seen), (List{{Kind::kStartContainer, 3}}));
}

TEST_F(PodPolicySteps, AFailedContainerDoesNotHoldUpTheNext) {
  PodShape shape = shape_of("Always", {}, 2);
  PodObservation seen = ready(shape);
  seen.containers[0].not_before = now_ + std::chrono::seconds(10);
  EXPECT_EQ(actions(shape, seen), (List{{Kind::kStartContainer, 1}}));
  seen.containers[1] = {.phase = ContainerPhase::kRunning, .started = true};
  EXPECT_EQ(decide(shape, seen, now_).look_again, now_ + std::chrono::seconds(10));
}

TEST_F(PodPolicySteps, NeverRestarts) {
  PodShape shape = shape_of("Never", {}, 1);
  PodObservation seen = ready(shape);
  seen.containers[0] = {.phase = ContainerPhase::kExited, .exit_code = 1};
  PodPlan plan = decide(shape, seen, now_);
  EXPECT_TRUE(plan.finished);
  EXPECT_EQ(plan.actions.front().kind, Kind::kStopSandbox);
}

TEST_F(PodPolicySteps, EndsMainsThenSidecarsBackwardsThenSandboxVolumesObject) {
  PodShape shape = shape_of("Always", {"sidecar", "sidecar"}, 1);
  PodObservation seen = ready(shape);
  for (auto& container : seen.containers) container = {.phase = ContainerPhase::kRunning, .started = true};
  seen.wish = PodWish::kDelete;
  EXPECT_EQ(actions(shape, seen), (List{{Kind::kStopContainer, 2}}));
  seen.containers[2] = {.phase = ContainerPhase::kExited};
  EXPECT_EQ(actions(shape, seen), (List{{Kind::kStopContainer, 1}}));
  seen.containers[1].phase = ContainerPhase::kStopping;
  EXPECT_TRUE(actions(shape, seen).empty());
  seen.containers[1] = {.phase = ContainerPhase::kExited};
  EXPECT_EQ(actions(shape, seen), (List{{Kind::kStopContainer, 0}}));
  seen.containers[0] = {.phase = ContainerPhase::kExited};
  EXPECT_EQ(actions(shape, seen), (List{{Kind::kRemoveSandbox, 0}}));
  seen.sandbox = SandboxPhase::kAbsent;
  EXPECT_EQ(actions(shape, seen), (List{{Kind::kTearDownVolumes, 0}}));
  seen.volumes_present = false;
  EXPECT_EQ(actions(shape, seen), (List{{Kind::kDeleteObject, 0}}));
  seen.wish = PodWish::kGone;
  EXPECT_EQ(actions(shape, seen), (List{{Kind::kForget, 0}}));
}

TEST_F(PodPolicySteps, AnEphemeralContainerStartsOnceBesideTheOthers) {
  PodShape shape = shape_of("Always", {"init"}, 1);
  shape.containers.push_back({.name = "e", .kind = ContainerKind::kEphemeral, .restart_policy = RestartPolicy::kNever});
  PodObservation seen = ready(shape);
  seen.containers[0] = {.phase = ContainerPhase::kRunning};
  EXPECT_EQ(actions(shape, seen), (List{{Kind::kStartContainer, 2}}));
  seen.containers[2] = {.phase = ContainerPhase::kStarting};
  seen.containers[0] = {.phase = ContainerPhase::kExited, .exit_code = 0};
  EXPECT_EQ(actions(shape, seen), (List{{Kind::kStartContainer, 1}}));
  seen.containers[1] = {.phase = ContainerPhase::kRunning, .started = true};
  seen.containers[2] = {.phase = ContainerPhase::kExited, .ever_ran = true};
  EXPECT_TRUE(actions(shape, seen).empty());
  seen.containers[2] = {.phase = ContainerPhase::kAbsent, .ever_ran = true};
  EXPECT_TRUE(actions(shape, seen).empty());
  seen.containers[2] = {.phase = ContainerPhase::kRunning};
  seen.wish = PodWish::kDelete;
  EXPECT_EQ(actions(shape, seen), (List{{Kind::kStopContainer, 1}, {Kind::kStopContainer, 2}}));
}

TEST_F(PodPolicySteps, ALostSandboxRunsInitAgain) {
  PodShape shape = shape_of("OnFailure", {"init"}, 2);
  PodObservation seen = ready(shape);
  seen.sandbox = SandboxPhase::kDead;
  seen.containers[0] = {.phase = ContainerPhase::kExited, .in_sandbox = false};
  seen.containers[1] = {.phase = ContainerPhase::kExited, .in_sandbox = false, .exit_code = 0};
  seen.containers[2] = {.phase = ContainerPhase::kExited, .in_sandbox = false, .exit_code = 137};
  EXPECT_EQ(actions(shape, seen), (List{{Kind::kCreateSandbox, 0}}));
  seen.sandbox = SandboxPhase::kReady;
  EXPECT_EQ(actions(shape, seen), (List{{Kind::kStartContainer, 0}}));
  seen.containers[0].in_sandbox = true;
  EXPECT_EQ(actions(shape, seen), (List{{Kind::kStartContainer, 2}}));
}

}  // namespace
}  // namespace stead::node
