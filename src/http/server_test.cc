#include "http/server.h"

#include <gtest/gtest.h>

#include <future>

#include "http/client.h"
#include "http/test_client.h"
#include "http/x509.h"
#include "loop/asio_loop.h"

namespace stead::http {
namespace {

using namespace std::chrono_literals;

struct Authority {
  KeyPair ca = *make_ca("test-ca", system_clock().wall_now(), std::chrono::hours(24));
  KeyPair server = leaf("localhost", true);
  KeyPair leaf(const std::string& name, bool is_server) const {
    LeafRequest request;
    request.common_name = name;
    request.organizations = {"system:masters", "second"};
    request.dns_names = {"localhost"};
    request.ip_addresses = {"127.0.0.1"};
    request.server = is_server;
    request.client = !is_server;
    return *issue(ca, request, system_clock().wall_now());
  }
};

const Authority& authority() {
  static const Authority made;
  return made;
}

Bytes bytes(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

class ServerTest : public testing::Test {
 protected:
  void serve(Handler handler, bool tls = false, ServerOptions options = {}) {
    if (tls)
      options.tls = {authority().server.certificate_pem, authority().server.key_pem, authority().ca.certificate_pem};
    auto made = make_server(loop_, std::move(options), std::move(handler));
    ASSERT_TRUE(made.ok()) << made.error().message;
    server_ = std::move(*made);
    loop_.start_thread("test");
  }

  ~ServerTest() override {
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

  ClientOptions client(bool tls = false) const {
    ClientOptions options;
    options.port = server_->port();
    options.tls = tls;
    if (tls) options.ca_pem = authority().ca.certificate_pem;
    options.timeout = 10s;
    return options;
  }

  // The server answers an ordinary request, whatever happened before.
  void expect_alive(bool tls = false) {
    auto response = fetch(client(tls), "GET", "/alive", {}, "");
    ASSERT_TRUE(response.ok()) << response.error().message;
    EXPECT_EQ(response->status, 200);
  }

  loop::AsioLoop loop_;
  std::unique_ptr<Server> server_;
};

Handler echo() {
  return [](ExchangePtr exchange) {
    const Request& request = exchange->request();
    std::string text = request.method + " " + request.path + " " + request.body;
    if (request.peer) {
      text += " peer=" + request.peer->common_name;
      for (const auto& organization : request.peer->organizations) text += "," + organization;
    }
    exchange->respond(Response::text(200, text));
  };
}

TEST_F(ServerTest, AnswersInPieces) {
  serve([](ExchangePtr exchange) {
    Response response;
    response.headers.emplace_back("X-Bad", "a\r\nInjected: yes");
    response.body = {bytes("one,"), bytes(std::string(200'000, 'x')), bytes(",three")};
    exchange->respond(std::move(response));
  });
  auto response = fetch(client(), "GET", "/a%20b?x=1", {}, "");
  ASSERT_TRUE(response.ok()) << response.error().message;
  EXPECT_EQ(response->body, "one," + std::string(200'000, 'x') + ",three");
  for (const auto& header : response->headers) EXPECT_NE(header.first, "Injected");
}

TEST_F(ServerTest, KeepsTheConnectionAndOrdersPipelinedRequests) {
  std::vector<ExchangePtr> held;
  serve([&](ExchangePtr exchange) {
    if (exchange->request().path == "/held") {
      // Answered from another thread's hand, later than the next request arrives.
      std::thread([exchange] {
        exchange->post([exchange] { exchange->respond(Response::text(200, "held")); });
      }).detach();
    } else {
      exchange->respond(Response::text(200, exchange->request().body));
    }
  });
  TestClient raw(server_->port());
  raw.send(
      "POST /held HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxy"
      "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nTrailer: "
      "x\r\n\r\n"
      "GET /c HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(raw.read_response().body, "held");
  EXPECT_EQ(raw.read_response().body, "abcde");
  EXPECT_EQ(raw.read_response().body, "");
  raw.send("GET /d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(raw.read_response().status, 200);
  EXPECT_TRUE(raw.at_end());
}

TEST_F(ServerTest, StreamsChunksAsTheyAreWritten) {
  ExchangePtr stream;
  std::promise<void> started;
  serve([&](ExchangePtr exchange) {
    exchange->start(200, {{"Content-Type", "application/json"}});
    stream = exchange;
    started.set_value();
  });
  TestClient raw(server_->port());
  raw.send("GET /watch HTTP/1.1\r\nHost: a\r\n\r\n");
  started.get_future().wait();
  std::promise<void> drained;
  on_loop([&] {
    stream->on_drain([&, once = false]() mutable {
      if (!std::exchange(once, true)) drained.set_value();
    });
    stream->write(bytes("first"));
    stream->write(bytes(""));  // must not end the stream
    EXPECT_GT(stream->queued_bytes(), 5u);
  });
  EXPECT_NE(raw.read_until("first\r\n").find("Transfer-Encoding: chunked"), std::string::npos);
  drained.get_future().wait();
  on_loop([&] {
    EXPECT_EQ(stream->queued_bytes(), 0u);
    stream->write(bytes(std::string(100'000, 'y')));
    stream->finish();
    stream.reset();
  });
  std::string rest = raw.read_until("0\r\n\r\n");
  EXPECT_NE(rest.find("186a0\r\n"), std::string::npos);
}

TEST_F(ServerTest, TellsWhenTheClientLeaves) {
  std::promise<void> closed_stream;
  std::promise<void> closed_waiting;
  std::promise<void> arrived;
  std::vector<ExchangePtr> held;
  serve([&](ExchangePtr exchange) {
    bool stream = exchange->request().path == "/stream";
    if (stream) exchange->start(200, {});
    exchange->on_close([&, stream] { (stream ? closed_stream : closed_waiting).set_value(); });
    held.push_back(exchange);
    if (!stream) arrived.set_value();
  });
  {
    TestClient raw(server_->port());
    raw.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    raw.read_until("\r\n\r\n");
  }
  EXPECT_EQ(closed_stream.get_future().wait_for(10s), std::future_status::ready);
  {
    TestClient raw(server_->port());
    raw.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    arrived.get_future().wait();
  }
  EXPECT_EQ(closed_waiting.get_future().wait_for(10s), std::future_status::ready);
  on_loop([&] {
    for (auto& exchange : held) exchange->respond(Response::text(200, "too late"));
    held.clear();
  });
}

TEST_F(ServerTest, ASlowReaderIsSeenInQueuedBytes) {
  ExchangePtr stream;
  std::promise<void> closed;
  serve([&](ExchangePtr exchange) {
    exchange->start(200, {});
    exchange->on_close([&] { closed.set_value(); });
    stream = exchange;
  });
  auto raw = std::make_unique<TestClient>(server_->port());
  raw->send("GET /watch HTTP/1.1\r\nHost: a\r\n\r\n");
  raw->read_until("\r\n\r\n");
  on_loop([&] {
    for (int i = 0; i < 64; ++i) stream->write(bytes(std::string(1 << 20, 'z')));
  });
  on_loop([&] { EXPECT_GT(stream->queued_bytes(), size_t{16} << 20); });
  raw.reset();
  EXPECT_EQ(closed.get_future().wait_for(10s), std::future_status::ready);
  on_loop([&] {
    EXPECT_EQ(stream->queued_bytes(), 0u);
    stream.reset();
  });
}

TEST_F(ServerTest, DroppedExchangesAre500) {
  serve([](ExchangePtr exchange) {
    if (exchange->request().path == "/thread") std::thread([held = std::move(exchange)] {}).detach();
  });
  EXPECT_EQ(fetch(client(), "GET", "/", {}, "")->status, 500);
  EXPECT_EQ(fetch(client(), "GET", "/thread", {}, "")->status, 500);
}

TEST_F(ServerTest, LimitsEndTheConnectionWithAStatus) {
  ServerOptions options;
  options.header_bytes_max = 8192;
  options.body_bytes_max = 1000;
  serve(echo(), false, options);
  auto status_for = [&](const std::string& text) {
    TestClient raw(server_->port());
    raw.send(text);
    int status = raw.read_response().status;
    EXPECT_TRUE(raw.at_end());
    return status;
  };
  EXPECT_EQ(status_for("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(9000, 'x') + "\r\n\r\n"), 431);
  EXPECT_EQ(status_for("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(9000, 'x')), 431);
  EXPECT_EQ(status_for("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'b')), 413);
  EXPECT_EQ(status_for("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n"), 413);
  EXPECT_EQ(status_for("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 501);
  EXPECT_EQ(status_for("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(9000, 'e')),
            431);
  expect_alive();
}

TEST_F(ServerTest, NonsenseIs400) {
  serve(echo());
  for (const char* text :
       {"\x16\x03\x01 hello\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\nHost a\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "GET relative HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    TestClient raw(server_->port());
    raw.send(text);
    EXPECT_EQ(raw.read_response().status, 400) << text;
    EXPECT_TRUE(raw.at_end());
  }
  expect_alive();
}

TEST_F(ServerTest, ExpectContinueIsAnsweredBeforeTheBody) {
  serve(echo());
  TestClient raw(server_->port());
  raw.send("POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(raw.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  raw.send("body");
  EXPECT_EQ(raw.read_response().body, "POST /e body");
}

TEST_F(ServerTest, OldClientsAndHeadRequests) {
  serve([](ExchangePtr exchange) {
    if (exchange->request().path != "/stream") return exchange->respond(Response::text(200, "body"));
    exchange->start(200, {});
    exchange->write(bytes("streamed"));
    exchange->finish();
  });
  TestClient old(server_->port());
  old.send("GET /stream HTTP/1.0\r\n\r\n");
  std::string all = old.read_to_end();
  EXPECT_TRUE(all.ends_with("\r\n\r\nstreamed")) << all;
  TestClient head(server_->port());
  head.send("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  all = head.read_to_end();
  EXPECT_TRUE(all.ends_with("\r\n\r\n")) << all;
  EXPECT_NE(all.find("Content-Length: 4"), std::string::npos);
}

TEST_F(ServerTest, SlowHeadersAndIdleConnectionsEnd) {
  ServerOptions options;
  options.header_timeout = 1s;
  options.idle_timeout = 1s;
  serve(echo(), false, options);
  TestClient slow(server_->port());
  slow.send("GET / HTTP/1.1\r\nHo");
  TestClient idle(server_->port());
  idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(idle.read_response().status, 200);
  EXPECT_TRUE(slow.at_end());
  EXPECT_TRUE(idle.at_end());
}

TEST_F(ServerTest, ConnectionsBeyondTheLimitAreClosed) {
  ServerOptions options;
  options.connections_max = 1;
  serve(echo(), false, options);
  auto first = std::make_unique<TestClient>(server_->port());
  first->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(first->read_response().status, 200);
  TestClient second(server_->port());
  EXPECT_TRUE(second.at_end());
  first->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(first->read_response().status, 200);
}

TEST_F(ServerTest, ClientCertificates) {
  serve(echo(), true);
  ClientOptions options = client(true);
  EXPECT_EQ(fetch(options, "GET", "/x", {}, "")->body, "GET /x ");

  KeyPair known = authority().leaf("admin", false);
  options.certificate_pem = known.certificate_pem;
  options.key_pem = known.key_pem;
  EXPECT_EQ(fetch(options, "PUT", "/x", {}, "b")->body, "PUT /x b peer=admin,system:masters,second");

  Authority stranger;
  KeyPair foreign = stranger.leaf("admin", false);
  options.certificate_pem = foreign.certificate_pem;
  options.key_pem = foreign.key_pem;
  EXPECT_FALSE(fetch(options, "GET", "/x", {}, "").ok());

  // A server's certificate is no client's.
  options.certificate_pem = authority().server.certificate_pem;
  options.key_pem = authority().server.key_pem;
  EXPECT_FALSE(fetch(options, "GET", "/x", {}, "").ok());

  options = client(true);
  options.ca_pem = stranger.ca.certificate_pem;
  EXPECT_FALSE(fetch(options, "GET", "/x", {}, "").ok());
  expect_alive(true);
}

TEST_F(ServerTest, BrokenTlsHarmsNobodyElse) {
  serve(echo(), true);
  {
    TestClient plain(server_->port());
    plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(plain.read_to_end().find("200"), std::string::npos);
  }
  {
    // A record that says 512 bytes and brings 5.
    TestClient truncated(server_->port());
    truncated.send(std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03", 10));
    truncated.end_sending();
    truncated.read_to_end();
  }
  expect_alive(true);
}

TEST_F(ServerTest, LargeAnswersOverTls) {
  std::vector<Bytes> body(10'000, bytes(std::string(1024, 'o')));
  serve(
      [&](ExchangePtr exchange) {
        Response response;
        response.body = body;
        exchange->respond(std::move(response));
      },
      true);
  size_t received = 0;
  auto response = fetch(client(true), "GET", "/", {}, "", [&](std::string_view chunk) {
    received += chunk.size();
    return true;
  });
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(received, 10'240'000u);
}

TEST_F(ServerTest, ShutDownFinishesStreamsAndEndsIdleConnections) {
  std::promise<void> closed;
  serve([&](ExchangePtr exchange) {
    if (exchange->request().path == "/idle") return exchange->respond(Response::text(200, ""));
    exchange->start(200, {});
    exchange->on_close([&closed, exchange] { closed.set_value(); });
  });
  TestClient idle(server_->port());
  idle.send("GET /idle HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(idle.read_response().status, 200);
  TestClient stream(server_->port());
  stream.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  stream.read_until("\r\n\r\n");
  on_loop([&] { server_->shut_down(); });
  EXPECT_TRUE(idle.at_end());
  EXPECT_EQ(stream.read_to_end(), "0\r\n\r\n");
  EXPECT_EQ(closed.get_future().wait_for(10s), std::future_status::ready);
}

TEST_F(ServerTest, FurtherAddressesAndThoseInUse) {
  serve(echo());
  on_loop([&] {
    EXPECT_TRUE(server_->listen("127.0.0.2", server_->port()).ok());
    auto again = server_->listen("127.0.0.2", server_->port());
    ASSERT_FALSE(again.ok());
    EXPECT_NE(again.error().message.find("127.0.0.2"), std::string::npos);
    EXPECT_EQ(server_->listen("nowhere", 0).error().reason, Reason::kBadRequest);
  });
  ClientOptions options = client();
  options.host = "127.0.0.2";
  EXPECT_EQ(fetch(options, "GET", "/", {}, "")->status, 200);
}

TEST(ServerOptionsTest, BadPemIsAnError) {
  loop::AsioLoop loop;
  ServerOptions options;
  options.tls = {"x", "y", ""};
  EXPECT_FALSE(make_server(loop, options, echo()).ok());
  options.tls = {authority().server.certificate_pem, authority().ca.key_pem, ""};
  auto mismatch = make_server(loop, options, echo());
  ASSERT_FALSE(mismatch.ok());
  EXPECT_NE(mismatch.error().message.find("does not belong"), std::string::npos);
}

}  // namespace
}  // namespace stead::http
