#include "controllers/certificates/certificate_controller.h"

#include "controllers/certificates/certificate_policy.h"
#include "controllers/requests.h"
#include "object/base64.h"
#include "object/time.h"

namespace stead::controllers {
namespace {

using certificates::Verdict;
using object::Value;

const ResourceRef kRequests{"certificates.k8s.io", "certificatesigningrequests"};
constexpr size_t kWorkers = 4;

Request with_condition(const object::Object& request, const char* type, const std::string& reason,
                       const std::string& message, WallTime now, std::string subresource) {
  Value document = request.document();
  std::string time = object::format_time(now);
  document["status"]["conditions"].append(Value::object({{"type", type},
                                                         {"status", "True"},
                                                         {"reason", reason},
                                                         {"message", message},
                                                         {"lastUpdateTime", time},
                                                         {"lastTransitionTime", time}}));
  return update_request(kRequests, std::move(document), std::move(subresource));
}

}  // namespace

CertificateController::CertificateController(client::ApiTransport& transport, loop::Loop& loop,
                                             client::InformerSet& informers, CertificateOptions options)
    : transport_(transport),
      loop_(loop),
      informers_(informers),
      options_(std::move(options)),
      requests_(informers.get(kRequests)),
      nodes_(informers.get(kNodes)),
      queue_(loop, "certificates", kWorkers, [this](auto& name, auto finish) { work(name, std::move(finish)); }) {
  requests_.on_change([this](const ObjectPtr&, const ObjectPtr& after) {
    if (after) queue_.add(std::string(after->name()));
  });
  // A serving certificate waits for its node's addresses.
  nodes_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    if (!after || (before && before->status().at("addresses") == after->status().at("addresses"))) return;
    for (const ObjectPtr& request : requests_.list()) queue_.add(std::string(request->name()));
  });
}

void CertificateController::start() {
  if (options_.ca.key_pem.empty()) return;
  informers_.when_synced([this] { queue_.start(); });
}

void CertificateController::work(const std::string& name, client::WorkQueue::Finish finish) {
  ObjectPtr request = requests_.get(name);
  if (!request) return finish(client::Outcome::done());
  WallTime now = loop_.wall_now();
  WallTime end = certificates::forget_at(*request);
  if (end <= now) return write(delete_request(kRequests, *request), std::move(finish));
  Result<certificates::Reading> reading = certificates::read(*request);
  client::Outcome later = client::Outcome::again_after(end - now);
  if (!reading.ok() || reading->denied || reading->failed || reading->issued) return finish(later);
  if (reading->approved) {
    return certificates::is_ours(reading->signer) ? sign(*request, std::move(finish)) : finish(later);
  }
  Verdict verdict = certificates::approve(*reading, reading->node.empty() ? nullptr : nodes_.get(reading->node));
  if (verdict.kind != Verdict::Kind::kApprove && verdict.kind != Verdict::Kind::kDeny) return finish(later);
  const char* type = verdict.kind == Verdict::Kind::kApprove ? "Approved" : "Denied";
  write(with_condition(*request, type, verdict.reason, verdict.message, now, "approval"), std::move(finish));
}

void CertificateController::sign(const object::Object& request, client::WorkQueue::Finish finish) {
  Result<certificates::Reading> reading = certificates::read(request);
  WallTime now = loop_.wall_now();
  std::string problem = certificates::violation(*reading);
  if (!problem.empty()) {
    return write(with_condition(request, "Failed", "SignerValidationFailure", problem, now, "status"),
                 std::move(finish));
  }
  Result<std::string> pem = object::decode_base64(request.spec().at("request").as_string());
  Result<std::string> certificate =
      http::sign_request(options_.ca, *pem, certificates::terms(*reading, options_.longest), now);
  if (!certificate.ok()) return finish(client::Outcome::failed(certificate.error()));
  Value document = request.document();
  document.set({"status", "certificate"}, object::encode_base64(*certificate));
  write(update_request(kRequests, std::move(document), "status"), std::move(finish));
}

void CertificateController::write(client::Request request, client::WorkQueue::Finish finish) {
  transport_.call(std::move(request), [finish](const Result<client::Response>& response) {
    // A conflict: somebody decided meanwhile, which the watch brings.
    bool settled =
        response.ok() || response.error().reason == Reason::kNotFound || response.error().reason == Reason::kConflict;
    finish(settled ? client::Outcome::done() : client::Outcome::failed(response.error()));
  });
}

}  // namespace stead::controllers
