// The HTTPS transport against a real API server over loopback TLS.

#include "client/https_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "apiserver/api_server.h"
#include "apiserver/front_end/front_end.h"
#include "client/informer.h"
#include "http/server.h"
#include "http/x509.h"
#include "loop/asio_loop.h"
#include "object/codec.h"
#include "store/memory/memory_store.h"

namespace stead::client {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class NoNodes final : public apiserver::NodeGateway {
 public:
  void forward(const std::string&, const http::ExchangePtr& exchange, const std::string&) override {
    exchange->respond(http::Response::text(503, "no nodes"));
  }
};

struct Pki {
  http::KeyPair ca = *http::make_ca("test", system_clock().wall_now(), std::chrono::hours(1));
  http::KeyPair issue(const std::string& name, const std::string& group) const {
    http::LeafRequest request{name, {group}, {"localhost"}, {"127.0.0.1"}, true, true, std::chrono::hours(1)};
    return *http::issue(ca, request, system_clock().wall_now());
  }
};

// A server that can go away and come back on its port, as a process that is restarted.
class TestServer {
 public:
  explicit TestServer(const Pki& pki) : pki_(pki) {
    store_ = store::open_memory_store(loop_);
    cache_ = std::move(*cache::Cache::open(*store_, loop_));
    api_ = std::move(*apiserver::ApiServer::make(*store_, *cache_, loop_, system_random(), {}));
    listen();
    loop_.start_thread("api");
  }
  ~TestServer() {
    hang_up();
    loop_.stop();
    loop_.join();
  }

  // All connections end; nobody listens.
  void hang_up() {
    on_loop([this] { http_.reset(); });
  }
  void come_back() {
    on_loop([this] { listen(); });
  }
  uint16_t port() const { return port_; }
  apiserver::ApiServer& api() { return *api_; }

 private:
  void on_loop(const std::function<void()>& task) {
    std::promise<void> done;
    loop_.post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }
  void listen() {
    http::KeyPair server = pki_.issue("server", "servers");
    http::ServerOptions options;
    options.port = port_;
    options.tls = {server.certificate_pem, server.key_pem, pki_.ca.certificate_pem};
    auto made = http::make_server(loop_, options, apiserver::make_front_end(*api_, nodes_, {}));
    ASSERT_TRUE(made.ok()) << made.error().message;
    http_ = std::move(*made);
    port_ = http_->port();
  }

  const Pki& pki_;
  loop::AsioLoop loop_;
  NoNodes nodes_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<apiserver::ApiServer> api_;
  std::unique_ptr<http::Server> http_;
  uint16_t port_ = 0;
};

Value json(std::string_view text) { return *object::parse_json(text); }

class HttpsTransportTest : public testing::Test {
 protected:
  void SetUp() override {
    http::KeyPair admin = pki_.issue("admin", "system:masters");
    transport_ = std::make_unique<HttpsTransport>(loop_, options(admin));
    loop_.start_thread("client");
    ASSERT_TRUE(call(create("", "namespaces", "", R"({"metadata":{"name":"default"}})")).ok());
  }
  void TearDown() override {
    loop_.stop();
    loop_.join();
  }

  HttpsTransportOptions options(const http::KeyPair& who) const {
    HttpsTransportOptions made;
    made.host = "127.0.0.1";
    made.port = server_.port();
    made.tls = *http::make_client_tls(pki_.ca.certificate_pem, who.certificate_pem, who.key_pem);
    return made;
  }

  static Request request(Verb verb, std::string group, std::string resource, std::string ns, std::string name = {}) {
    Request made;
    made.verb = verb;
    made.group = std::move(group);
    made.resource = std::move(resource);
    made.ns = std::move(ns);
    made.name = std::move(name);
    return made;
  }
  static Request create(std::string group, std::string resource, std::string ns, std::string_view body) {
    Request made = request(Verb::kCreate, std::move(group), std::move(resource), std::move(ns));
    made.body = json(body);
    return made;
  }
  static Request config_map(const std::string& name, const std::string& value) {
    return create("", "configmaps", "default",
                  R"({"metadata":{"name":")" + name + R"(","labels":{"a":"b"}},"data":{"k":")" + value + R"("}})");
  }

  Result<Response> call(Request one) { return call(*transport_, std::move(one)); }
  Result<Response> call(HttpsTransport& transport, Request one) {
    std::promise<Result<Response>> answer;
    loop_.post([&] {
      transport.call(std::move(one), [&answer](Result<Response> response) { answer.set_value(std::move(response)); });
    });
    auto future = answer.get_future();
    if (future.wait_for(30s) != std::future_status::ready) ADD_FAILURE() << "no answer";
    return future.get();
  }

  void on_loop(const std::function<void()>& task) {
    std::promise<void> done;
    loop_.post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

  // Asks on the loop until it holds.
  bool eventually(const std::function<bool()>& holds) {
    for (int round = 0; round < 3000; ++round) {
      bool now = false;
      on_loop([&] { now = holds(); });
      if (now) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

  Pki pki_;
  TestServer server_{pki_};
  loop::AsioLoop loop_;
  std::unique_ptr<HttpsTransport> transport_;
};

TEST_F(HttpsTransportTest, EveryVerbDoesWhatItDoesInProcess) {
  auto made = call(config_map("one", "1"));
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_TRUE(made->created);
  EXPECT_EQ(made->object->name(), "one");
  EXPECT_GT(made->object->revision(), 0);

  Request patch = request(Verb::kPatch, "", "configmaps", "default", "one");
  patch.body = json(R"({"data":{"k":"2"}})");
  ASSERT_TRUE(call(patch).ok());
  auto got = call(request(Verb::kGet, "", "configmaps", "default", "one"));
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->object->document().at({"data", "k"}).as_string(), "2");

  Request update = request(Verb::kUpdate, "", "configmaps", "default", "one");
  update.body = made->object->document();  // stale
  auto conflict = call(update);
  ASSERT_FALSE(conflict.ok());
  EXPECT_EQ(conflict.error().reason, Reason::kConflict);

  ASSERT_TRUE(call(config_map("two", "x y&z")).ok());
  Request list = request(Verb::kList, "", "configmaps", "default");
  list.label_selector = "a=b";
  list.limit = 1;
  auto page = call(list);
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->items.size(), 1u);
  EXPECT_EQ(page->items[0]->document().at("kind").as_string(), "ConfigMap");
  list.continue_token = page->continue_token;
  auto rest = call(list);
  ASSERT_TRUE(rest.ok()) << rest.error().message;
  ASSERT_EQ(rest->items.size(), 1u);
  EXPECT_EQ(rest->items[0]->name(), "two");

  auto removed = call(request(Verb::kDelete, "", "configmaps", "default", "one"));
  ASSERT_TRUE(removed.ok());
  EXPECT_TRUE(removed->deleted);
  auto gone = call(request(Verb::kGet, "", "configmaps", "default", "one"));
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().reason, Reason::kNotFound);
  EXPECT_EQ(gone.error().name, "one");
}

TEST_F(HttpsTransportTest, AStatusBecomesAnErrorWithItsCauses) {
  auto invalid = call(create("", "configmaps", "default", R"({"metadata":{"name":"Not_A_Name"}})"));
  ASSERT_FALSE(invalid.ok());
  EXPECT_EQ(invalid.error().reason, Reason::kInvalid);
  ASSERT_FALSE(invalid.error().causes.empty());
  EXPECT_EQ(invalid.error().causes[0].field, "metadata.name");

  auto unknown = call(request(Verb::kList, "nobody.example", "things", ""));
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().reason, Reason::kNotFound);
}

TEST_F(HttpsTransportTest, ACallerIsWhoItsCertificateSays) {
  HttpsTransport other(loop_, options(pki_.issue("somebody", "people")));
  auto refused = call(other, request(Verb::kList, "", "secrets", "default"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::kForbidden);
  EXPECT_THAT(refused.error().message, HasSubstr("somebody"));
  // A renewed certificate counts for the next connection.
  http::KeyPair admin = pki_.issue("admin", "system:masters");
  other.use_tls(*http::make_client_tls(pki_.ca.certificate_pem, admin.certificate_pem, admin.key_pem));
  EXPECT_TRUE(call(other, request(Verb::kList, "", "secrets", "default")).ok());
  loop_.stop();
  loop_.join();
}

TEST_F(HttpsTransportTest, AServerOfAnotherCaIsRefused) {
  Pki stranger;
  HttpsTransportOptions wrong = options(pki_.issue("admin", "system:masters"));
  wrong.tls = *http::make_client_tls(stranger.ca.certificate_pem, "", "");
  HttpsTransport other(loop_, wrong);
  auto refused = call(other, request(Verb::kList, "", "pods", "default"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::kUnauthorized);
  EXPECT_THAT(refused.error().message, HasSubstr("certificate"));
  loop_.stop();
  loop_.join();
}

TEST_F(HttpsTransportTest, InformersFollowAndOutliveTheConnection) {
  Informer maps(*transport_, loop_, {"", "configmaps"}, {}, {}, "default");
  int lists = 0;
  ASSERT_TRUE(call(config_map("before", "1")).ok());
  on_loop([&] {
    maps.when_synced([&] { ++lists; });
    maps.start();
  });
  ASSERT_TRUE(eventually([&] { return maps.get("default/before") != nullptr; }));
  ASSERT_TRUE(call(config_map("during", "1")).ok());
  ASSERT_TRUE(eventually([&] { return maps.get("default/during") != nullptr; }));

  // What happens while the connection is down comes with the next one: no event is lost, none comes twice.
  std::vector<std::string> told;
  on_loop([&] {
    maps.on_change([&](const ObjectPtr& before, const ObjectPtr& after) {
      if (!before) told.emplace_back("+" + std::string(after->name()));
      if (!after) told.emplace_back("-" + std::string(before->name()));
    });
    told.clear();
  });
  server_.hang_up();
  loop::AsioLoop inside;
  inside.start_thread("inside");
  auto local = server_.api().transport({"local", "", {"system:masters"}}, inside);
  auto call_local = [&](Request one) {
    std::promise<bool> ok;
    local->call(std::move(one), [&](const Result<Response>& response) { ok.set_value(response.ok()); });
    return ok.get_future().get();
  };
  ASSERT_TRUE(call_local(config_map("away", "1")));
  ASSERT_TRUE(call_local(request(Verb::kDelete, "", "configmaps", "default", "before")));
  server_.come_back();
  ASSERT_TRUE(eventually([&] { return told.size() >= 2; }));
  EXPECT_THAT(told, testing::ElementsAre("+away", "-before"));
  inside.stop();
  inside.join();
  loop_.stop();
  loop_.join();
}

TEST_F(HttpsTransportTest, CallsSurviveAShortAbsenceAndFailAfterALongOne) {
  server_.hang_up();
  std::promise<Result<Response>> answer;
  loop_.post([&] {
    transport_->call(config_map("patient", "1"), [&](Result<Response> response) { answer.set_value(response); });
  });
  std::this_thread::sleep_for(60ms);  // the first attempt finds nobody; a later one must not
  server_.come_back();
  auto patient = answer.get_future().get();
  ASSERT_TRUE(patient.ok()) << patient.error().message;

  server_.hang_up();
  auto failed = call(request(Verb::kGet, "", "configmaps", "default", "patient"));
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().reason, Reason::kUnavailable);
}

struct EndSink final : WatchSink {
  void on_events(std::vector<WatchEvent>) override {}
  void on_end(Error error) override { end.set_value(std::move(error)); }
  std::promise<Error> end;
};

TEST_F(HttpsTransportTest, AWatchThatIsRefusedEnds) {
  auto sink = std::make_shared<EndSink>();
  Request bad = request(Verb::kWatch, "", "configmaps", "default");
  bad.label_selector = "a in (";
  std::unique_ptr<Watch> watch;
  on_loop([&] { watch = transport_->watch(bad, sink); });
  auto end = sink->end.get_future();
  ASSERT_EQ(end.wait_for(30s), std::future_status::ready);
  EXPECT_EQ(end.get().reason, Reason::kBadRequest);
  on_loop([&] { watch.reset(); });
}

}  // namespace
}  // namespace stead::client
