#include "apiserver/aggregation/remote_api.h"

#include <fmt/format.h>

#include <map>

#include "apiserver/front_end/status_document.h"
#include "http/async_client.h"
#include "loop/asio_loop.h"

namespace stead::apiserver {
namespace {

constexpr size_t kClientsMax = 64;
// Who takes an answer so slowly that more than this waits is let go.
constexpr size_t kQueuedBytesMax = 8 * 1024 * 1024;

bool is_hop_header(std::string_view name) {
  for (std::string_view hop : {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade",
                               "trailer", "te", "host", "content-length", "authorization", "date"}) {
    if (name == hop) return true;
  }
  return false;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  return out;
}

void add_identity(const client::Identity& identity, http::Headers& headers) {
  headers.emplace_back("X-Remote-User", identity.user);
  if (!identity.uid.empty()) headers.emplace_back("X-Remote-Uid", identity.uid);
  for (const std::string& group : identity.groups) headers.emplace_back("X-Remote-Group", group);
  for (const auto& [name, texts] : identity.extra) {
    for (const std::string& text : texts) {
      headers.emplace_back("X-Remote-Extra-" + http::percent_encode(name), text);
    }
  }
}

Error nobody_answers(const std::string& why) {
  Error error = make_error(Reason::kUnavailable, "service unavailable: " + why);
  return error;
}

class HttpsRemoteApi final : public RemoteApi {
 public:
  HttpsRemoteApi(loop::AsioLoop& loop, std::string certificate_pem, std::string key_pem)
      : loop_(loop), certificate_pem_(std::move(certificate_pem)), key_pem_(std::move(key_pem)) {}

  void forward(const HttpsTarget& target, bool verified, const client::Identity& identity,
               const http::ExchangePtr& exchange) override {
    Result<std::shared_ptr<http::AsyncClient>> client = client_of(target, verified);
    if (!client.ok()) return exchange->respond(error_response(nobody_answers(client.error().message)));
    const http::Request& http = exchange->request();
    http::OutgoingRequest request{http.method, http.target, {}, http.body};
    for (const auto& [name, value] : http.headers) {
      // Nobody but us says who asks.
      const std::string low = lowered(name);
      if (!is_hop_header(low) && !low.starts_with("x-remote-") && !low.starts_with("impersonate-"))
        request.headers.emplace_back(name, value);
    }
    add_identity(identity, request.headers);
    struct Passing {
      http::ExchangePtr exchange;
      std::shared_ptr<http::AsyncClient> client;  // before the stream, which ends first
      std::unique_ptr<http::AsyncClient::Stream> stream;
      bool started = false;
    };
    auto passing = std::make_shared<Passing>();
    passing->exchange = exchange;
    passing->client = *client;
    // The stream's callbacks keep `passing`; its end, or the client's, takes the stream away and so lets it go.
    auto end = [&loop = loop_, passing] {
      passing->exchange.reset();
      loop.post([passing] { passing->stream.reset(); });
    };
    http::AsyncClient::StreamEvents events;
    events.head = [passing](int status, const http::Headers& headers) {
      if (!passing->exchange) return;
      http::Headers kept;
      for (const auto& header : headers) {
        if (!is_hop_header(lowered(header.first))) kept.push_back(header);
      }
      passing->started = true;
      passing->exchange->start(status, std::move(kept));
    };
    events.body = [passing, end](std::string_view piece) {
      if (!passing->exchange) return;
      passing->exchange->write(std::make_shared<const std::string>(piece));
      if (passing->exchange->queued_bytes() > kQueuedBytesMax) end();
    };
    events.end = [passing, end](const Result<void>& outcome) {
      if (!passing->exchange) return;
      if (!passing->started) {
        passing->exchange->respond(
            error_response(nobody_answers(outcome.ok() ? "no answer" : outcome.error().message)));
      } else if (outcome.ok()) {
        passing->exchange->finish();
      }
      end();
    };
    exchange->on_close(end);
    passing->stream = (*client)->stream(std::move(request), std::move(events), std::chrono::milliseconds(0));
  }

  void get(const HttpsTarget& target, bool verified, const client::Identity& identity, Done done) override {
    Result<std::shared_ptr<http::AsyncClient>> client = client_of(target, verified);
    if (!client.ok()) {
      return loop_.post([done = std::move(done), error = client.error()] { done(error); });
    }
    http::OutgoingRequest request{"GET", target.path, {{"Accept", "application/json"}}, {}};
    add_identity(identity, request.headers);
    (*client)->call(std::move(request), [done = std::move(done)](Result<http::ClientResponse> response, bool) {
      if (!response.ok()) return done(response.error());
      if (response->status != 200) {
        return done(make_error(Reason::kUnavailable, fmt::format("bad status from the server: {}", response->status)));
      }
      done(std::move(response->body));
    });
  }

 private:
  Result<std::shared_ptr<http::AsyncClient>> client_of(const HttpsTarget& target, bool verified) {
    std::string key =
        fmt::format("{}|{}|{}|{}|{}", target.host, target.port, target.server_name, verified, target.ca_pem);
    auto found = clients_.find(key);
    if (found != clients_.end()) return found->second;
    if (clients_.size() >= kClientsMax) clients_.clear();  // streams keep theirs
    http::AsyncClientOptions options;
    options.host = target.host;
    options.port = target.port;
    options.server_name = target.server_name;
    if (verified && target.ca_pem.empty()) {
      STEAD_TRY(tls, http::make_public_client_tls());
      options.tls = std::move(tls);
    } else {
      STEAD_TRY(tls, http::make_client_tls(target.ca_pem, certificate_pem_, key_pem_));
      options.tls = std::move(tls);
    }
    auto made = std::make_shared<http::AsyncClient>(loop_, std::move(options));
    clients_[key] = made;
    return made;
  }

  loop::AsioLoop& loop_;
  const std::string certificate_pem_;
  const std::string key_pem_;
  std::map<std::string, std::shared_ptr<http::AsyncClient>> clients_;
};

}  // namespace

std::unique_ptr<RemoteApi> make_https_remote_api(loop::AsioLoop& loop, std::string certificate_pem,
                                                 std::string key_pem) {
  return std::make_unique<HttpsRemoteApi>(loop, std::move(certificate_pem), std::move(key_pem));
}

}  // namespace stead::apiserver
