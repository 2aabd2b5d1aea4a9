#include "network/dns/dns_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

#include "client/transport.h"
#include "loop/asio_loop.h"
#include "network/dns/forwarder.h"
#include "network/dns/message.h"

namespace stead::network::dns {
namespace {

using object::Value;

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

class TestSocket {
 public:
  explicit TestSocket(int type) : fd_(::socket(AF_INET, type, 0)) {
    timeval limit{10, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  }
  TestSocket(const TestSocket&) = delete;
  TestSocket& operator=(const TestSocket&) = delete;
  ~TestSocket() { ::close(fd_); }
  void connect(uint16_t port) {
    sockaddr_in address = loopback(port);
    ASSERT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  void send(const std::string& text) { ASSERT_EQ(::send(fd_, text.data(), text.size(), 0), ssize_t(text.size())); }
  std::string receive(size_t size = kMessageBytesMax, int flags = 0) {
    std::string text(size, '\0');
    ssize_t got = ::recv(fd_, text.data(), size, flags);
    text.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
    return text;
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

std::string framed(const std::string& packet) {
  return std::string{static_cast<char>(packet.size() >> 8), static_cast<char>(packet.size() & 0xff)} + packet;
}

size_t count_at(const std::string& packet, size_t at) {
  return static_cast<size_t>(static_cast<unsigned char>(packet[at]) << 8 | static_cast<unsigned char>(packet[at + 1]));
}
size_t answers_in(const std::string& packet) { return count_at(packet, 6); }

std::string bytes_of_address(const char* text) { return *address_bytes(text); }

// A resolver in small: answers every question with one A record; over UDP a name that begins with "big" is truncated.
class FakeResolver {
 public:
  FakeResolver() : udp_(SOCK_DGRAM), tcp_(SOCK_STREAM) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(udp_.fd(), reinterpret_cast<sockaddr*>(&address), size), 0);
    ::getsockname(udp_.fd(), reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    EXPECT_EQ(::bind(tcp_.fd(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(tcp_.fd(), 8), 0);
    udp_thread_ = std::thread([this] { serve_udp(); });
    tcp_thread_ = std::thread([this] { serve_tcp(); });
  }
  ~FakeResolver() {
    ::shutdown(tcp_.fd(), SHUT_RDWR);
    TestSocket stop(SOCK_DGRAM);
    stop.connect(port);
    stop.send("stop");
    udp_thread_.join();
    tcp_thread_.join();
  }
  std::string text() const { return "127.0.0.1:" + std::to_string(port); }

  uint16_t port = 0;
  std::atomic<int> questions = 0;

 private:
  static std::string answer(std::string query, bool over_tcp, const char* address = "192.0.2.53") {
    ParsedQuery parsed = parse_query(query);
    Answer found;
    found.outcome = Answer::Outcome::kFound;
    found.records.push_back({{}, Type::kA, bytes_of_address(address)});
    Reply reply;
    reply.answer = &found;
    reply.authoritative = false;
    std::string text = write_reply(*parsed.query, reply, 1232);
    if (!over_tcp && parsed.query->name[0].starts_with("big")) text[2] = static_cast<char>(text[2] | 2);
    return text;
  }
  void serve_udp() {
    for (;;) {
      char buffer[2048];
      sockaddr_in from{};
      socklen_t size = sizeof(from);
      ssize_t got = ::recvfrom(udp_.fd(), buffer, sizeof(buffer), 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (got == 4) return;
      if (got < 12) continue;
      ++questions;
      std::string forged = answer({buffer, static_cast<size_t>(got)}, false, "192.0.2.66");
      forged[0] = static_cast<char>(~forged[0]);
      ::sendto(udp_.fd(), forged.data(), forged.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
      std::string reply = answer({buffer, static_cast<size_t>(got)}, false);
      ::sendto(udp_.fd(), reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }
  void serve_tcp() {
    for (int peer = 0; (peer = ::accept(tcp_.fd(), nullptr, nullptr)) >= 0;) {
      char buffer[2048];
      ssize_t got = ::recv(peer, buffer, sizeof(buffer), 0);
      ++questions;
      if (got > 14) {
        std::string reply = framed(answer({buffer + 2, static_cast<size_t>(got - 2)}, true));
        ::send(peer, reply.data(), reply.size(), MSG_NOSIGNAL);
      }
      ::close(peer);
    }
  }

  TestSocket udp_;
  TestSocket tcp_;
  std::thread udp_thread_;
  std::thread tcp_thread_;
};

// The API in small: fixed lists, watches that never end. `hold` keeps the first list back.
class FixedTransport final : public client::ApiTransport {
 public:
  explicit FixedTransport(loop::Loop& loop) : loop_(loop) {}
  void call(client::Request request, client::Callback done) override {
    client::Response response;
    response.items = request.resource == "services" ? services : slices;
    response.revision = 1;
    auto deliver = [done = std::move(done), response = std::move(response)] { done(response); };
    if (hold) {
      held.push_back(std::move(deliver));
    } else {
      loop_.post(std::move(deliver));
    }
  }
  std::unique_ptr<client::Watch> watch(client::Request request, std::shared_ptr<client::WatchSink> sink) override {
    if (request.resource == "services") service_sink = std::move(sink);
    return std::make_unique<client::Watch>();
  }

  std::vector<object::ObjectPtr> services;
  std::vector<object::ObjectPtr> slices;
  std::shared_ptr<client::WatchSink> service_sink;
  bool hold = false;
  std::vector<std::function<void()>> held;

 private:
  loop::Loop& loop_;
};

object::ObjectPtr service(const char* name, Value spec) {
  Value document = Value::object();
  document.set({"metadata", "name"}, name);
  document.set({"metadata", "namespace"}, "default");
  document.set("spec", std::move(spec));
  return object::make_object(std::move(document), 1);
}

object::ObjectPtr many_endpoints(const char* owner, int count) {
  Value document = Value::object();
  document.set({"metadata", "name"}, std::string(owner) + "-1");
  document.set({"metadata", "namespace"}, "default");
  document.set({"metadata", "labels", "kubernetes.io/service-name"}, owner);
  Value& endpoints = document["endpoints"];
  for (int i = 1; i <= count; ++i) {
    Value addresses = Value::array();
    addresses.append("10.42.0." + std::to_string(i));
    endpoints.append(Value::object({{"addresses", std::move(addresses)}}));
  }
  return object::make_object(std::move(document), 1);
}

class DnsServerTest : public testing::Test {
 protected:
  void serve(std::vector<std::string> upstreams = {}) {
    transport_.services.push_back(service("web", Value::object({{"clusterIP", "10.43.0.5"}})));
    transport_.services.push_back(service("db", Value::object({{"clusterIP", "None"}})));
    transport_.services.push_back(
        service("out", Value::object({{"type", "ExternalName"}, {"externalName", "big.example.com"}})));
    transport_.slices.push_back(many_endpoints("db", 100));
    DnsOptions options;
    options.addresses = {"127.0.0.1"};
    options.port = 0;
    options.cidrs = {"10.42.0.0/16", "10.43.0.0/16"};
    options.upstreams = std::move(upstreams);
    options.hold_max = hold_max_;
    server_ = std::make_unique<DnsServer>(transport_, loop_, options);
    auto started = server_->start();
    ASSERT_TRUE(started.ok()) << started.error().message;
    loop_.start_thread("dns");
    if (transport_.hold) return;
    for (bool ready = false; !ready;) on_loop([&] { ready = server_->ready(); });
  }

  ~DnsServerTest() override {
    on_loop([&] { server_.reset(); });
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

  std::string ask_packet(const std::string& packet) {
    TestSocket socket(SOCK_DGRAM);
    socket.connect(server_->port());
    socket.send(packet);
    return socket.receive();
  }
  std::string ask(const char* name, Type type = Type::kA) {
    return ask_packet(write_query(0x1234, name_of(name), static_cast<uint16_t>(type)));
  }
  std::string ask_tcp(const char* name, Type type = Type::kA) {
    TestSocket socket(SOCK_STREAM);
    socket.connect(server_->port());
    socket.send(framed(write_query(0x1234, name_of(name), static_cast<uint16_t>(type))));
    std::string size = socket.receive(2, MSG_WAITALL);
    return size.size() == 2 ? socket.receive(count_at(size, 0), MSG_WAITALL) : "";
  }

  loop::AsioLoop loop_;
  FixedTransport transport_{loop_};
  Duration hold_max_ = std::chrono::seconds(2);
  std::unique_ptr<DnsServer> server_;
};

TEST_F(DnsServerTest, AnswersOverUdpAndTcp) {
  serve();
  for (const std::string& reply : {ask("web.default.svc.cluster.local"), ask_tcp("web.default.svc.cluster.local")}) {
    ASSERT_GT(reply.size(), kHeaderBytes);
    EXPECT_EQ(reply.substr(0, 2), "\x12\x34");
    EXPECT_EQ(reply[2] & 0x84, 0x84);  // a response, authoritative
    EXPECT_EQ(rcode_of(reply), Rcode::kNoError);
    EXPECT_EQ(answers_in(reply), 1u);
    EXPECT_NE(reply.find(bytes_of_address("10.43.0.5")), std::string::npos);
  }
}

TEST_F(DnsServerTest, NegativeAnswersBringASoa) {
  serve();
  std::string none = ask("nothing.default.svc.cluster.local");
  EXPECT_EQ(rcode_of(none), Rcode::kNoSuchName);
  EXPECT_EQ(count_at(none, 8), 1u);
  std::string no_data = ask("web.default.svc.cluster.local", Type::kAaaa);
  EXPECT_EQ(rcode_of(no_data), Rcode::kNoError);
  EXPECT_EQ(answers_in(no_data), 0u);
  EXPECT_EQ(count_at(no_data, 8), 1u);
}

TEST_F(DnsServerTest, LargeAnswersAreTruncatedOverUdpOnly) {
  serve();
  std::string query = write_query(7, name_of("db.default.svc.cluster.local"), 1);
  std::string with_edns = ask_packet(query);
  EXPECT_TRUE(is_truncated(with_edns));
  EXPECT_LE(with_edns.size(), kUdpBytesMax);
  EXPECT_GT(answers_in(with_edns), 60u);
  query.resize(query.size() - 11);  // without the OPT record
  query[11] = 0;
  std::string plain = ask_packet(query);
  EXPECT_TRUE(is_truncated(plain));
  EXPECT_LE(plain.size(), kUdpBytesPlain);
  EXPECT_GT(answers_in(plain), 20u);
  std::string whole = ask_tcp("db.default.svc.cluster.local");
  EXPECT_FALSE(is_truncated(whole));
  EXPECT_EQ(answers_in(whole), 100u);
}

TEST_F(DnsServerTest, AnswersRotateAndKeepTheSpelling) {
  serve();
  std::string query = write_query(7, name_of("db.default.svc.cluster.local"), 1);
  query[kHeaderBytes + 1] = 'D';
  std::string first = ask_packet(query);
  std::string second = ask_packet(query);
  EXPECT_NE(first, second);
  EXPECT_NE(first.find("Db"), std::string::npos);
}

TEST_F(DnsServerTest, MalformedPacketsHarmNothing) {
  serve();
  std::string query = write_query(7, name_of("web.default.svc.cluster.local"), 1);
  EXPECT_EQ(rcode_of(ask_packet(query.substr(0, 20))), Rcode::kFormatError);
  std::string two_questions = query;
  two_questions[5] = 2;
  EXPECT_EQ(rcode_of(ask_packet(two_questions)), Rcode::kFormatError);
  std::string looping = query;
  looping.replace(kHeaderBytes, 2, "\xc0\x0c");
  EXPECT_EQ(rcode_of(ask_packet(looping)), Rcode::kFormatError);
  std::string notify = query;
  notify[2] = 0x20;
  EXPECT_EQ(rcode_of(ask_packet(notify)), Rcode::kNotImplemented);
  std::string chaos = query;
  chaos[query.size() - 12] = 3;
  EXPECT_EQ(rcode_of(ask_packet(chaos)), Rcode::kRefused);

  std::string next_edns = query;
  next_edns[query.size() - 5] = 1;
  std::string bad_version = ask_packet(next_edns);
  EXPECT_EQ(bad_version[bad_version.size() - 6], 1);  // the upper bits of code 16
  EXPECT_EQ(answers_in(bad_version), 0u);

  // Neither a runt nor a response is answered: the reply that comes is that of the query sent after them.
  TestSocket socket(SOCK_DGRAM);
  socket.connect(server_->port());
  socket.send("runt");
  std::string response = query;
  response[2] = static_cast<char>(0x80);
  socket.send(response);
  socket.send(write_query(99, name_of("web.default.svc.cluster.local"), 1));
  EXPECT_EQ(count_at(socket.receive(), 0), 99u);

  TestSocket tcp(SOCK_STREAM);
  tcp.connect(server_->port());
  tcp.send(
      std::string("\xff\xff"
                  "x",
                  3));  // a length beyond the limit
  EXPECT_EQ(tcp.receive(), "");
  EXPECT_EQ(answers_in(ask_tcp("web.default.svc.cluster.local")), 1u);
}

TEST_F(DnsServerTest, ForwardsTheRestAndNothingOfTheCluster) {
  FakeResolver resolver;
  serve({"127.0.0.1:1", resolver.text()});  // nobody listens on the first
  std::string reply = ask("www.example.com");
  EXPECT_EQ(reply.substr(0, 2), "\x12\x34");
  EXPECT_NE(reply.find(bytes_of_address("192.0.2.53")), std::string::npos);
  EXPECT_EQ(resolver.questions, 1);
  ask("nothing.cluster.local");
  ask("9.9.42.10.in-addr.arpa", Type::kPtr);
  ask("9.9.43.10.in-addr.arpa", Type::kPtr);
  EXPECT_EQ(resolver.questions, 1);
  EXPECT_TRUE(is_truncated(ask("big.example.com")));
  EXPECT_EQ(resolver.questions, 2);
  EXPECT_FALSE(is_truncated(ask_tcp("big.example.com")));
  EXPECT_EQ(resolver.questions, 4);  // UDP, then TCP
}

TEST_F(DnsServerTest, ExternalNamesAreFollowed) {
  FakeResolver resolver;
  serve({resolver.text()});
  std::string reply = ask("out.default.svc.cluster.local");
  EXPECT_EQ(answers_in(reply), 2u);
  EXPECT_NE(reply.find(bytes_of_address("192.0.2.53")), std::string::npos);
  EXPECT_EQ(answers_in(ask("out.default.svc.cluster.local", Type::kCname)), 1u);
}

TEST_F(DnsServerTest, WithoutResolversForeignNamesFailAtOnce) {
  serve();
  EXPECT_EQ(rcode_of(ask("www.example.com")), Rcode::kServerFailure);
  EXPECT_EQ(rcode_of(ask("web")), Rcode::kNoSuchName);
  EXPECT_EQ(answers_in(ask("out.default.svc.cluster.local")), 1u);
}

TEST_F(DnsServerTest, SaysNothingOfTheClusterBeforeItKnows) {
  transport_.hold = true;
  hold_max_ = std::chrono::milliseconds(10);
  serve();
  EXPECT_EQ(rcode_of(ask("web.default.svc.cluster.local")), Rcode::kServerFailure);
  on_loop([&] {
    for (auto& deliver : transport_.held) deliver();
  });
  EXPECT_EQ(answers_in(ask("web.default.svc.cluster.local")), 1u);
}

TEST_F(DnsServerTest, QuestionsWaitForTheFirstLists) {
  transport_.hold = true;
  hold_max_ = std::chrono::hours(1);
  serve();
  auto early = std::async(std::launch::async, [this] { return ask("web.default.svc.cluster.local"); });
  EXPECT_EQ(rcode_of(ask("www.example.com")), Rcode::kServerFailure) << "other names do not wait";
  on_loop([&] {
    for (auto& deliver : transport_.held) deliver();
  });
  EXPECT_EQ(answers_in(early.get()), 1u);
}

TEST_F(DnsServerTest, FollowsTheApiAndFurtherAddresses) {
  serve();
  on_loop([&] {
    client::WatchEvent event;
    event.type = client::WatchEvent::Type::kAdded;
    event.object = service("late", Value::object({{"clusterIP", "10.43.0.9"}}));
    transport_.service_sink->on_events({event});
    EXPECT_TRUE(server_->listen("127.0.0.2").ok());
    EXPECT_TRUE(server_->listen("127.0.0.2").ok());
    EXPECT_EQ(server_->listen("nowhere").error().reason, Reason::kBadRequest);
  });
  EXPECT_EQ(answers_in(ask("late.default.svc.cluster.local")), 1u);
  TestSocket socket(SOCK_DGRAM);
  sockaddr_in address = loopback(server_->port());
  address.sin_addr.s_addr = inet_addr("127.0.0.2");
  ASSERT_EQ(::connect(socket.fd(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  socket.send(write_query(1, name_of("late.default.svc.cluster.local"), 1));
  EXPECT_EQ(answers_in(socket.receive()), 1u);
}

TEST(Resolvers, AreReadFromResolvConf) {
  EXPECT_EQ(resolvers_of("# comment\nnameserver 10.0.0.1 \nsearch a b\nnameserver\t::1\nnameserver 10.43.0.10\n"
                         "nameserverx 1.1.1.1\nnameserver nonsense\noptions ndots:5\nnameserver 10.0.0.2\n"
                         "nameserver 10.0.0.3",
                         {"10.43.0.10"}),
            (std::vector<std::string>{"10.0.0.1", "::1", "10.0.0.2"}));
  EXPECT_TRUE(resolvers_of("", {}).empty());
}

TEST(Resolvers, BadOnesAreNamed) {
  loop::AsioLoop loop;
  for (const char* text : {"example.com", "1.2.3.4:x", "[::1", "1.2.3.4:99999"}) {
    auto made = make_forwarder(loop, {text});
    ASSERT_FALSE(made.ok()) << text;
    EXPECT_NE(made.error().message.find(text), std::string::npos);
  }
  EXPECT_TRUE(make_forwarder(loop, {"::1", "[::1]:5353", "10.0.0.1"}).ok());
}

}  // namespace
}  // namespace stead::network::dns
