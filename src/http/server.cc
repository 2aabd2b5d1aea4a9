#include "http/server.h"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <vector>

#include "base/log.h"
#include "http/server_session.h"
#include "http/server_state.h"
#include "http/session.h"

namespace stead::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// No event tells that a descriptor has become free again; how long accepting pauses when there is none.
constexpr std::chrono::milliseconds kAcceptPause{100};

class Listener : public std::enable_shared_from_this<Listener> {
 public:
  explicit Listener(std::shared_ptr<ServerState> server)
      : server_(std::move(server)), acceptor_(server_->loop.context()) {}

  Result<void> open(const std::string& address_text, uint16_t port) {
    boost::system::error_code code;
    auto address = asio::ip::make_address(address_text, code);
    if (code) return make_error(Reason::kBadRequest, "listen: \"" + address_text + "\" is not an IP address");
    tcp::endpoint endpoint(address, port);
    acceptor_.open(endpoint.protocol(), code);
    if (!code) acceptor_.set_option(tcp::acceptor::reuse_address(true), code);
    if (!code && address.is_v6()) acceptor_.set_option(asio::ip::v6_only(true), code);
    if (!code) acceptor_.bind(endpoint, code);
    if (!code) acceptor_.listen(1024, code);
    if (code) {
      return make_error(Reason::kUnavailable,
                        "listen on " + address_text + ":" + std::to_string(port) + ": " + code.message());
    }
    return {};
  }

  uint16_t port() const {
    boost::system::error_code code;
    return acceptor_.local_endpoint(code).port();
  }

  void accept() {
    acceptor_.async_accept([self = shared_from_this()](const boost::system::error_code& code, tcp::socket socket) {
      if (!self->acceptor_.is_open()) return;
      if (code) {
        log::warning("http", "accept: {}", code.message());
        self->server_->loop.call_after(kAcceptPause, [self] {
          if (self->acceptor_.is_open()) self->accept();
        });
        return;
      }
      self->take(std::move(socket));
      self->accept();
    });
  }

  void close() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
  }

 private:
  // A connection beyond the limit is closed at once: waiting in the backlog would tell the client nothing.
  void take(tcp::socket socket) {
    if (server_->connections() >= server_->options.connections_max) return;
    auto session = std::make_shared<Session>(server_, std::make_shared<Connection>(std::move(socket)));
    server_->sessions.insert(session);
    session->begin();
  }

  const std::shared_ptr<ServerState> server_;
  tcp::acceptor acceptor_;
};

class AsioServer final : public Server {
 public:
  AsioServer(loop::AsioLoop& loop, ServerOptions options, Handler handler)
      : state_(std::make_shared<ServerState>(loop, std::move(options), std::move(handler))) {}

  ~AsioServer() override {
    stop_accepting();
    state_->shutting_down = true;
    for (auto& session : sessions()) session->close(false);
    for (auto& connection : upgraded()) connection->close();
  }

  Result<void> begin() {
    const TlsFiles& files = state_->options.tls;
    if (!files.certificate_pem.empty()) STEAD_TRY_VOID(use_tls(files));
    return listen(state_->options.address, state_->options.port);
  }

  uint16_t port() const override { return listeners_.front()->port(); }

  Result<void> listen(const std::string& address, uint16_t port) override {
    auto listener = std::make_shared<Listener>(state_);
    STEAD_TRY_VOID(listener->open(address, port));
    listeners_.push_back(listener);
    // Not from here: make_server() may be called before the loop runs, on another thread.
    state_->loop.post([listener] { listener->accept(); });
    return {};
  }

  Result<void> use_tls(const TlsFiles& files) override {
    STEAD_TRY(tls, make_server_tls(files.certificate_pem, files.key_pem, files.client_ca_pem, state_->options.http2));
    state_->tls = std::move(tls);
    return {};
  }

  void shut_down(std::function<void()> ended) override {
    stop_accepting();
    state_->shutting_down = true;
    state_->ended = std::move(ended);
    for (auto& session : sessions()) session->shut_down();
    for (auto& connection : upgraded()) connection->close();
    state_->tell_if_ended();
  }

 private:
  // Copies: ending one takes it out of its set.
  std::vector<std::shared_ptr<ServerSession>> sessions() const {
    return {state_->sessions.begin(), state_->sessions.end()};
  }
  std::vector<std::shared_ptr<Upgraded>> upgraded() const { return {state_->upgraded.begin(), state_->upgraded.end()}; }

  void stop_accepting() {
    for (auto& listener : listeners_) listener->close();
  }

  const std::shared_ptr<ServerState> state_;
  std::vector<std::shared_ptr<Listener>> listeners_;
};

}  // namespace

Result<std::unique_ptr<Server>> make_server(loop::AsioLoop& loop, ServerOptions options, Handler handler) {
  auto server = std::make_unique<AsioServer>(loop, std::move(options), std::move(handler));
  STEAD_TRY_VOID(server->begin());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace stead::http
