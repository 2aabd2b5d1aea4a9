// Schedules: what they mean, what is refused, and that next() agrees with trying every minute.

#include "kinds/semantics/cron_schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "kinds/semantics/index_ranges.h"
#include "object/time.h"

namespace stead::kinds {
namespace {

std::string next_of(std::string_view schedule, std::string_view from, std::string_view zone = "UTC") {
  auto parsed = CronSchedule::parse(schedule);
  if (!parsed.ok()) return parsed.error().message;
  auto found = TimeZone::find(zone);
  if (!found) return "no such zone";
  auto next = parsed->next(*object::parse_time(from), *found);
  return next ? object::format_time(*next) : "never";
}

TEST(CronSchedule, Table) {
  struct Case {
    std::string_view schedule, from, next, zone = "UTC";
  };
  const Case cases[] = {
      {"* * * * *", "2026-01-01T00:00:30Z", "2026-01-01T00:01:00Z"},
      {"*/5 * * * *", "2026-01-01T00:05:00Z", "2026-01-01T00:10:00Z"},
      {"15,45 2-4 * * *", "2026-01-01T04:45:00Z", "2026-01-02T02:15:00Z"},
      {"0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"},
      {"0 0 30 2 *", "2026-01-01T00:00:00Z", "never"},
      {"0 0 * * sun", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"},
      {"0 0 * JAN-mar mon", "2026-03-31T00:00:00Z", "2027-01-04T00:00:00Z"},
      // Either day suffices where both are restricted.
      {"0 0 13 * fri", "2026-01-03T00:00:00Z", "2026-01-09T00:00:00Z"},
      {"0 0 13 * ?", "2026-01-03T00:00:00Z", "2026-01-13T00:00:00Z"},
      {"3/20 * * * *", "2026-01-01T00:04:00Z", "2026-01-01T00:23:00Z"},
      {"@hourly", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"},
      {"@daily", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"},
      {"@weekly", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"},
      {"@monthly", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"},
      {"@yearly", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
      {"@every 1m30s", "2026-01-01T00:00:00Z", "2026-01-01T00:01:30Z"},
      {"0 9 * * *", "2026-07-01T00:00:00Z", "2026-07-01T07:00:00Z", "Europe/Berlin"},
      {"0 9 * * *", "2026-12-01T00:00:00Z", "2026-12-01T08:00:00Z", "Europe/Berlin"},
      // 2:30 does not exist on the day clocks go forward, and comes twice when they go back.
      {"30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z", "Europe/Berlin"},
      {"30 2 * * *", "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "Europe/Berlin"},
      {"30 2 * * *", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "Europe/Berlin"},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(next_of(each.schedule, each.from, each.zone), each.next) << each.schedule << " after " << each.from;
  }
}

TEST(CronSchedule, RefusesWithAReason) {
  struct Case {
    std::string_view schedule, problem;
  };
  const Case cases[] = {
      {"", "empty spec string"},
      {"* * * *", "expected exactly 5 fields, found 4: [* * * *]"},
      {"60 * * * *", "end of range (60) above maximum (59): 60"},
      {"* * 0 * *", "beginning of range (0) below minimum (1): 0"},
      {"* * * * 7", "end of range (7) above maximum (6): 7"},
      {"5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"},
      {"1-2-3 * * * *", "too many hyphens: 1-2-3"},
      {"*/2/3 * * * *", "too many slashes: */2/3"},
      {"*/0 * * * *", "step of range should be a positive number: */0"},
      {"x * * * *", "failed to parse int from x"},
      {"@reboot", "unrecognized descriptor: @reboot"},
      {"@every soon", "failed to parse duration @every soon"},
  };
  for (const Case& each : cases) EXPECT_EQ(next_of(each.schedule, "2026-01-01T00:00:00Z"), each.problem);
  EXPECT_FALSE(TimeZone::find("Nowhere/Land"));
  EXPECT_FALSE(TimeZone::find("../etc/passwd"));
}

// Whatever the schedule, no minute between `from` and next(from) fits: next() of that minute's predecessor would say
// so.
TEST(CronSchedule, NextIsTheFirst) {
  std::mt19937_64 random(7);
  auto below = [&](int limit) { return static_cast<int>(random() % static_cast<uint64_t>(limit)); };
  for (int round = 0; round < 200; ++round) {
    std::string text = std::to_string(below(60)) + " */" + std::to_string(1 + below(12)) + " " +
                       (below(2) != 0 ? "*" : std::to_string(1 + below(28))) + " * " +
                       (below(2) != 0 ? "*" : std::to_string(below(7)));
    auto schedule = CronSchedule::parse(text);
    ASSERT_TRUE(schedule.ok());
    auto zone = *TimeZone::find(below(2) != 0 ? "America/New_York" : "Asia/Kolkata");
    WallTime from = *object::parse_time("2026-01-01T00:00:00Z") + std::chrono::minutes(below(500'000));
    auto next = schedule->next(from, zone);
    ASSERT_TRUE(next) << text;
    EXPECT_GT(*next, from);
    for (int step = 1; step < 60; ++step) {
      WallTime between = from + (*next - from) * step / 60;
      if (between >= *next) break;
      EXPECT_EQ(schedule->next(between, zone), next) << text;
    }
  }
}

TEST(IndexRanges, ReadsAndWrites) {
  auto parsed = IndexRanges::parse("0,3-5,7", 10);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->size(), 5);
  EXPECT_EQ(parsed->str(), "0,3-5,7");
  parsed->add(6);
  EXPECT_EQ(parsed->str(), "0,3-7");
  parsed->add(1);
  EXPECT_EQ(parsed->str(), "0,1,3-7");
  parsed->add(2);
  parsed->add(2);
  EXPECT_EQ(parsed->str(), "0-7");
  EXPECT_TRUE(parsed->contains(7));
  EXPECT_FALSE(parsed->contains(8));
  EXPECT_EQ(parsed->shared_with(IndexRanges::read("6-9", 10)), 2);
  EXPECT_EQ(IndexRanges::read("0-3,8", 3).str(), "0-2");
}

TEST(IndexRanges, RefusesWithAReason) {
  for (std::string_view text : {"x", "1,", "3-1", "2,1", "1-2-3", "10", "1--2"}) {
    EXPECT_FALSE(IndexRanges::parse(text, 10).ok()) << text;
  }
}

}  // namespace
}  // namespace stead::kinds
