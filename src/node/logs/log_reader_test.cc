#include "node/logs/log_reader.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "node/logs/test_log_directory.h"

namespace stead::node {
namespace {

class LogReaderTest : public testing::Test {
 protected:
  std::string read_all(LogReader& reader, bool last = true) {
    std::string text;
    for (;;) {
      auto piece = reader.read(last);
      if (!piece.ok()) return piece.error().message;
      text += piece->text;
      if (piece->at_end || piece->complete) return text;
    }
  }
  std::string tail(int64_t lines) {
    LogOptions options;
    options.tail_lines = lines;
    LogReader reader(logs_.path(), 0, options);
    return read_all(reader);
  }

  TestLogDirectory logs_;
};

TEST_F(LogReaderTest, AMissingFileIsEmptyUntilItIsThere) {
  LogReader reader(logs_.path(), 0, {});
  EXPECT_EQ(read_all(reader), "");
  logs_.append("0.log", {"F one"});
  EXPECT_EQ(read_all(reader), "one\n");
}

TEST_F(LogReaderTest, TailCountsLinesNotPieces) {
  logs_.append("0.log", {"F one", "P tw", "P o", "F !", "F three", "P fo", "F ur"});
  EXPECT_EQ(tail(0), "");
  EXPECT_EQ(tail(1), "four\n");
  EXPECT_EQ(tail(2), "three\nfour\n");
  EXPECT_EQ(tail(3), "two!\nthree\nfour\n");
  EXPECT_EQ(tail(4), "one\ntwo!\nthree\nfour\n");
  EXPECT_EQ(tail(1000), "one\ntwo!\nthree\nfour\n");
}

TEST_F(LogReaderTest, TailCountsALineThatIsNotEnded) {
  logs_.append("0.log", {"F one", "F two", "P thr"});
  EXPECT_EQ(tail(1), "thr");
  EXPECT_EQ(tail(2), "two\nthr");
}

TEST_F(LogReaderTest, TailReachesOverBlocks) {
  std::vector<std::string> lines;
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    std::string text = std::to_string(i) + std::string(static_cast<size_t>(i) * 7 % 3000, 'x');
    lines.push_back("F " + text);
    if (i >= 50) expected += text + "\n";
  }
  logs_.append("0.log", lines);
  EXPECT_EQ(tail(250), expected);
}

TEST_F(LogReaderTest, AnUnfinishedLineWaitsForItsEnd) {
  logs_.append_raw("0.log", "2026-01-02T03:04:05Z stdout F he");
  LogReader reader(logs_.path(), 0, {});
  EXPECT_EQ(read_all(reader, false), "");
  logs_.append_raw("0.log", "llo\n2026-01-02T03:04:05Z stdout F en");
  EXPECT_EQ(read_all(reader, false), "hello\n");
  EXPECT_EQ(read_all(reader, true), "en\n");
}

TEST_F(LogReaderTest, GoesOnAfterRotations) {
  logs_.append("0.log", {"F one"});
  LogReader reader(logs_.path(), 0, {});
  EXPECT_EQ(read_all(reader, false), "one\n");
  logs_.rename("0.log", "0.log.20260102-030405");
  EXPECT_EQ(read_all(reader, false), "") << "nothing new yet";
  logs_.append("0.log.20260102-030405", {"F two"});  // the runtime has not reopened it
  logs_.append("0.log", {"F three"});
  logs_.rename("0.log", "0.log.20260102-030406");
  logs_.append("0.log", {"F four"});
  EXPECT_EQ(read_all(reader, false), "two\nthree\nfour\n");
}

TEST_F(LogReaderTest, BeginsWithTheCurrentFile) {
  logs_.append("0.log.20260102-030405", {"F old"});
  logs_.append("0.log", {"F new"});
  LogReader reader(logs_.path(), 0, {});
  EXPECT_EQ(read_all(reader), "new\n");
}

TEST_F(LogReaderTest, StartsAgainWhenTheFileIsEmptied) {
  logs_.append("0.log", {"F one", "F two"});
  LogReader reader(logs_.path(), 0, {});
  EXPECT_EQ(read_all(reader, false), "one\ntwo\n");
  std::filesystem::resize_file(logs_.path() + "/0.log", 0);
  logs_.append("0.log", {"F x"});
  EXPECT_EQ(read_all(reader, false), "x\n");
}

TEST_F(LogReaderTest, LeavesOutALineWithoutEnd) {
  logs_.append_raw("0.log", "2026-01-02T03:04:05Z stdout F " + std::string(3 << 20, 'x'));
  logs_.append_raw("0.log", "\n");
  logs_.append("0.log", {"F after"});
  LogReader reader(logs_.path(), 0, {});
  EXPECT_EQ(read_all(reader), "after\n");
}

TEST_F(LogReaderTest, PiecesAreBounded) {
  std::vector<std::string> lines(2000, "F " + std::string(1000, 'x'));
  logs_.append("0.log", lines);
  LogReader reader(logs_.path(), 0, {});
  auto piece = reader.read(true);
  ASSERT_TRUE(piece.ok());
  EXPECT_FALSE(piece->at_end);
  EXPECT_LE(piece->text.size(), LogReader::kPieceBytes * 2);
  EXPECT_EQ(piece->text.size() + read_all(reader).size(), 2000u * 1001);
}

TEST_F(LogReaderTest, FindsTheNewestLog) {
  EXPECT_EQ(find_log(logs_.path(), 9), std::nullopt);
  EXPECT_EQ(find_log(logs_.path() + "/none", 9), std::nullopt);
  for (const char* name : {"0.log", "2.log", "3.log.20260102-030405", "10.log", "x.log"}) logs_.append(name, {"F x"});
  EXPECT_EQ(find_log(logs_.path(), 9), 2u);
  EXPECT_EQ(find_log(logs_.path(), 1), 0u);
  EXPECT_EQ(find_log(logs_.path(), 10), 10u);
}

}  // namespace
}  // namespace stead::node
