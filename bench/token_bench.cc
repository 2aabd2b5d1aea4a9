// What checking a service account's token costs: TokenReviews answered in-process, the review's own documents included,
// of tokens never seen before and of the same tokens again, as clients send them with each request. Budget: 50 us for
// the latter.
//
//   token_bench [TOKENS]

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "apiserver/api_server.h"
#include "base/check.h"
#include "base/log.h"
#include "loop/simulated_loop.h"
#include "store/memory/memory_store.h"

namespace stead::bench {
namespace {

using object::Value;

constexpr double kBudgetUs = 50;

class Bench {
 public:
  Bench() {
    store_ = store::open_memory_store(loop_);
    cache_ = std::move(*cache::Cache::open(*store_, loop_));
    api_ = std::move(*apiserver::ApiServer::make(*store_, *cache_, loop_, simulation_.random(), {}));
    transport_ = api_->transport({"admin", "", {"system:masters"}}, loop_);
    create("namespaces", "", "", Value::object({{"metadata", Value::object({{"name", "default"}})}}));
    create("serviceaccounts", "default", "", Value::object({{"metadata", Value::object({{"name", "app"}})}}));
  }

  std::string issue() {
    Value made = create("serviceaccounts", "default", "app", Value::object({{"spec", Value::object()}}));
    return std::string(made.at({"status", "token"}).as_string());
  }

  // Microseconds for each of `tokens`.
  double check(const std::vector<std::string>& tokens) {
    Instant begin = system_clock().now();
    for (const std::string& token : tokens) {
      client::Request request;
      request.group = "authentication.k8s.io";
      request.resource = "tokenreviews";
      request.body = Value::object({{"spec", Value::object({{"token", token}})}});
      Value answered = call(std::move(request));
      STEAD_CHECK(answered.at({"status", "authenticated"}).as_bool());
    }
    return std::chrono::duration<double, std::micro>(system_clock().now() - begin).count() /
           static_cast<double>(tokens.size());
  }

 private:
  Value call(client::Request request) {
    request.verb = client::Verb::kCreate;
    std::optional<Value> answered;
    transport_->call(std::move(request), [&](const Result<client::Response>& response) {
      STEAD_CHECK(response.ok());
      answered = response->object->document();
    });
    STEAD_CHECK(simulation_.run_until([&] { return answered.has_value(); }, std::chrono::seconds(10)));
    return std::move(*answered);
  }

  // With a `name`, its subresource "token".
  Value create(const char* resource, const char* ns, const char* name, Value body) {
    client::Request request;
    request.resource = resource;
    request.ns = ns;
    request.name = name;
    if (*name != '\0') request.subresource = "token";
    request.body = std::move(body);
    return call(std::move(request));
  }

  loop::Simulation simulation_{1};
  loop::SimulatedLoop& loop_ = simulation_.make_loop();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<apiserver::ApiServer> api_;
  std::unique_ptr<client::ApiTransport> transport_;
};

}  // namespace

int run(int count) {
  Bench bench;
  std::vector<std::string> tokens;
  tokens.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) tokens.push_back(bench.issue());
  double first = bench.check(tokens);
  double again = bench.check(tokens);
  fmt::print("{} tokens: {:.1f} us the first time, {:.1f} us again (budget {:.0f} us)\n", count, first, again,
             kBudgetUs);
  return again <= kBudgetUs ? 0 : 1;
}

}  // namespace stead::bench

int main(int argc, char** argv) { return stead::bench::run(argc > 1 ? std::max(1, std::atoi(argv[1])) : 1000); }
