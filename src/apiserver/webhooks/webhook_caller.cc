#include "apiserver/webhooks/webhook_caller.h"

#include <fmt/format.h>

#include <map>

#include "http/async_client.h"
#include "loop/asio_loop.h"

namespace stead::apiserver {
namespace {

constexpr size_t kCallsMax = 256;
constexpr size_t kClientsMax = 64;
constexpr size_t kConnectionsMax = 16;  // to one webhook
constexpr size_t kAnswerBytesMax = 64 << 20;

class HttpsWebhookCaller final : public WebhookCaller {
 public:
  explicit HttpsWebhookCaller(loop::AsioLoop& loop) : loop_(loop) {}
  ~HttpsWebhookCaller() override {
    for (const auto& pending : *pending_) loop_.cancel(pending.second.timer);
  }

  void post(const HttpsTarget& target, std::string body, std::chrono::milliseconds timeout, Done done) override {
    const uint64_t id = ++last_id_;
    std::weak_ptr<Calls> calls = pending_;
    if (pending_->size() >= kCallsMax) {
      return answer_later(std::move(done), make_error(Reason::kTooManyRequests, "too many calls are in progress"));
    }
    Result<std::shared_ptr<http::AsyncClient>> client = client_of(target);
    if (!client.ok()) return answer_later(std::move(done), client.error());
    auto finish = [&loop = loop_, calls, id](Result<std::string> outcome) {
      auto all = calls.lock();
      if (!all) return;
      auto found = all->find(id);
      if (found == all->end()) return;
      Call call = std::move(found->second);
      all->erase(found);
      loop.cancel(call.timer);
      call.done(std::move(outcome));
    };
    Call& call = (*pending_)[id];
    call.done = std::move(done);
    call.client = *client;
    call.timer =
        loop_.call_after(timeout, [finish] { finish(make_error(Reason::kTimeout, "context deadline exceeded")); });
    http::OutgoingRequest request{
        "POST", target.path, {{"Content-Type", "application/json"}, {"Accept", "application/json"}}, std::move(body)};
    (*client)->call(std::move(request), [finish](Result<http::ClientResponse> response, bool) {
      if (!response.ok()) return finish(response.error());
      if (response->status != 200) {
        return finish(make_error(Reason::kInternal, fmt::format("the server answered {}: {}", response->status,
                                                                response->body.substr(0, 200))));
      }
      finish(std::move(response->body));
    });
  }

 private:
  struct Call {
    Done done;
    loop::TimerId timer = loop::TimerId::kNone;
    std::shared_ptr<http::AsyncClient> client;  // must not go from under its own call
  };
  using Calls = std::map<uint64_t, Call>;

  void answer_later(Done done, Error error) {
    loop_.post([done = std::move(done), error = std::move(error)] { done(error); });
  }

  Result<std::shared_ptr<http::AsyncClient>> client_of(const HttpsTarget& target) {
    std::string key = fmt::format("{}|{}|{}|{}", target.host, target.port, target.server_name, target.ca_pem);
    auto found = clients_.find(key);
    if (found != clients_.end()) return found->second;
    if (clients_.size() >= kClientsMax) clients_.clear();  // those with calls live on in them
    http::AsyncClientOptions options;
    options.host = target.host;
    options.port = target.port;
    options.server_name = target.server_name;
    options.connections_max = kConnectionsMax;
    options.body_bytes_max = kAnswerBytesMax;
    STEAD_TRY(tls,
              target.ca_pem.empty() ? http::make_public_client_tls() : http::make_client_tls(target.ca_pem, "", ""));
    options.tls = std::move(tls);
    auto made = std::make_shared<http::AsyncClient>(loop_, std::move(options));
    clients_[key] = made;
    return made;
  }

  loop::AsioLoop& loop_;
  uint64_t last_id_ = 0;
  std::map<std::string, std::shared_ptr<http::AsyncClient>> clients_;
  std::shared_ptr<Calls> pending_ = std::make_shared<Calls>();
};

}  // namespace

std::unique_ptr<WebhookCaller> make_https_webhook_caller(loop::AsioLoop& loop) {
  return std::make_unique<HttpsWebhookCaller>(loop);
}

}  // namespace stead::apiserver
