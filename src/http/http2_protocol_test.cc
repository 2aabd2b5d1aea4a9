#include "http/http2_protocol.h"

#include <gtest/gtest.h>

#include "http/http2_test_client.h"

namespace stead::http {
namespace {

using Kind = Http2Protocol::Event::Kind;

class TestClock final : public Clock {
 public:
  WallTime wall_now() const override { return WallTime(Duration(0)); }
  Instant now() const override { return at; }
  Instant at = Instant(std::chrono::hours(1));
};

Bytes bytes(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

// A client and the protocol, joined by nothing but function calls.
class Http2ProtocolTest : public testing::Test {
 protected:
  // Moves bytes both ways until neither side has any; false once the connection is over.
  bool exchange() {
    for (;;) {
      std::string to_server = client.output();
      if (!to_server.empty() && !server.receive(to_server)) return false;
      for (auto& event : server.take_events()) events.push_back(std::move(event));
      std::string to_client;
      if (!server.send(to_client, 64 * 1024)) return false;
      for (auto& event : server.take_events()) events.push_back(std::move(event));
      if (!to_client.empty() && !client.input(to_client)) return false;
      if (to_client.empty() && to_server.empty()) return !server.is_over();
    }
  }
  std::vector<Request> requests() {
    std::vector<Request> found;
    for (auto& event : events) {
      if (event.kind == Kind::kRequest) found.push_back(event.request);
    }
    return found;
  }
  size_t count(Kind kind) const {
    size_t found = 0;
    for (const auto& event : events) found += event.kind == kind ? 1 : 0;
    return found;
  }

  TestClock clock;
  Http2Limits limits{8192, 100'000, 20};
  Http2Protocol server{limits, clock};
  Http2TestPeer client;
  std::vector<Http2Protocol::Event> events;
};

TEST_F(Http2ProtocolTest, ARequestAndItsAnswer) {
  int32_t id = client.request("POST", "/a?b=c", {{"x-name", "value"}}, "a body");
  ASSERT_TRUE(exchange());
  ASSERT_EQ(requests().size(), 1u);
  Request request = requests()[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/a?b=c");
  EXPECT_EQ(request.body, "a body");
  EXPECT_EQ(request.header("X-Name"), "value");
  EXPECT_EQ(request.header("Host"), "server");
  Response response;
  response.headers = {{"X-Bad", "a\r\nb"}, {"Connection", "close"}, {"Transfer-Encoding", "chunked"}};
  response.body = {bytes("one,"), nullptr, bytes(std::string(200'000, 'x')), bytes(",three")};
  server.respond(id, std::move(response));
  ASSERT_TRUE(exchange());
  const auto& answer = client.streams[id];
  EXPECT_TRUE(answer.closed);
  EXPECT_EQ(answer.error, 0u);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "one," + std::string(200'000, 'x') + ",three");
  EXPECT_EQ(answer.header("content-length"), "200010");
  EXPECT_EQ(answer.header("x-bad"), "a  b");
  EXPECT_EQ(answer.header("date"), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(answer.headers.size(), 3u);
  EXPECT_EQ(server.streams(), 0u);
}

TEST_F(Http2ProtocolTest, AStreamGoesAsFarAsTheClientLetsIt) {
  int32_t id = client.request("GET", "/watch");
  int32_t other = client.request("GET", "/other");
  ASSERT_TRUE(exchange());
  // The client takes what it lets the server send at first, and opens no more room.
  server.start(id, 200, {});
  server.write(id, bytes("first"));
  server.write(id, bytes(""));
  ASSERT_TRUE(exchange());
  EXPECT_EQ(client.streams[id].body, "first");
  EXPECT_EQ(count(Kind::kDrained), 1u);
  server.respond(other, Response::text(200, "meanwhile"));
  std::string out;
  server.write(id, bytes(std::string(200'000, 'y')));
  ASSERT_TRUE(server.send(out, 1 << 20));
  EXPECT_LT(out.size(), 66'000u);
  EXPECT_GT(server.queued_bytes(id), 134'000u);
  client.input(out);
  ASSERT_TRUE(exchange());
  EXPECT_EQ(client.streams[id].body.size(), 200'005u);
  EXPECT_EQ(client.streams[other].body, "meanwhile");
  EXPECT_FALSE(client.streams[id].closed);
  server.finish(id);
  ASSERT_TRUE(exchange());
  EXPECT_TRUE(client.streams[id].closed);
  EXPECT_EQ(client.streams[id].error, 0u);
}

TEST_F(Http2ProtocolTest, AnswersWithoutBody) {
  int32_t head = client.request("HEAD", "/");
  int32_t streamed = client.request("HEAD", "/");
  int32_t none = client.request("GET", "/");
  ASSERT_TRUE(exchange());
  server.respond(head, Response::text(200, "body"));
  server.start(streamed, 200, {});
  server.write(streamed, bytes("body"));
  server.finish(streamed);
  server.respond(none, Response{304, {}, {}});
  ASSERT_TRUE(exchange());
  EXPECT_EQ(client.streams[head].header("content-length"), "4");
  EXPECT_EQ(client.streams[none].header("content-length"), "");
  for (int32_t id : {head, streamed, none}) {
    EXPECT_TRUE(client.streams[id].closed);
    EXPECT_EQ(client.streams[id].body, "");
  }
}

TEST_F(Http2ProtocolTest, TooLargeIsToldAndHarmsNoOtherStream) {
  int32_t headers = client.request("GET", "/", {{"x", std::string(9000, 'h')}});
  int32_t body = client.request("POST", "/", {}, std::string(100'001, 'b'));
  int32_t fine = client.request("POST", "/", {}, std::string(100'000, 'b'));
  ASSERT_TRUE(exchange());
  EXPECT_EQ(client.streams[headers].status, 431);
  EXPECT_EQ(client.streams[body].status, 413);
  EXPECT_TRUE(client.streams[body].closed);
  ASSERT_EQ(requests().size(), 1u);
  EXPECT_EQ(requests()[0].body.size(), 100'000u);
  server.respond(fine, Response::text(200, "fine"));
  ASSERT_TRUE(exchange());
  EXPECT_EQ(client.streams[fine].body, "fine");
}

TEST_F(Http2ProtocolTest, AnUploadThatGoesOnAfterItsRefusalIsCutInTheEnd) {
  int32_t modest = client.request("POST", "/", {}, std::string(1'000'000, 'b'));
  int32_t endless = client.request("POST", "/", {}, std::string(20'000'000, 'b'));
  ASSERT_TRUE(exchange());
  EXPECT_EQ(client.streams[modest].status, 413);
  EXPECT_EQ(client.streams[modest].uploaded, 1'000'000u);
  EXPECT_EQ(client.streams[endless].status, 413);
  EXPECT_TRUE(client.streams[endless].closed);
  EXPECT_LT(client.streams[endless].uploaded, 18'000'000u);
}

TEST_F(Http2ProtocolTest, StreamsBeyondTheLimitWait) {
  std::vector<int32_t> ids;
  ASSERT_TRUE(exchange());
  for (int i = 0; i < 30; ++i) ids.push_back(client.request("GET", "/"));
  ASSERT_TRUE(exchange());
  EXPECT_EQ(server.streams(), 20u);
  for (int32_t id : ids) {
    server.respond(id, Response::text(200, "x"));
    exchange();
  }
  for (int32_t id : ids) EXPECT_EQ(client.streams[id].status, 200);
}

TEST_F(Http2ProtocolTest, TellsOfStreamsThatTheClientGivesUp) {
  int32_t id = client.request("GET", "/watch");
  ASSERT_TRUE(exchange());
  server.start(id, 200, {});
  server.write(id, bytes("x"));
  ASSERT_TRUE(exchange());
  nghttp2_submit_rst_stream(client.session, 0, id, NGHTTP2_CANCEL);
  ASSERT_TRUE(exchange());
  EXPECT_EQ(count(Kind::kGone), 1u);
  server.write(id, bytes("too late"));
  server.finish(id);
  EXPECT_TRUE(exchange());
}

TEST_F(Http2ProtocolTest, RapidResetEndsTheConnection) {
  bool open = true;
  int resets = 0;
  for (; open && resets < 3000; ++resets) {
    int32_t id = client.request("GET", "/");
    server.receive(client.output());
    nghttp2_submit_rst_stream(client.session, 0, id, NGHTTP2_CANCEL);
    open = exchange();
  }
  EXPECT_FALSE(open);
  EXPECT_GE(resets, 900);
  EXPECT_LE(resets, 1100);
}

TEST_F(Http2ProtocolTest, FloodsOfControlFramesEndTheConnection) {
  ASSERT_TRUE(exchange());
  bool open = true;
  int pings = 0;
  for (; open && pings < 5000; ++pings) {
    nghttp2_submit_ping(client.session, 0, nullptr);
    open = exchange();
  }
  EXPECT_FALSE(open);
  EXPECT_GE(pings, 1900);
  EXPECT_EQ(client.goaway, NGHTTP2_ENHANCE_YOUR_CALM);
}

TEST_F(Http2ProtocolTest, ControlFramesNowAndThenAreFine) {
  for (int i = 0; i < 5000; ++i) {
    nghttp2_submit_ping(client.session, 0, nullptr);
    clock.at += std::chrono::milliseconds(20);
    ASSERT_TRUE(exchange()) << i;
  }
}

TEST_F(Http2ProtocolTest, FloodsOfSettingsEndTheConnection) {
  ASSERT_TRUE(exchange());
  std::string settings("\0\0\0\4\0\0\0\0\0", 9);
  bool open = true;
  for (int i = 0; open && i < 5000; ++i) open = server.receive(settings) && exchange();
  EXPECT_FALSE(open);
}

TEST_F(Http2ProtocolTest, NoRequestIsTakenAfterShutDown) {
  int32_t before = client.request("GET", "/before");
  ASSERT_TRUE(exchange());
  server.shut_down();
  ASSERT_TRUE(exchange());
  EXPECT_EQ(client.goaway, NGHTTP2_NO_ERROR);
  server.respond(before, Response::text(200, "whole"));
  EXPECT_FALSE(exchange());
  EXPECT_EQ(client.streams[before].body, "whole");
}

TEST_F(Http2ProtocolTest, StreamsThatStallAreReset) {
  int32_t id = client.request("GET", "/list");
  int32_t waits = client.request("GET", "/waits");
  ASSERT_TRUE(exchange());
  server.respond(id, Response::text(200, std::string(100'000, 'x')));
  std::string unread;
  ASSERT_TRUE(server.send(unread, 1 << 20));
  server.reset_stalled(clock.at - std::chrono::seconds(1));
  EXPECT_EQ(server.streams(), 2u);
  clock.at += std::chrono::seconds(10);
  server.reset_stalled(clock.at - std::chrono::seconds(1));
  client.input(unread);
  std::string rest;
  ASSERT_TRUE(server.send(rest, 1 << 20));
  client.input(rest);
  EXPECT_EQ(client.streams[id].error, static_cast<uint32_t>(NGHTTP2_CANCEL));
  // One that waits for its handler has not stalled.
  EXPECT_FALSE(client.streams[waits].closed);
}

TEST_F(Http2ProtocolTest, NonsenseEndsTheConnectionOrTheStream) {
  Http2Protocol other(limits, clock);
  EXPECT_FALSE(other.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  ASSERT_TRUE(exchange());
  // DATA on a stream that nobody opened.
  ASSERT_TRUE(server.receive(std::string("\0\0\1\0\0\0\0\0\5x", 10)));
  EXPECT_FALSE(exchange());
  EXPECT_GT(client.goaway, 0);
}

}  // namespace
}  // namespace stead::http
