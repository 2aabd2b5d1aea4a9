#include "http/spdy.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace stead::http {
namespace {

TEST(Spdy, OpensStreamsWithOneCompressionContext) {
  SpdyWriter writer;
  z_stream inflater{};
  ASSERT_EQ(inflateInit(&inflater), Z_OK);
  for (uint32_t stream : {1u, 3u}) {
    std::string frame = writer.open(stream, {{"streamType", "stdin"}, {"requestid", "0"}});
    EXPECT_EQ(frame.substr(0, 5), std::string("\x80\x03\x00\x01\x00", 5));
    EXPECT_EQ(static_cast<uint8_t>(frame[11]), stream);
    std::string block(1000, '\0');
    inflater.next_in = reinterpret_cast<Bytef*>(frame.data() + 18);
    inflater.avail_in = static_cast<uInt>(frame.size() - 18);
    inflater.next_out = reinterpret_cast<Bytef*>(block.data());
    inflater.avail_out = static_cast<uInt>(block.size());
    ASSERT_EQ(inflate(&inflater, Z_SYNC_FLUSH), Z_OK);
    block.resize(block.size() - inflater.avail_out);
    EXPECT_EQ(block, std::string("\0\0\0\2\0\0\0\x0astreamtype\0\0\0\5stdin\0\0\0\x09requestid\0\0\0\1"
                                 "0",
                                 45));
  }
  inflateEnd(&inflater);
}

TEST(Spdy, DataAndItsEnd) {
  EXPECT_EQ(SpdyWriter::data(3, "ab", false), std::string("\0\0\0\3\0\0\0\2"
                                                          "ab",
                                                          10));
  EXPECT_EQ(SpdyWriter::data(3, "", true), std::string("\0\0\0\3\1\0\0\0", 8));
  std::string large = SpdyWriter::data(3, std::string(2'000'000, 'x'), true);
  SpdyReader reader;
  std::vector<SpdyFrame> frames;
  ASSERT_TRUE(reader.take(large, frames));
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_FALSE(frames[0].last);
  EXPECT_TRUE(frames[1].last);
  EXPECT_EQ(frames[0].data.size() + frames[1].data.size(), 2'000'000u);
}

TEST(Spdy, ReadsWhatServersSay) {
  std::string reply("\x80\x03\x00\x02\x00\x00\x00\x06\x00\x00\x00\x01xx", 14);
  std::string settings("\x80\x03\x00\x04\x00\x00\x00\x04\x00\x00\x00\x00", 12);
  std::string ping("\x80\x03\x00\x06\x00\x00\x00\x04\x00\x00\x00\x02", 12);
  std::string reset("\x80\x03\x00\x03\x00\x00\x00\x08\x00\x00\x00\x05\x00\x00\x00\x01", 16);
  SpdyReader reader;
  std::vector<SpdyFrame> frames;
  for (char c : reply + settings + ping + reset) ASSERT_TRUE(reader.take({&c, 1}, frames));
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(frames[0].kind, SpdyFrame::Kind::kReply);
  EXPECT_EQ(frames[1].kind, SpdyFrame::Kind::kPing);
  EXPECT_EQ(frames[1].stream, 2u);
  EXPECT_EQ(frames[2].kind, SpdyFrame::Kind::kReset);
  EXPECT_TRUE(frames[2].last);
  EXPECT_FALSE(reader.take(std::string("\x80\x02\x00\x06\x00\x00\x00\x04", 8), frames));  // version 2
}

}  // namespace
}  // namespace stead::http
