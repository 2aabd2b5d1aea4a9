#include "app/join.h"

#include <fmt/format.h>

#include <ctime>

#include "client/https_messages.h"
#include "http/message_parser.h"
#include "http/x509.h"
#include "object/base64.h"
#include "object/codec.h"

namespace stead::app {
namespace {

using object::Value;

constexpr char kRequests[] = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
// Certificates hold from five minutes before they are made out.
constexpr std::chrono::minutes kSkewMax{2};

http::Headers headers_with(const std::string& bearer_token, bool body) {
  http::Headers headers = {{"Accept", "application/json"}};
  if (body) headers.emplace_back("Content-Type", "application/json");
  if (!bearer_token.empty()) headers.emplace_back("Authorization", "Bearer " + bearer_token);
  return headers;
}

Value document_of(const CertificateWish& wish, const std::string& request_pem) {
  Value usages = Value::array();
  for (const std::string& usage : wish.usages) usages.append(usage);
  return Value::object({{"apiVersion", "certificates.k8s.io/v1"},
                        {"kind", "CertificateSigningRequest"},
                        {"metadata", Value::object({{"generateName", "node-csr-"}})},
                        {"spec", Value::object({{"request", object::encode_base64(request_pem)},
                                                {"signerName", wish.signer},
                                                {"usages", std::move(usages)}})}});
}

// What has become of the request; nullopt: nothing yet.
std::optional<Result<std::string>> outcome(const Value& request) {
  for (const Value& condition : request.at({"status", "conditions"}).items()) {
    std::string_view type = condition.at("type").as_string();
    if (type != "Denied" && type != "Failed") continue;
    return make_error(Reason::kForbidden,
                      fmt::format("the server refuses the certificate: {}", condition.at("message").as_string()));
  }
  std::string_view certificate = request.at({"status", "certificate"}).as_string();
  if (certificate.empty()) return std::nullopt;
  return object::decode_base64(certificate);
}

// Watches the request until it is decided, or the watch ends.
Result<std::optional<Result<std::string>>> watch_once(const http::ClientOptions& server,
                                                      const std::string& bearer_token, const std::string& name,
                                                      const std::string& revision, std::chrono::seconds limit) {
  std::string path = fmt::format("{}?watch=true&fieldSelector=metadata.name%3D{}&resourceVersion={}&timeoutSeconds={}",
                                 kRequests, name, revision, std::max<int64_t>(1, limit.count()));
  std::string pending;
  std::optional<Result<std::string>> found;
  auto take = [&](std::string_view piece) {
    pending.append(piece);
    for (size_t end = 0; !found && (end = pending.find('\n')) != std::string::npos; pending.erase(0, end + 1)) {
      Result<client::WatchEvent> event = client::watch_event(std::string_view(pending).substr(0, end));
      if (event.ok() && event->object) found = outcome(event->object->document());
    }
    return !found;
  };
  http::ClientOptions patient = server;
  patient.timeout = limit + std::chrono::seconds(5);
  STEAD_TRY(answer, http::fetch(patient, "GET", path, headers_with(bearer_token, false), "", take));
  if (!found && answer.status != 200) return client::error_of(answer.status, answer.headers, pending);
  return found;
}

Error explain(Error error) {
  if (error.reason == Reason::kUnauthorized) {
    error.message =
        "the server does not know the join token, or it has expired: `stead token create` on the server's "
        "machine makes another (" +
        error.message + ")";
  }
  return error;
}

}  // namespace

Result<void> check_clock(const std::string& date, WallTime now) {
  std::tm parts{};
  if (date.empty() || strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts) == nullptr) return {};
  auto there = std::chrono::system_clock::from_time_t(timegm(&parts));
  auto apart = std::chrono::duration_cast<std::chrono::seconds>(now - there);
  if (std::chrono::abs(apart) <= kSkewMax) return {};
  return make_error(Reason::kInvalid,
                    fmt::format("this machine's clock is {} s {} the server's: set both right, then join again",
                                std::chrono::abs(apart).count(), apart.count() > 0 ? "ahead of" : "behind"));
}

Result<std::string> fetch_ca(const ServerAddress& server, const cli::JoinToken& token, const Clock& clock) {
  http::ClientOptions unknown;
  unknown.host = server.host;
  unknown.port = server.port;
  unknown.timeout = std::chrono::seconds(5);
  STEAD_TRY(answer, http::fetch(unknown, "GET", "/.well-known/stead/ca.crt", {}, ""));
  if (answer.status != 200) {
    return make_error(Reason::kUnavailable,
                      fmt::format("{}:{} answered {} when asked for its CA: is it a stead server?", server.host,
                                  server.port, answer.status));
  }
  Result<std::string> print = http::fingerprint(answer.body);
  if (!print.ok() || *print != token.fingerprint) {
    return make_error(Reason::kUnauthorized,
                      fmt::format("{}:{} is not the server that the join token is for: the fingerprint of its CA is {}",
                                  server.host, server.port, print.ok() ? *print : std::string("unreadable")));
  }
  std::string date;
  for (const auto& [name, value] : answer.headers) {
    if (http::equal_ignoring_case(name, "Date")) date = value;
  }
  STEAD_TRY_VOID(check_clock(date, clock.wall_now()));
  return answer.body;
}

CertificateWish client_wish(const std::string& node_name) {
  CertificateWish wish;
  wish.signer = "kubernetes.io/kube-apiserver-client-kubelet";
  wish.subject.common_name = "system:node:" + node_name;
  wish.subject.organizations = {"system:nodes"};
  wish.usages = {"digital signature", "client auth"};
  return wish;
}

CertificateWish serving_wish(const std::string& node_name, const std::string& node_ip) {
  CertificateWish wish = client_wish(node_name);
  wish.signer = "kubernetes.io/kubelet-serving";
  wish.subject.dns_names = {node_name};
  wish.subject.ip_addresses = {node_ip};
  wish.usages = {"digital signature", "server auth"};
  return wish;
}

Result<http::KeyPair> request_certificate(const http::ClientOptions& server, const std::string& bearer_token,
                                          const CertificateWish& wish, std::chrono::seconds limit) {
  auto end = std::chrono::steady_clock::now() + limit;
  STEAD_TRY(key, http::make_request(wish.subject));
  STEAD_TRY(answer, http::fetch(server, "POST", kRequests, headers_with(bearer_token, true),
                                object::to_json(document_of(wish, key.request_pem))));
  if (answer.status != 201) return explain(client::error_of(answer.status, answer.headers, answer.body));
  STEAD_TRY(made, object::parse_json(answer.body));
  std::string name(made.at({"metadata", "name"}).as_string());
  std::string revision(made.at({"metadata", "resourceVersion"}).as_string());
  for (;;) {
    auto left = std::chrono::duration_cast<std::chrono::seconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      return make_error(Reason::kTimeout,
                        fmt::format("nobody has approved the certificate signing request {}: `kubectl certificate "
                                    "approve {}` does",
                                    name, name));
    }
    STEAD_TRY(decided, watch_once(server, bearer_token, name, revision, left));
    if (!decided) continue;
    STEAD_TRY(certificate, std::move(*decided));
    return http::KeyPair{certificate, key.key_pem};
  }
}

}  // namespace stead::app
