#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "http/server.h"
#include "http/test_client.h"
#include "http/tls.h"
#include "http/x509.h"
#include "loop/asio_loop.h"

namespace stead::http {
namespace {

using namespace std::chrono_literals;

// A runtime's streaming server in small: accepts one connection, answers its head with `answer`, echoes the rest. One
// without an answer ends the connection.
class EchoUpstream {
 public:
  explicit EchoUpstream(std::string answer) : answer_(std::move(answer)), fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::listen(fd_, 1), 0);
    socklen_t size = sizeof(address);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~EchoUpstream() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }

  uint16_t port = 0;
  std::promise<std::string> head;

 private:
  void serve() {
    int peer = ::accept(fd_, nullptr, nullptr);
    if (peer < 0) return;
    std::string received;
    char buffer[4096];
    ssize_t got = 0;
    while (received.find("\r\n\r\n") == std::string::npos && (got = ::recv(peer, buffer, sizeof(buffer), 0)) > 0) {
      received.append(buffer, static_cast<size_t>(got));
    }
    size_t end = received.find("\r\n\r\n") + 4;
    head.set_value(received.substr(0, end));
    std::string reply = answer_ + received.substr(end);
    ::send(peer, reply.data(), reply.size(), MSG_NOSIGNAL);
    while (!answer_.empty() && (got = ::recv(peer, buffer, sizeof(buffer), 0)) > 0) {
      for (ssize_t sent = 0; sent < got;) {
        ssize_t now = ::send(peer, buffer + sent, static_cast<size_t>(got - sent), MSG_NOSIGNAL);
        if (now <= 0) break;
        sent += now;
      }
    }
    ::close(peer);
  }

  std::string answer_;
  int fd_;
  std::thread thread_;
};

class RelayTest : public testing::Test {
 protected:
  void serve(uint16_t upstream_port) {
    Upstream upstream;
    upstream.host = "127.0.0.1";
    upstream.port = upstream_port;
    serve(upstream);
  }
  void serve(const Upstream& upstream) {
    auto made = make_server(
        loop_, {}, [upstream](const ExchangePtr& exchange) { exchange->relay(upstream, "/exec/token?tty=1"); });
    ASSERT_TRUE(made.ok());
    server_ = std::move(*made);
    loop_.start_thread("test");
  }
  ~RelayTest() override {
    std::promise<void> done;
    loop_.post([&] {
      server_.reset();
      behind_tls_.reset();
      done.set_value();
    });
    done.get_future().wait();
    loop_.stop();
    loop_.join();
  }
  loop::AsioLoop loop_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Server> behind_tls_;
};

constexpr char kSwitch[] = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nhello";
constexpr char kUpgrade[] =
    "POST /api/v1/x/exec?command=sh HTTP/1.1\r\nHost: outside\r\nContent-Length: 0\r\nConnection: Upgrade\r\n"
    "Upgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n";

TEST_F(RelayTest, CarriesBytesBothWays) {
  EchoUpstream upstream(kSwitch);
  serve(upstream.port);
  TestClient client(server_->port());
  client.send(std::string(kUpgrade) + "early");  // already behind the head
  EXPECT_TRUE(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 101"));
  EXPECT_EQ(client.read_until("early"), "helloearly");
  std::string head = upstream.head.get_future().get();
  EXPECT_TRUE(head.starts_with("POST /exec/token?tty=1 HTTP/1.1\r\nHost: 127.0.0.1:")) << head;
  EXPECT_NE(head.find("X-Stream-Protocol-Version: v4.channel.k8s.io\r\n"), std::string::npos);
  EXPECT_EQ(head.find("outside"), std::string::npos);

  std::string large(3 << 20, 'd');
  large.back() = '!';
  std::thread sender([&] { client.send(large); });
  EXPECT_EQ(client.read_until("!"), large);
  sender.join();
  client.end_sending();
  EXPECT_TRUE(client.at_end());
}

TEST_F(RelayTest, OtherAnswersAreAnswersAndKeepTheConnection) {
  EchoUpstream upstream("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nContent-Type: text/plain\r\n\r\ngone");
  serve(upstream.port);
  TestClient client(server_->port());
  client.send(kUpgrade);
  ClientResponse response = client.read_response();
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, "gone");
}

TEST_F(RelayTest, UnreachableIs502) {
  uint16_t port = 0;
  { port = EchoUpstream("").port; }
  serve(port);
  TestClient client(server_->port());
  client.send(kUpgrade);
  ClientResponse response = client.read_response();
  EXPECT_EQ(response.status, 502);
  EXPECT_TRUE(response.body.starts_with("upstream: ")) << response.body;
}

TEST_F(RelayTest, AnUpstreamThatOnlyEndsTheConnectionIs502) {
  EchoUpstream upstream("");
  serve(upstream.port);
  TestClient client(server_->port());
  client.send(kUpgrade);
  EXPECT_EQ(client.read_response().status, 502);
}

TEST_F(RelayTest, UnreachableIsWhatTheCallerMakesOfIt) {
  Upstream upstream;
  upstream.host = "127.0.0.1";
  { upstream.port = EchoUpstream("").port; }
  upstream.unreachable = [](const std::string& why) { return Response::text(503, "no way: " + why); };
  serve(upstream);
  TestClient client(server_->port());
  client.send("GET / HTTP/1.1\r\nHost: outside\r\n\r\n");
  ClientResponse response = client.read_response();
  EXPECT_EQ(response.status, 503);
  EXPECT_TRUE(response.body.starts_with("no way: ")) << response.body;
}

TEST_F(RelayTest, HeadersOfOneHopAndCredentialsStayOnIt) {
  EchoUpstream upstream(
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=1\r\nTrailer: X\r\nX-Kept: yes\r\n\r\nok");
  serve(upstream.port);
  TestClient client(server_->port());
  client.send(
      "GET / HTTP/1.1\r\nHost: outside\r\nAuthorization: Bearer t\r\nImpersonate-User: root\r\nX-Sent: 1\r\n\r\n");
  ClientResponse response = client.read_response();
  EXPECT_EQ(response.body, "ok");
  std::string names;
  for (const auto& [name, value] : response.headers) names += name + ";";
  EXPECT_NE(names.find("X-Kept;"), std::string::npos) << names;
  EXPECT_EQ(names.find("Keep-Alive;"), std::string::npos) << names;
  EXPECT_EQ(names.find("Trailer;"), std::string::npos) << names;
  std::string head = upstream.head.get_future().get();
  EXPECT_NE(head.find("X-Sent: 1"), std::string::npos) << head;
  EXPECT_EQ(head.find("Authorization"), std::string::npos) << head;
  EXPECT_EQ(head.find("Impersonate"), std::string::npos) << head;
}

TEST_F(RelayTest, LinesOfAnAnswersHeadMayEndInLineFeeds) {
  EchoUpstream upstream("HTTP/1.1 200 OK\r\nContent-Type: text/plain\nContent-Length: 3\n\na\nb");
  serve(upstream.port);
  TestClient client(server_->port());
  client.send("GET / HTTP/1.1\r\nHost: outside\r\n\r\n");
  EXPECT_EQ(client.read_response().body, "a\nb");
}

TEST_F(RelayTest, UpgradesBehindTls) {
  EchoUpstream echo(kSwitch);
  auto ca = make_ca("test-ca", system_clock().wall_now(), std::chrono::hours(24));
  LeafRequest leaf{"server", {}, {}, {"127.0.0.1"}, true, false};
  auto certificate = issue(*ca, leaf, system_clock().wall_now());
  ServerOptions options;
  options.tls = {certificate->certificate_pem, certificate->key_pem, ""};
  auto made = make_server(loop_, options, [port = echo.port](const ExchangePtr& exchange) {
    Upstream upstream;
    upstream.host = "127.0.0.1";
    upstream.port = port;
    exchange->relay(upstream, exchange->request().target);
  });
  ASSERT_TRUE(made.ok());
  behind_tls_ = std::move(*made);
  Upstream upstream;
  upstream.host = "127.0.0.1";
  upstream.port = behind_tls_->port();
  upstream.tls = *make_client_tls("", "", "");
  upstream.answer_timeout = std::chrono::seconds(0);
  serve(upstream);
  TestClient client(server_->port());
  client.send(std::string(kUpgrade) + "early");
  EXPECT_TRUE(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 101"));
  EXPECT_EQ(client.read_until("early"), "helloearly");
}

}  // namespace
}  // namespace stead::http
