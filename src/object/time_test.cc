#include "object/time.h"

#include <gtest/gtest.h>

namespace stead::object {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Time, ReadsRfc3339AndWritesUtc) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"},
      {"2026-01-02T03:04:05.6Z", "2026-01-02T03:04:05.600000Z"},
      {"2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456Z"},
      {"2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00.000000Z"},
      {"2024-02-29T23:59:59-11:30", "2024-03-01T11:29:59.000000Z"},
      {"1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500000Z"},
      {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"},
  };
  for (const auto& [text, expected] : cases) {
    auto time = parse_time(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(format_micro_time(*time), expected);
    EXPECT_EQ(format_time(*time), std::string(expected.substr(0, 19)) + "Z");
  }
}

TEST(Time, RefusesWhatIsNotRfc3339) {
  for (std::string_view text :
       {"", "2026-01-02", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z", "2026-02-30T03:04:05Z", "2026-01-02T24:00:00Z",
        "2026-01-02T03:04:05.Z", "2026-01-02 03:04:05Z", "2026-01-02T03:04:05z", "2026-01-02T03:04:05+0100",
        "2026-01-02T03:04:05Zx", "26-01-02T03:04:05Z"}) {
    EXPECT_FALSE(parse_time(text)) << text;
  }
}

TEST(Time, AgesAsKubectlPrintsThem) {
  const std::pair<Duration, std::string_view> cases[] = {
      {seconds(-5), "<invalid>"},
      {seconds(-1), "0s"},
      {seconds(0), "0s"},
      {seconds(119), "119s"},
      {seconds(120), "2m"},
      {seconds(200), "3m20s"},
      {minutes(10), "10m"},
      {minutes(179), "179m"},
      {hours(3), "3h"},
      {minutes(245), "4h5m"},
      {hours(8), "8h"},
      {hours(47), "47h"},
      {hours(53), "2d5h"},
      {hours(72), "3d"},
      {hours(24 * 8), "8d"},
      {hours(24 * 365 * 2), "2y"},
      {hours(24 * 366 * 2), "2y2d"},
      {hours(24 * 365 * 9), "9y"},
  };
  for (const auto& [duration, expected] : cases) EXPECT_EQ(human_duration(duration), expected);
}

TEST(Time, DurationsAsGoWritesThem) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"0", "0s"},        {"1h2m0.5s", "1h2m0.5s"}, {"90s", "1m30s"},          {"1.5h", "1h30m0s"},
      {"-10ms", "-10ms"}, {"1.25ms", "1.25ms"},     {"100us", "100\xc2\xb5s"}, {"3600s", "1h0m0s"},
      {".5s", "500ms"},   {"+1m", "1m0s"},          {"1m1ms", "1m0.001s"}};
  for (const auto& [text, expected] : cases) {
    auto duration = parse_duration(text);
    ASSERT_TRUE(duration) << text;
    EXPECT_EQ(format_duration(*duration), expected) << text;
  }
  for (std::string_view text : {"", "-", "1", "s", "1d", ".s", "1h ", "99999999999999999999h", "1e3s"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

}  // namespace
}  // namespace stead::object
