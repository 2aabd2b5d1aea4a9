#include "http/websocket.h"

#include <gtest/gtest.h>

namespace stead::http {
namespace {

// As a client sends it.
std::string masked(uint8_t first, std::string_view data) {
  const std::string key = "\x11\x22\x33\x44";
  std::string frame(1, static_cast<char>(first));
  if (data.size() <= 125) {
    frame.push_back(static_cast<char>(0x80 | data.size()));
  } else {
    frame.push_back(static_cast<char>(0x80 | 127));
    for (int at = 7; at >= 0; --at) frame.push_back(static_cast<char>(data.size() >> (8 * at)));
  }
  frame.append(key);
  for (size_t at = 0; at < data.size(); ++at) frame.push_back(static_cast<char>(data[at] ^ key[at % 4]));
  return frame;
}

uint16_t failure_of(const std::string& bytes, size_t limit = 1000) {
  WebSocketReader reader(limit);
  std::vector<WebSocketMessage> messages;
  return reader.take(bytes, messages);
}

TEST(WebSocket, HandshakeOfTheStandardsExample) {
  Request request;
  request.method = "GET";
  request.headers = {{"Connection", "keep-alive, Upgrade"}, {"upgrade", "WebSocket"},
                     {"Sec-WebSocket-Version", "13"},       {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                     {"Sec-WebSocket-Protocol", "a , b"},   {"sec-websocket-protocol", "c"}};
  EXPECT_TRUE(asks_for_websocket(request));
  EXPECT_EQ(websocket_protocols(request), (std::vector<std::string>{"a", "b", "c"}));
  Headers answer = websocket_answer(request, "b");
  EXPECT_EQ(answer[2].second, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(answer[3].second, "b");
  EXPECT_EQ(websocket_answer(request, "").size(), 3u);
  request.headers[2].second = "8";
  EXPECT_FALSE(asks_for_websocket(request));
}

TEST(WebSocket, FramesOfAllSizesInAnyPieces) {
  for (size_t size : {0, 1, 125, 126, 65535, 65536}) {
    std::string data(size, 'd');
    std::string bytes = masked(0x82, data) + masked(0x81, "next");
    for (size_t piece : {size_t{1}, size_t{7}, bytes.size()}) {
      WebSocketReader reader(100'000);
      std::vector<WebSocketMessage> messages;
      for (size_t at = 0; at < bytes.size(); at += piece) {
        ASSERT_EQ(reader.take(std::string_view(bytes).substr(at, piece), messages), 0);
      }
      ASSERT_EQ(messages.size(), 2u);
      EXPECT_EQ(messages[0].data, data);
      EXPECT_EQ(messages[0].kind, WebSocketKind::kBinary);
      EXPECT_EQ(messages[1].data, "next");
    }
  }
}

TEST(WebSocket, FragmentsWithControlFramesBetween) {
  WebSocketReader reader(100);
  std::vector<WebSocketMessage> messages;
  ASSERT_EQ(
      reader.take(masked(0x02, "one ") + masked(0x89, "ping") + masked(0x00, "two ") + masked(0x80, "three"), messages),
      0);
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].kind, WebSocketKind::kPing);
  EXPECT_EQ(messages[1].data, "one two three");
}

TEST(WebSocket, WhatBreaksTheProtocol) {
  EXPECT_EQ(failure_of(std::string("\x82\x01x", 3)), 1002);  // not masked
  EXPECT_EQ(failure_of(masked(0xc2, "x")), 1002);            // an extension's bit
  EXPECT_EQ(failure_of(masked(0x83, "x")), 1002);            // no such kind
  EXPECT_EQ(failure_of(masked(0x8b, "x")), 1002);
  EXPECT_EQ(failure_of(masked(0x80, "x")), 1002);  // goes on with nothing
  EXPECT_EQ(failure_of(masked(0x02, "x") + masked(0x82, "x")), 1002);
  EXPECT_EQ(failure_of(masked(0x09, "x")), 1002);  // a control frame in pieces
  EXPECT_EQ(failure_of(masked(0x89, std::string(126, 'x'))), 1002);
  EXPECT_EQ(failure_of(masked(0x82, std::string(1001, 'x'))), 1009);
  EXPECT_EQ(failure_of(masked(0x02, std::string(600, 'x')) + masked(0x80, std::string(600, 'x'))), 1009);
  EXPECT_EQ(failure_of("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff"), 1009);
}

TEST(WebSocket, WhatTheServerSends) {
  EXPECT_EQ(websocket_frame(WebSocketKind::kBinary, "ab"), std::string("\x82\x02"
                                                                       "ab"));
  EXPECT_EQ(websocket_frame(WebSocketKind::kText, std::string(126, 'x')).substr(0, 4),
            std::string("\x81\x7e\x00\x7e", 4));
  EXPECT_EQ(websocket_frame(WebSocketKind::kText, std::string(65536, 'x')).substr(0, 10),
            std::string("\x81\x7f\0\0\0\0\0\1\0\0", 10));
  EXPECT_EQ(websocket_close(1000, "bye"), std::string("\x88\x05\x03\xe8"
                                                      "bye"));
}

}  // namespace
}  // namespace stead::http
