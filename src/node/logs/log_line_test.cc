#include "node/logs/log_line.h"

#include <gtest/gtest.h>

#include "object/time.h"

namespace stead::node {
namespace {

std::string select(const LogOptions& options, const std::vector<std::string>& lines) {
  LogSelection selection(options);
  std::string text;
  for (const std::string& line : lines) selection.add(line, text);
  return text;
}

const std::vector<std::string> kLines = {
    "2026-01-02T03:04:05.1Z stdout F one",
    "2026-01-02T03:04:06.123456789Z stderr F two",
    "2026-01-02T03:04:07Z stdout P thr",
    "2026-01-02T03:04:08Z stdout F ee",
};

TEST(LogLine, RefusesWhatIsNone) {
  for (std::string_view raw : {"", "plain", "2026-01-02T03:04:05Z stdout", "2026-01-02T03:04:05Z other F x",
                               "2026-01-02T03:04:05Z stdout X x", "2026-01-02T03:04:05Z stdout F"}) {
    EXPECT_FALSE(parse_log_line(raw)) << raw;
  }
  auto line = parse_log_line("2026-01-02T03:04:05Z stderr P:more  a b ");
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->is_stderr);
  EXPECT_FALSE(line->ends);
  EXPECT_EQ(line->text, " a b ");
  EXPECT_EQ(parse_log_line("2026-01-02T03:04:05Z stdout F ")->text, "");
}

TEST(LogLine, StampsHaveNineDigits) {
  EXPECT_EQ(full_stamp("2026-01-02T03:04:05Z"), "2026-01-02T03:04:05.000000000Z");
  EXPECT_EQ(full_stamp("2026-01-02T03:04:05.12Z"), "2026-01-02T03:04:05.120000000Z");
  EXPECT_EQ(full_stamp("2026-01-02T03:04:05.5+02:00"), "2026-01-02T03:04:05.500000000+02:00");
  EXPECT_EQ(full_stamp("nonsense"), "nonsense");
}

TEST(LogSelection, JoinsPieces) { EXPECT_EQ(select({}, kLines), "one\ntwo\nthree\n"); }

TEST(LogSelection, StampsOnlyWhereALineBegins) {
  LogOptions options;
  options.timestamps = true;
  EXPECT_EQ(select(options, kLines),
            "2026-01-02T03:04:05.100000000Z one\n"
            "2026-01-02T03:04:06.123456789Z two\n"
            "2026-01-02T03:04:07.000000000Z three\n");
}

TEST(LogSelection, TakesOneStream) {
  LogOptions options;
  options.output = LogOutput::kStderr;
  EXPECT_EQ(select(options, kLines), "two\n");
  options.output = LogOutput::kStdout;
  EXPECT_EQ(select(options, kLines), "one\nthree\n");
}

TEST(LogSelection, TakesWhatIsNotOlder) {
  LogOptions options;
  options.since = object::parse_time("2026-01-02T03:04:06.123456Z");
  EXPECT_EQ(select(options, kLines), "two\nthree\n");
  options.since = object::parse_time("2026-01-02T04:04:06.2+01:00");
  EXPECT_EQ(select(options, kLines), "three\n");
}

TEST(LogSelection, PlainTextOfRecords) {
  EXPECT_EQ(plain_log_text(kLines[0] + "\n" + kLines[1] + "\nnone\n" + kLines[3]), "one\ntwo\nee\n");
  EXPECT_EQ(plain_log_text(""), "");
}

TEST(LogSelection, CutsAtTheLimit) {
  LogOptions options;
  options.limit_bytes = 6;
  EXPECT_EQ(select(options, kLines), "one\ntw");
}

}  // namespace
}  // namespace stead::node
