// Cron jobs: which start is due, and the controller on an API of a few lines.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/fake_api.h"
#include "controllers/cronjob/cronjob_controller.h"
#include "controllers/cronjob/schedule_times.h"
#include "controllers/requests.h"
#include "loop/simulated_loop.h"
#include "object/time.h"

namespace stead::controllers {
namespace {

using namespace std::chrono_literals;

TEST(FindDue, TheLatestThatIsNotInTheFuture) {
  auto at = [](std::string_view text) { return *object::parse_time(text); };
  auto schedule = kinds::CronSchedule::parse("*/10 * * * *");
  auto due = [&](std::string_view last, std::string_view now, std::optional<WallTime> not_before = {}) {
    return cronjob::find_due(*schedule, kinds::TimeZone::utc(), at(last), not_before, at(now));
  };
  EXPECT_FALSE(due("2026-01-01T00:00:00Z", "2026-01-01T00:09:59Z").time);
  EXPECT_EQ(due("2026-01-01T00:00:00Z", "2026-01-01T00:10:00Z").time, at("2026-01-01T00:10:00Z"));
  EXPECT_EQ(due("2026-01-01T00:00:00Z", "2026-01-01T00:35:00Z").time, at("2026-01-01T00:30:00Z"));
  EXPECT_FALSE(due("2026-01-01T00:00:00Z", "2026-01-01T10:00:00Z").too_many_missed);
  auto late = due("2025-01-01T00:00:00Z", "2026-01-01T00:35:00Z");
  EXPECT_EQ(late.time, at("2026-01-01T00:30:00Z"));
  EXPECT_TRUE(late.too_many_missed);
  EXPECT_FALSE(due("2026-01-01T00:00:00Z", "2026-01-01T00:35:00Z", at("2026-01-01T00:34:00Z")).time);
}

class CronJobTest : public testing::Test {
 protected:
  void start(std::string_view policy = "Allow", std::initializer_list<std::pair<std::string_view, Value>> fields = {}) {
    Value spec = Value::object({{"schedule", "*/5 * * * *"},
                                {"concurrencyPolicy", policy},
                                {"successfulJobsHistoryLimit", 2},
                                {"failedJobsHistoryLimit", 1}});
    spec.set({"jobTemplate", "metadata", "labels", "app"}, "tick");
    spec.set({"jobTemplate", "spec", "parallelism"}, 1);
    for (const auto& [name, value] : fields) spec.set(name, value);
    api.put(kCronJobs, Value::object({{"apiVersion", "batch/v1"},
                                      {"kind", "CronJob"},
                                      {"metadata", Value::object({{"name", "tick"}, {"namespace", "default"}})},
                                      {"spec", std::move(spec)}}));
    informers.start();
    controller.start();
    simulation.run_for(1s);
  }
  std::vector<ObjectPtr> jobs() const { return api.list(kJobs); }
  const Value& status() const { return api.get(kCronJobs, "default/tick")->status(); }
  void end(const ObjectPtr& job, std::string_view type) {
    api.change(kJobs, client::object_key(*job), [&](Value& document) {
      std::string now = object::format_time(loop.wall_now());
      document.set({"status", "startTime"}, now);
      if (type == "Complete") document.set({"status", "completionTime"}, now);
      document.set({"status", "conditions"}, Value::array({Value::object({{"type", type}, {"status", "True"}})}));
    });
    simulation.run_for(1s);
  }

  loop::Simulation simulation{1};
  loop::Loop& loop = simulation.make_loop();
  client::FakeApi api{loop};
  client::EventRecorder events{api, loop, "cronjob-controller"};
  client::InformerSet informers{api, loop};
  CronJobController controller{api, loop, events, informers};
};

TEST_F(CronJobTest, StartsJobsOnTime) {
  start();
  EXPECT_TRUE(jobs().empty());
  simulation.run_for(5min);
  ASSERT_EQ(jobs().size(), 1U);
  const ObjectPtr job = jobs()[0];
  EXPECT_EQ(job->metadata().at({"labels", "app"}).as_string(), "tick");
  auto scheduled = object::parse_time(
      job->metadata().at({"annotations", "batch.kubernetes.io/cronjob-scheduled-timestamp"}).as_string());
  ASSERT_TRUE(scheduled);
  auto minutes = std::chrono::duration_cast<std::chrono::minutes>(scheduled->time_since_epoch()).count();
  EXPECT_EQ(job->name(), "tick-" + std::to_string(minutes));
  EXPECT_EQ(minutes % 5, 0);
  EXPECT_EQ(status().at("active").size(), 1U);
  EXPECT_EQ(object::parse_time(status().at("lastScheduleTime").as_string()), scheduled);
  end(job, "Complete");
  EXPECT_EQ(status().at("active").size(), 0U);
  EXPECT_FALSE(status().at("lastSuccessfulTime").is_null());
  simulation.run_for(5min);
  EXPECT_EQ(jobs().size(), 2U);
}

TEST_F(CronJobTest, ForbidWaitsForTheLast) {
  start("Forbid");
  simulation.run_for(12min);
  ASSERT_EQ(jobs().size(), 1U);
  end(jobs()[0], "Complete");
  EXPECT_EQ(jobs().size(), 2U) << "the start that was missed";
}

TEST_F(CronJobTest, ReplaceEndsTheLast) {
  start("Replace");
  simulation.run_for(5min);
  ASSERT_EQ(jobs().size(), 1U);
  std::string first(jobs()[0]->uid());
  simulation.run_for(5min);
  ASSERT_EQ(jobs().size(), 1U);
  EXPECT_NE(jobs()[0]->uid(), first);
  EXPECT_EQ(status().at("active").size(), 1U);
}

TEST_F(CronJobTest, AllowRunsBeside) {
  start();
  simulation.run_for(11min);
  EXPECT_EQ(jobs().size(), 2U);
  EXPECT_EQ(status().at("active").size(), 2U);
}

TEST_F(CronJobTest, KeepsAFewOfEachEnd) {
  start();
  for (int i = 0; i < 6; ++i) {
    simulation.run_for(5min);
    for (const ObjectPtr& job : jobs()) {
      if (job->status().is_null()) end(job, i % 2 == 0 ? "Complete" : "Failed");
    }
  }
  EXPECT_EQ(jobs().size(), 3U);
}

TEST_F(CronJobTest, SuspendedStartsNothing) {
  start("Allow", {{"suspend", true}});
  simulation.run_for(1h);
  EXPECT_TRUE(jobs().empty());
  api.change(kCronJobs, "default/tick", [](Value& document) { document.set({"spec", "suspend"}, false); });
  simulation.run_for(1s);
  EXPECT_EQ(jobs().size(), 1U) << "the latest of those missed, without a deadline";
}

TEST_F(CronJobTest, StartsMissedForLongerThanTheDeadlineAreGone) {
  start("Allow", {{"suspend", true}, {"startingDeadlineSeconds", 30}});
  simulation.run_for(1h + 2min);
  api.change(kCronJobs, "default/tick", [](Value& document) { document.set({"spec", "suspend"}, false); });
  simulation.run_for(1s);
  EXPECT_TRUE(jobs().empty());
}

TEST_F(CronJobTest, AJobMadeBeforeACrashIsTaken) {
  start();
  bool lost = false;
  api.fault = [&](const Request& call) -> std::optional<Error> {
    if (call.resource != "cronjobs" || call.subresource != "status" || lost) return std::nullopt;
    lost = true;
    return make_error(Reason::kUnavailable, "gone");
  };
  simulation.run_for(5min + 10s);
  EXPECT_TRUE(lost);
  EXPECT_EQ(jobs().size(), 1U);
  EXPECT_EQ(status().at("active").size(), 1U);
}

}  // namespace
}  // namespace stead::controllers
