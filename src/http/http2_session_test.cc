// HTTP/2 through a whole server, over TLS.

#include <gtest/gtest.h>

#include <future>

#include "http/client.h"
#include "http/http2_test_client.h"
#include "http/server.h"
#include "http/x509.h"
#include "loop/asio_loop.h"

namespace stead::http {
namespace {

using namespace std::chrono_literals;

Bytes bytes(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

const KeyPair& server_pair() {
  static const KeyPair made = [] {
    KeyPair ca = *make_ca("test-ca", system_clock().wall_now(), std::chrono::hours(24));
    LeafRequest request;
    request.common_name = "localhost";
    request.ip_addresses = {"127.0.0.1"};
    request.server = true;
    return *issue(ca, request, system_clock().wall_now());
  }();
  return made;
}

class Http2SessionTest : public testing::Test {
 protected:
  void serve(Handler handler, ServerOptions options = {}) {
    options.tls = {server_pair().certificate_pem, server_pair().key_pem, ""};
    auto made = make_server(loop_, std::move(options), std::move(handler));
    ASSERT_TRUE(made.ok()) << made.error().message;
    server_ = std::move(*made);
    loop_.start_thread("test");
  }

  ~Http2SessionTest() override {
    on_loop([this] { server_.reset(); });
    loop_.stop();
    loop_.join();
  }

  void on_loop(std::function<void()> task) {
    std::promise<void> done;
    loop_.post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

  loop::AsioLoop loop_;
  std::unique_ptr<Server> server_;
};

TEST_F(Http2SessionTest, AnswersManyAtOnceInAnyOrder) {
  std::vector<ExchangePtr> held;
  serve([&](const ExchangePtr& exchange) {
    held.push_back(exchange);
    if (held.size() < 50) return;
    for (auto each = held.rbegin(); each != held.rend(); ++each) {
      const Request& request = (*each)->request();
      EXPECT_EQ(request.remote_address.find("127.0.0.1:"), 0u);
      (*each)->respond(Response::text(200, request.path + std::string(request.query_value("n")) + request.body));
    }
    held.clear();
  });
  Http2TestClient client(server_->port());
  std::map<int32_t, int> numbers;
  for (int i = 0; i < 50; ++i) {
    numbers[client.peer.request("POST", "/a%20b?n=" + std::to_string(i), {}, std::string(1000, 'b'))] = i;
  }
  for (auto [id, number] : numbers) {
    auto& answer = client.answer(id);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "/a b" + std::to_string(number) + std::string(1000, 'b'));
  }
}

TEST_F(Http2SessionTest, Http1ClientsAreServedToo) {
  serve([](const ExchangePtr& exchange) { exchange->respond(Response::text(200, "x")); });
  ClientOptions options;
  options.port = server_->port();
  EXPECT_EQ(fetch(options, "GET", "/", {}, "")->body, "x");
  Http2TestClient client(server_->port());
  EXPECT_EQ(client.fetch("GET", "/").body, "x");
  EXPECT_EQ(client.fetch("GET", "/%zz").status, 400);
}

TEST_F(Http2SessionTest, LargeBodiesBothWays) {
  serve([](const ExchangePtr& exchange) {
    Response response;
    for (int i = 0; i < 1000; ++i) response.body.push_back(bytes(exchange->request().body.substr(0, 10'000)));
    exchange->respond(std::move(response));
  });
  Http2TestClient client(server_->port());
  auto& answer = client.fetch("PUT", "/", {}, std::string(2'000'000, 'u'));
  EXPECT_EQ(answer.body.size(), 10'000'000u);
}

TEST_F(Http2SessionTest, StreamsAndTellsWhenTheClientLeaves) {
  std::map<std::string, ExchangePtr> streams;
  std::promise<void> left;
  std::promise<void> drained;
  serve([&](const ExchangePtr& exchange) {
    exchange->start(200, {{"Content-Type", "application/json"}});
    exchange->write(bytes("first"));
    const std::string& path = exchange->request().path;
    streams[path] = exchange;
    if (path == "/leaves") exchange->on_close([&] { left.set_value(); });
    exchange->on_drain([&, path, once = false]() mutable {
      if (path == "/stays" && !std::exchange(once, true)) drained.set_value();
    });
  });
  Http2TestClient client(server_->port());
  int32_t stays = client.peer.request("GET", "/stays");
  int32_t leaves = client.peer.request("GET", "/leaves");
  auto both = [&] { return client.peer.streams[stays].body == "first" && client.peer.streams[leaves].body == "first"; };
  ASSERT_TRUE(client.run_until(both));
  EXPECT_EQ(drained.get_future().wait_for(10s), std::future_status::ready);
  nghttp2_submit_rst_stream(client.peer.session, 0, leaves, NGHTTP2_CANCEL);
  client.send();
  EXPECT_EQ(left.get_future().wait_for(10s), std::future_status::ready);
  on_loop([&] {
    streams["/leaves"]->write(bytes("too late"));
    streams["/stays"]->write(bytes(std::string(100'000, 'y')));
    streams["/stays"]->finish();
    streams.clear();
  });
  EXPECT_EQ(client.answer(stays).body.size(), 100'005u);
}

TEST_F(Http2SessionTest, ALostConnectionEndsAllItsExchanges) {
  std::promise<void> all_left;
  int left = 0;
  std::vector<ExchangePtr> held;
  serve([&](const ExchangePtr& exchange) {
    if (exchange->request().path == "/stream") exchange->start(200, {});
    exchange->on_close([&] {
      if (++left == 3) all_left.set_value();
    });
    held.push_back(exchange);
    if (held.size() == 3) held[0]->write(bytes("all are here"));
  });
  {
    Http2TestClient client(server_->port());
    int32_t stream = client.peer.request("GET", "/stream");
    client.peer.request("GET", "/waits");
    client.peer.request("GET", "/waits");
    ASSERT_TRUE(client.run_until([&] { return !client.peer.streams[stream].body.empty(); }));
  }
  EXPECT_EQ(all_left.get_future().wait_for(10s), std::future_status::ready);
  on_loop([&] { held.clear(); });
}

TEST_F(Http2SessionTest, ASlowReaderIsSeenInQueuedBytes) {
  ExchangePtr stream;
  std::promise<void> started;
  serve([&](const ExchangePtr& exchange) {
    if (exchange->request().path != "/watch") return exchange->respond(Response::text(200, "x"));
    exchange->start(200, {});
    stream = exchange;
    started.set_value();
  });
  Http2TestClient client(server_->port(), 1000);
  client.peer.request("GET", "/watch");
  client.send();
  started.get_future().wait();
  on_loop([&] {
    for (int i = 0; i < 32; ++i) stream->write(bytes(std::string(1 << 20, 'z')));
    EXPECT_GT(stream->queued_bytes(), size_t{16} << 20);
    stream->finish();
    stream.reset();
  });
}

TEST_F(Http2SessionTest, DroppedExchangesAreToldApart) {
  serve([](const ExchangePtr& exchange) {
    if (exchange->request().path == "/started") exchange->start(200, {});
  });
  Http2TestClient client(server_->port());
  EXPECT_EQ(client.fetch("GET", "/").status, 500);
  auto& cut = client.fetch("GET", "/started");
  EXPECT_EQ(cut.error, static_cast<uint32_t>(NGHTTP2_INTERNAL_ERROR));
}

TEST_F(Http2SessionTest, ShutDownCompletesWhatIsInProgress) {
  ExchangePtr held;
  std::promise<void> closed;
  serve([&](const ExchangePtr& exchange) {
    if (exchange->request().path == "/held") {
      held = exchange;
      return;
    }
    exchange->start(200, {});
    exchange->write(bytes("event"));
    exchange->on_close([&closed, exchange] { closed.set_value(); });
  });
  Http2TestClient client(server_->port());
  Http2TestClient idle(server_->port());
  int32_t answered = client.peer.request("GET", "/held");
  int32_t watch = client.peer.request("GET", "/watch");
  ASSERT_TRUE(client.run_until([&] { return client.peer.streams[watch].body == "event"; }));
  on_loop([&] { server_->shut_down(); });
  EXPECT_EQ(client.answer(watch).error, 0u);
  EXPECT_EQ(closed.get_future().wait_for(10s), std::future_status::ready);
  EXPECT_EQ(client.peer.goaway, NGHTTP2_NO_ERROR);
  EXPECT_FALSE(client.peer.streams[answered].closed);
  on_loop([&] { std::exchange(held, nullptr)->respond(Response::text(200, "whole")); });
  EXPECT_EQ(client.answer(answered).body, "whole");
  EXPECT_TRUE(client.ends());
  EXPECT_TRUE(idle.ends());
}

TEST_F(Http2SessionTest, IdleConnectionsEnd) {
  ServerOptions options;
  options.idle_timeout = 1s;
  serve([](const ExchangePtr& exchange) { exchange->respond(Response::text(200, "x")); }, options);
  Http2TestClient client(server_->port());
  EXPECT_EQ(client.fetch("GET", "/").status, 200);
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(client.peer.goaway, NGHTTP2_NO_ERROR);
}

TEST_F(Http2SessionTest, NonsenseHarmsNobodyElse) {
  serve([](const ExchangePtr& exchange) { exchange->respond(Response::text(200, "x")); });
  Http2TestClient fine(server_->port());
  Http2TestClient wrong(server_->port());
  wrong.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(wrong.ends());
  EXPECT_EQ(fine.fetch("GET", "/").body, "x");
}

}  // namespace
}  // namespace stead::http
