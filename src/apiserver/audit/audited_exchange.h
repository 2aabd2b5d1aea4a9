#pragma once

// An exchange that tells the audit log how it was answered. API loop only, as every exchange.

#include <memory>

#include "apiserver/audit/audit_event.h"
#include "apiserver/audit/audit_log.h"
#include "apiserver/audit/audit_policy.h"
#include "base/random.h"
#include "loop/loop.h"

namespace stead::apiserver {

// Where requests are recorded and which; shared by the exchanges that are under way.
struct AuditTarget {
  std::unique_ptr<AuditLog> log;
  AuditPolicy policy;
  Random& random;  // names the events; outlives this
};

class AuditedExchange final : public http::Exchange {
 public:
  // `loop`, which tells the time, outlives this. What is not judged() is not recorded.
  AuditedExchange(http::ExchangePtr inner, std::shared_ptr<const AuditTarget> target, loop::Loop& loop);
  // Records what nobody answered, and streams whose client went away.
  ~AuditedExchange() override;

  // Who asks, for what; called before the answer.
  void judge(const client::Identity& identity, const std::optional<client::Identity>& impersonated,
             const Attributes& attributes);

  // Where to add annotations to what is recorded; null where nothing is. After judge().
  std::shared_ptr<std::map<std::string, std::string>> annotations() const { return request_.annotations; }

  const http::Request& request() const override { return inner_->request(); }
  void respond(http::Response response) override;
  void start(int status, http::Headers headers) override;
  void write(http::Bytes chunk) override { inner_->write(std::move(chunk)); }
  void finish() override;
  size_t queued_bytes() const override { return inner_->queued_bytes(); }
  void on_close(std::function<void()> closed) override { inner_->on_close(std::move(closed)); }
  void on_drain(std::function<void()> drained) override { inner_->on_drain(std::move(drained)); }
  void relay(const http::Upstream& upstream, const std::string& target) override;
  void join(http::Request request, const http::Upstream& upstream, const std::string& target, http::Headers headers,
            Joined joined) override;
  void post(std::function<void()> task) override { inner_->post(std::move(task)); }

 private:
  void record(std::string_view stage, int status);
  void complete(int status);

  const http::ExchangePtr inner_;
  const std::shared_ptr<const AuditTarget> target_;
  loop::Loop& loop_;
  AuditedRequest request_;
  bool recorded_ = false;  // whether the policy wants it
  bool complete_ = false;
  int status_ = 0;  // of a stream
};

}  // namespace stead::apiserver
