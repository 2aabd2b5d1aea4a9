#include "app/node_usage.h"

#include <fmt/format.h>

#include <utility>

#include "http/async_client.h"
#include "object/codec.h"

namespace stead::app {
namespace {

using apiserver::UsageSource;

constexpr std::string_view kTarget = "/stats/summary?only_cpu_and_memory=true";

Error unreadable(std::string_view why) {
  return make_error(Reason::kUnavailable, fmt::format("the node's usage cannot be read: {}", why));
}

Result<object::Value> parse(int status, const std::string& body) {
  if (status != 200) return unreadable(body);
  return object::parse_json(body);
}

// A request that nobody sent over a connection: the answer goes to `done`, once.
class UsageExchange final : public http::Exchange {
 public:
  UsageExchange(loop::AsioLoop& loop, UsageSource::Done done) : loop_(loop), done_(std::move(done)) {
    request_.method = "GET";
    request_.target = kTarget;
    request_.path = "/stats/summary";
  }

  const http::Request& request() const override { return request_; }
  void respond(http::Response response) override {
    std::string body;
    for (const http::Bytes& bytes : response.body) body += *bytes;
    answer(parse(response.status, body));
  }
  void start(int, http::Headers) override {}
  void write(http::Bytes) override {}
  void finish() override { answer(unreadable("it answers with a stream")); }
  size_t queued_bytes() const override { return 0; }
  void on_close(std::function<void()>) override {}
  void on_drain(std::function<void()>) override {}
  // The client lives until its one call is over.
  void relay(const http::Upstream& upstream, const std::string& target) override {
    auto client = std::make_shared<http::AsyncClient>(
        loop_, http::AsyncClientOptions{.host = upstream.host, .port = upstream.port, .tls = upstream.tls});
    client->call({"GET", target, {}, {}}, [&loop = loop_, client, done = std::exchange(done_, nullptr)](
                                              const Result<http::ClientResponse>& response, bool) mutable {
      done(response.ok() ? parse(response->status, response->body) : Result<object::Value>(response.error()));
      // Not destroyed from within its own callback.
      loop.post([kept = std::move(client)] {});
    });
  }
  void join(http::Request, const http::Upstream&, const std::string&, http::Headers, Joined) override {
    answer(unreadable("it answers with an upgrade"));
  }
  void post(std::function<void()> task) override { loop_.post(std::move(task)); }

 private:
  void answer(Result<object::Value> summary) {
    if (done_) std::exchange(done_, nullptr)(std::move(summary));
  }

  loop::AsioLoop& loop_;
  UsageSource::Done done_;
  http::Request request_;
};

class NodeUsage final : public UsageSource {
 public:
  NodeUsage(apiserver::NodeGateway& nodes, loop::AsioLoop& loop) : nodes_(nodes), loop_(loop) {}

  void read(const std::string& node, Done done) override {
    // Answers come later, also where the gateway refuses at once.
    auto later = [&loop = loop_, done = std::move(done)](Result<object::Value> summary) {
      loop.post([done, summary = std::move(summary)] { done(summary); });
    };
    nodes_.forward(node, std::make_shared<UsageExchange>(loop_, std::move(later)), std::string(kTarget));
  }

 private:
  apiserver::NodeGateway& nodes_;
  loop::AsioLoop& loop_;
};

}  // namespace

std::unique_ptr<UsageSource> make_node_usage(apiserver::NodeGateway& nodes, loop::AsioLoop& loop) {
  return std::make_unique<NodeUsage>(nodes, loop);
}

}  // namespace stead::app
