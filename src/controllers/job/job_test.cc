// The Job controller on an API of a few lines.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "client/fake_api.h"
#include "controllers/job/job_controller.h"
#include "controllers/owner_references.h"
#include "controllers/pod_state.h"
#include "controllers/requests.h"
#include "loop/simulated_loop.h"
#include "object/time.h"

namespace stead::controllers {
namespace {

using namespace std::chrono_literals;

Value sum_labels() { return Value::object({{"job-name", "sum"}}); }

Value sum_job(std::initializer_list<std::pair<std::string_view, Value>> fields = {}) {
  Value spec = Value::object({{"parallelism", 1},
                              {"completions", 1},
                              {"backoffLimit", 6},
                              {"completionMode", "NonIndexed"},
                              {"podReplacementPolicy", "TerminatingOrFailed"},
                              {"selector", Value::object({{"matchLabels", sum_labels()}})}});
  spec.set({"template", "metadata", "labels"}, sum_labels());
  spec.set({"template", "spec", "restartPolicy"}, "Never");
  spec.set({"template", "spec", "containers"}, Value::array({Value::object({{"name", "c"}})}));
  for (const auto& [name, value] : fields) {
    if (value.is_null()) {
      spec.erase(name);
    } else {
      spec.set(name, value);
    }
  }
  return Value::object({{"apiVersion", "batch/v1"},
                        {"kind", "Job"},
                        {"metadata", Value::object({{"name", "sum"}, {"namespace", "default"}, {"uid", "job-uid"}})},
                        {"spec", std::move(spec)}});
}

class JobTest : public testing::Test {
 protected:
  void start(Value job) {
    api.put(kJobs, std::move(job));
    informers.start();
    controller.start();
    settle();
  }
  void settle() { simulation.run_for(10ms); }
  std::vector<ObjectPtr> pods() const { return api.list(kPods); }
  std::vector<ObjectPtr> active() const {
    std::vector<ObjectPtr> all = pods();
    std::erase_if(all, [](const ObjectPtr& pod) { return !job::is_active(*pod); });
    return all;
  }
  ObjectPtr pod_of_index(int64_t index) const {
    for (const ObjectPtr& pod : active()) {
      if (job::index_of(*pod) == index) return pod;
    }
    return nullptr;
  }
  void run(const ObjectPtr& pod) {
    api.change(kPods, client::object_key(*pod), [&](Value& document) {
      document.set({"spec", "nodeName"}, "node1");
      document.set({"status", "phase"}, "Running");
    });
  }
  void finish(const ObjectPtr& pod, int exit_code) {
    api.change(kPods, client::object_key(*pod), [&](Value& document) {
      document.set({"status", "phase"}, exit_code == 0 ? "Succeeded" : "Failed");
      Value ended = Value::object({{"exitCode", exit_code}, {"finishedAt", object::format_time(loop.wall_now())}});
      Value state = Value::object({{"terminated", std::move(ended)}});
      document.set({"status", "containerStatuses"},
                   Value::array({Value::object({{"name", "c"}, {"state", std::move(state)}})}));
    });
    settle();
  }
  ObjectPtr job() const { return api.get(kJobs, "default/sum"); }
  const Value& status() const { return job()->status(); }
  std::string condition(std::string_view type) const {
    const Value* found = find_condition(*job(), type);
    if (found == nullptr || found->at("status").as_string() != "True") return "";
    return std::string(found->at("reason").as_string());
  }
  void patch(std::initializer_list<std::string_view> path, Value value) {
    api.change(kJobs, "default/sum", [&](Value& document) { document.set(path, std::move(value)); });
    settle();
  }

  loop::Simulation simulation{1};
  loop::Loop& loop = simulation.make_loop();
  client::FakeApi api{loop};
  client::EventRecorder events{api, loop, "job-controller"};
  client::InformerSet informers{api, loop};
  JobController controller{api, loop, events, informers};
};

TEST_F(JobTest, OnePodSucceeds) {
  start(sum_job());
  ASSERT_EQ(pods().size(), 1U);
  EXPECT_TRUE(job::is_tracked(*pods()[0]));
  EXPECT_EQ(status().at("active").as_int(), 1);
  EXPECT_FALSE(status().at("startTime").is_null());
  run(pods()[0]);
  finish(pods()[0], 0);
  EXPECT_EQ(status().at("succeeded").as_int(), 1);
  EXPECT_EQ(condition("SuccessCriteriaMet"), "CompletionsReached");
  EXPECT_EQ(condition("Complete"), "CompletionsReached");
  EXPECT_FALSE(status().at("completionTime").is_null());
  EXPECT_TRUE(status().at("uncountedTerminatedPods").is_object());
  EXPECT_TRUE(status().at("uncountedTerminatedPods").empty());
  EXPECT_FALSE(job::is_tracked(*pods()[0]));
  EXPECT_TRUE(status().at("active").is_null());
}

TEST_F(JobTest, KeepsToParallelismAndCompletions) {
  start(sum_job({{"parallelism", 2}, {"completions", 3}}));
  EXPECT_EQ(active().size(), 2U);
  finish(active()[0], 0);
  EXPECT_EQ(active().size(), 2U);
  finish(active()[0], 0);
  EXPECT_EQ(active().size(), 1U) << "only one more must succeed";
  finish(active()[0], 0);
  EXPECT_EQ(status().at("succeeded").as_int(), 3);
  EXPECT_EQ(condition("Complete"), "CompletionsReached");
}

TEST_F(JobTest, AWorkQueueEndsWithItsLastPod) {
  start(sum_job({{"parallelism", 2}, {"completions", Value()}}));
  EXPECT_EQ(active().size(), 2U);
  finish(active()[0], 0);
  EXPECT_EQ(active().size(), 1U);
  EXPECT_EQ(condition("Complete"), "");
  finish(active()[0], 0);
  EXPECT_EQ(condition("Complete"), "CompletionsReached");
}

TEST_F(JobTest, FailuresAreRepeatedWithBackOffUntilTheLimit) {
  start(sum_job({{"backoffLimit", 2}}));
  finish(active()[0], 1);
  EXPECT_TRUE(active().empty());
  simulation.run_for(9s);
  EXPECT_TRUE(active().empty()) << "10 s after the first failure";
  simulation.run_for(2s);
  ASSERT_EQ(active().size(), 1U);
  finish(active()[0], 1);
  simulation.run_for(15s);
  EXPECT_TRUE(active().empty()) << "20 s after the second";
  simulation.run_for(6s);
  ASSERT_EQ(active().size(), 1U);
  finish(active()[0], 1);
  EXPECT_EQ(status().at("failed").as_int(), 3);
  EXPECT_EQ(condition("FailureTarget"), "BackoffLimitExceeded");
  EXPECT_EQ(condition("Failed"), "BackoffLimitExceeded");
  simulation.run_for(10min);
  EXPECT_TRUE(active().empty());
  EXPECT_TRUE(status().at("completionTime").is_null());
}

TEST_F(JobTest, RestartsCountUnderOnFailure) {
  Value document = sum_job({{"backoffLimit", 2}});
  document.set({"spec", "template", "spec", "restartPolicy"}, "OnFailure");
  start(std::move(document));
  run(active()[0]);
  api.change(kPods, client::object_key(*active()[0]), [](Value& pod) {
    pod.set({"status", "containerStatuses"}, Value::array({Value::object({{"name", "c"}, {"restartCount", 2}})}));
  });
  settle();
  EXPECT_EQ(condition("FailureTarget"), "BackoffLimitExceeded");
  EXPECT_TRUE(active().empty());
  EXPECT_EQ(condition("Failed"), "BackoffLimitExceeded");
  EXPECT_EQ(status().at("failed").as_int(), 1);
}

TEST_F(JobTest, NotFailedBeforeItsPodsHaveEnded) {
  start(sum_job({{"activeDeadlineSeconds", 5}, {"podReplacementPolicy", "Failed"}}));
  run(active()[0]);
  std::string key = client::object_key(*active()[0]);
  simulation.run_for(6s);
  EXPECT_EQ(condition("FailureTarget"), "DeadlineExceeded");
  EXPECT_EQ(condition("Failed"), "");
  ASSERT_EQ(pods().size(), 1U);
  EXPECT_TRUE(pods()[0]->deleting());
  api.change(kPods, key, [](Value& pod) { pod.set({"status", "phase"}, "Failed"); });
  settle();
  EXPECT_EQ(condition("Failed"), "DeadlineExceeded");
}

TEST_F(JobTest, TheDeadlineEndsIt) {
  start(sum_job({{"activeDeadlineSeconds", 5}}));
  simulation.run_for(6s);
  EXPECT_EQ(condition("Failed"), "DeadlineExceeded");
  EXPECT_TRUE(active().empty());
}

TEST_F(JobTest, SuspendedAndResumed) {
  start(sum_job({{"parallelism", 2}, {"completions", 2}}));
  std::string started(status().at("startTime").as_string());
  simulation.run_for(5s);
  patch({"spec", "suspend"}, true);
  EXPECT_TRUE(active().empty());
  EXPECT_EQ(condition("Suspended"), "JobSuspended");
  EXPECT_TRUE(status().at("failed").is_null()) << "pods let go do not count";
  patch({"spec", "suspend"}, false);
  EXPECT_EQ(active().size(), 2U);
  EXPECT_EQ(condition("Suspended"), "");
  EXPECT_NE(status().at("startTime").as_string(), started);
}

TEST_F(JobTest, ScalingDownDoesNotCount) {
  start(sum_job({{"parallelism", 5}, {"completions", 10}}));
  patch({"spec", "parallelism"}, 2);
  EXPECT_EQ(active().size(), 2U);
  EXPECT_TRUE(status().at("failed").is_null());
}

TEST_F(JobTest, IndexedPodsKnowTheirNumber) {
  start(sum_job({{"completionMode", "Indexed"}, {"parallelism", 2}, {"completions", 3}}));
  ASSERT_EQ(active().size(), 2U);
  const ObjectPtr pod = pod_of_index(1);
  ASSERT_TRUE(pod);
  EXPECT_EQ(pod->spec().at("hostname").as_string(), "sum-1");
  EXPECT_EQ(pod->metadata().at({"labels", job::kIndexAnnotation}).as_string(), "1");
  EXPECT_TRUE(pod->name().starts_with("sum-1-"));
  const Value& variable = pod->spec().at("containers").items()[0].at("env").items()[0];
  EXPECT_EQ(variable.at("name").as_string(), "JOB_COMPLETION_INDEX");
  finish(pod, 0);
  EXPECT_EQ(status().at("completedIndexes").as_string(), "1");
  EXPECT_TRUE(pod_of_index(2));
  finish(pod_of_index(2), 0);
  finish(pod_of_index(0), 0);
  EXPECT_EQ(status().at("completedIndexes").as_string(), "0-2");
  EXPECT_EQ(status().at("succeeded").as_int(), 3);
  EXPECT_EQ(condition("Complete"), "CompletionsReached");
}

TEST_F(JobTest, EachIndexHasItsLimit) {
  start(sum_job({{"completionMode", "Indexed"},
                 {"parallelism", 2},
                 {"completions", 2},
                 {"backoffLimit", 1000},
                 {"backoffLimitPerIndex", 1}}));
  finish(pod_of_index(0), 1);
  EXPECT_FALSE(pod_of_index(0));
  simulation.run_for(11s);
  ASSERT_TRUE(pod_of_index(0));
  EXPECT_EQ(job::count_of(*pod_of_index(0), job::kFailureCountAnnotation), 1);
  finish(pod_of_index(0), 1);
  EXPECT_EQ(status().at("failedIndexes").as_string(), "0");
  simulation.run_for(1min);
  EXPECT_FALSE(pod_of_index(0));
  finish(pod_of_index(1), 0);
  EXPECT_EQ(condition("Failed"), "FailedIndexes");
  EXPECT_EQ(status().at("failed").as_int(), 2);
  for (const ObjectPtr& pod : pods()) EXPECT_FALSE(job::is_tracked(*pod));
}

TEST_F(JobTest, FailurePolicy) {
  auto rule = [](std::string_view action, int code) {
    Value codes = Value::object({{"operator", "In"}, {"values", Value::array({code})}});
    return Value::object({{"action", action}, {"onExitCodes", std::move(codes)}});
  };
  Value policy = Value::object({{"rules", Value::array({rule("Ignore", 7), rule("FailJob", 42)})}});
  start(sum_job({{"backoffLimit", 0}, {"podFailurePolicy", policy}, {"podReplacementPolicy", "Failed"}}));
  finish(active()[0], 7);
  EXPECT_TRUE(status().at("failed").is_null());
  simulation.run_for(11s);
  ASSERT_EQ(active().size(), 1U);
  finish(active()[0], 42);
  EXPECT_EQ(condition("Failed"), "PodFailurePolicy");
  EXPECT_THAT(std::string(find_condition(*job(), "Failed")->at("message").as_string()),
              testing::HasSubstr("failed with exit code 42 matching FailJob rule at index 1"));
}

TEST_F(JobTest, SuccessPolicy) {
  Value rule = Value::object({{"succeededIndexes", "0,1"}, {"succeededCount", 1}});
  start(sum_job({{"completionMode", "Indexed"},
                 {"parallelism", 3},
                 {"completions", 3},
                 {"successPolicy", Value::object({{"rules", Value::array({rule})}})}}));
  finish(pod_of_index(2), 0);
  EXPECT_EQ(condition("SuccessCriteriaMet"), "");
  finish(pod_of_index(1), 0);
  EXPECT_EQ(condition("Complete"), "SuccessPolicy");
  EXPECT_TRUE(active().empty());
}

TEST_F(JobTest, AnEndingPodIsReplacedAtOnceOrWhenItHasEnded) {
  start(sum_job({{"podReplacementPolicy", "Failed"}}));
  run(active()[0]);
  std::string key = client::object_key(*active()[0]);
  api.call(delete_request(kPods, *active()[0]), [](auto) {});
  simulation.run_for(20s);
  EXPECT_TRUE(active().empty());
  EXPECT_EQ(status().at("terminating").as_int(), 1);
  api.change(kPods, key, [](Value& pod) { pod.set({"status", "phase"}, "Failed"); });
  simulation.run_for(20s);
  EXPECT_EQ(active().size(), 1U);
  EXPECT_EQ(status().at("failed").as_int(), 1);
}

TEST_F(JobTest, PodsOfADeletedJobAreLetGo) {
  start(sum_job());
  api.remove(kJobs, "default/sum");
  settle();
  ASSERT_EQ(pods().size(), 1U);
  EXPECT_FALSE(job::is_tracked(*pods()[0]));
}

TEST_F(JobTest, DeletedWhenItsTimeHasCome) {
  start(sum_job({{"ttlSecondsAfterFinished", 30}}));
  finish(active()[0], 0);
  simulation.run_for(20s);
  EXPECT_FALSE(job()->deleting());
  simulation.run_for(12s);
  EXPECT_TRUE(!job() || job()->deleting());
}

TEST_F(JobTest, AnothersJobIsLeftAlone) {
  start(sum_job({{"managedBy", "example.com/other"}}));
  EXPECT_TRUE(pods().empty());
  EXPECT_TRUE(status().is_null());
}

// Whatever pods do, and whoever deletes them: each end is counted once, and never more run than may.
TEST_F(JobTest, CountsEachPodOnce) {
  constexpr int64_t kCompletions = 40;
  start(sum_job({{"parallelism", 5}, {"completions", kCompletions}, {"backoffLimit", 1000}}));
  std::mt19937_64 random(3);
  int64_t succeeded = 0;
  int64_t failed = 0;
  for (int step = 0; step < 5000 && condition("Complete").empty(); ++step) {
    std::vector<ObjectPtr> now = active();
    EXPECT_LE(now.size(), 5U);
    std::vector<ObjectPtr> all = pods();
    if (now.empty()) {
      simulation.run_for(10min);
      continue;
    }
    const ObjectPtr& pod = now[random() % now.size()];
    int choice = static_cast<int>(random() % 10);
    if (choice < 5) {
      ++succeeded;
      finish(pod, 0);
    } else if (choice < 7) {
      ++failed;
      finish(pod, 1);
    } else if (choice < 8) {
      ++failed;
      api.call(delete_request(kPods, *pod), [](auto) {});
      settle();
    } else {
      // A finished pod is deleted by somebody.
      const ObjectPtr& any = all[random() % all.size()];
      if (!job::is_active(*any)) api.call(delete_request(kPods, *any), [](auto) {});
      settle();
    }
  }
  EXPECT_EQ(condition("Complete"), "CompletionsReached");
  EXPECT_EQ(succeeded, kCompletions);
  EXPECT_EQ(status().at("succeeded").as_int(), succeeded);
  EXPECT_EQ(status().at("failed").as_int(), failed);
}

}  // namespace
}  // namespace stead::controllers
