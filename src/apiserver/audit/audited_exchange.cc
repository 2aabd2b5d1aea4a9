#include "apiserver/audit/audited_exchange.h"

#include "object/codec.h"

namespace stead::apiserver {
namespace {

constexpr std::string_view kStarted = "ResponseStarted";
constexpr std::string_view kComplete = "ResponseComplete";
constexpr int kPassedOn = 101;
constexpr int kUnanswered = 500;

std::string without_port(const std::string& address) { return address.substr(0, address.rfind(':')); }

}  // namespace

AuditedExchange::AuditedExchange(http::ExchangePtr inner, std::shared_ptr<const AuditTarget> target, loop::Loop& loop)
    : inner_(std::move(inner)), target_(std::move(target)), loop_(loop) {
  const http::Request& http = inner_->request();
  request_.id = target_->random.uuid();
  request_.uri = http.target;
  request_.user_agent = http.header("User-Agent");
  request_.source = without_port(http.remote_address);
  request_.received = loop_.wall_now();
}

AuditedExchange::~AuditedExchange() {
  if (!complete_) complete(status_ == 0 ? kUnanswered : status_);
}

void AuditedExchange::judge(const client::Identity& identity, const std::optional<client::Identity>& impersonated,
                            const Attributes& attributes) {
  request_.identity = identity;
  request_.impersonated = impersonated;
  request_.verb = attributes.verb;
  request_.group = attributes.group;
  request_.version = attributes.version;
  request_.resource = attributes.resource;
  request_.subresource = attributes.subresource;
  request_.ns = attributes.ns;
  request_.name = attributes.name;
  recorded_ = target_->policy.records(identity, attributes);
  if (recorded_) request_.annotations = std::make_shared<std::map<std::string, std::string>>();
}

void AuditedExchange::record(std::string_view stage, int status) {
  if (!recorded_) return;
  target_->log->write(object::to_json(audit_event(request_, stage, status, loop_.wall_now())));
}

void AuditedExchange::complete(int status) {
  complete_ = true;
  record(kComplete, status);
}

void AuditedExchange::respond(http::Response response) {
  response.headers.emplace_back("Audit-Id", request_.id);
  complete(response.status);
  inner_->respond(std::move(response));
}

void AuditedExchange::start(int status, http::Headers headers) {
  headers.emplace_back("Audit-Id", request_.id);
  status_ = status;
  if (target_->policy.records_started()) record(kStarted, status);
  inner_->start(status, std::move(headers));
}

void AuditedExchange::finish() {
  complete(status_);
  inner_->finish();
}

// What another server answers is not seen here.
void AuditedExchange::relay(const http::Upstream& upstream, const std::string& target) {
  complete(kPassedOn);
  inner_->relay(upstream, target);
}

void AuditedExchange::join(http::Request request, const http::Upstream& upstream, const std::string& target,
                           http::Headers headers, Joined joined) {
  complete(kPassedOn);
  inner_->join(std::move(request), upstream, target, std::move(headers), std::move(joined));
}

}  // namespace stead::apiserver
