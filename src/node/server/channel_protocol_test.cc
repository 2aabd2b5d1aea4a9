#include "node/server/channel_protocol.h"

#include <gtest/gtest.h>

namespace stead::node {
namespace {

TEST(ChannelProtocol, TheClientsOrderCounts) {
  EXPECT_EQ(choose_channel_protocol({})->name, "");
  EXPECT_EQ(choose_channel_protocol({"x", "v4.channel.k8s.io", "v5.channel.k8s.io"})->name, "v4.channel.k8s.io");
  EXPECT_TRUE(choose_channel_protocol({"v5.channel.k8s.io"})->close_signal);
  EXPECT_FALSE(choose_channel_protocol({"channel.k8s.io"})->status_documents);
  EXPECT_FALSE(choose_channel_protocol({"v6.channel.k8s.io"}).has_value());
}

TEST(ChannelProtocol, BinaryAndBase64) {
  ChannelProtocol binary = *choose_channel_protocol({"v5.channel.k8s.io"});
  ChannelProtocol base64 = *choose_channel_protocol({"v4.base64.channel.k8s.io"});
  EXPECT_EQ(channel_frame(binary, Channel::kStdout, "ab"), std::string("\x82\x03\x01"
                                                                       "ab"));
  EXPECT_EQ(channel_frame(base64, Channel::kStdout, "ab"), std::string("\x81\x05"
                                                                       "1YWI="));
  EXPECT_EQ(read_channel_message(binary, std::string("\0ab", 3))->bytes, "ab");
  EXPECT_EQ(read_channel_message(binary, std::string("\xff\0", 2))->channel, Channel::kClose);
  EXPECT_EQ(read_channel_message(base64, "0YWI=")->bytes, "ab");
  EXPECT_FALSE(read_channel_message(binary, "").has_value());
  EXPECT_FALSE(read_channel_message(base64, "0?").has_value());
  EXPECT_FALSE(read_channel_message(base64, "xYWI=").has_value());
}

}  // namespace
}  // namespace stead::node
