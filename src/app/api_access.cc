#include "app/api_access.h"

namespace stead::app {

class RemoteApiAccess::Shared final : public client::ApiTransport {
 public:
  explicit Shared(std::shared_ptr<client::HttpsTransport> transport) : transport_(std::move(transport)) {}
  void call(client::Request request, client::Callback done) override {
    transport_->call(std::move(request), std::move(done));
  }
  std::unique_ptr<client::Watch> watch(client::Request request, std::shared_ptr<client::WatchSink> sink) override {
    return transport_->watch(std::move(request), std::move(sink));
  }

 private:
  std::shared_ptr<client::HttpsTransport> transport_;
};

std::unique_ptr<client::ApiTransport> RemoteApiAccess::transport(const client::Identity&, loop::AsioLoop& loop) {
  std::lock_guard lock(mutex_);
  auto made = std::make_shared<client::HttpsTransport>(loop, options_);
  std::erase_if(given_, [](const auto& one) { return one.expired(); });
  given_.push_back(made);
  return std::make_unique<Shared>(std::move(made));
}

void RemoteApiAccess::use_tls(const http::TlsContext& tls) {
  std::lock_guard lock(mutex_);
  options_.tls = tls;
  for (const auto& one : given_) {
    if (auto transport = one.lock()) transport->use_tls(tls);
  }
}

}  // namespace stead::app
