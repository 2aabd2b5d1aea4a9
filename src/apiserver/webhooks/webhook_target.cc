#include "apiserver/webhooks/webhook_target.h"

#include <fmt/format.h>

#include "apiserver/service_endpoint.h"
#include "kinds/admissionregistration/webhook_client.h"
#include "object/base64.h"

namespace stead::apiserver {

using object::Value;

WebhookTarget WebhookTarget::make(const Value& client_config) {
  WebhookTarget made;
  Result<std::string> bundle = object::decode_base64(client_config.at("caBundle").as_string());
  if (bundle.ok()) made.ca_pem = std::move(*bundle);
  if (const Value* service = client_config.find("service")) {
    made.service_namespace = service->at("namespace").as_string();
    made.service_name = service->at("name").as_string();
    made.port = static_cast<uint16_t>(service->at("port").as_int(443));
    made.host = fmt::format("{}.{}.svc", made.service_name, made.service_namespace);
    if (!service->at("path").as_string().empty()) made.path = service->at("path").as_string();
    return made;
  }
  Result<kinds::WebhookUrl> url = kinds::parse_webhook_url(client_config.at("url").as_string());
  if (url.ok()) {
    made.host = url->host;
    made.port = url->port;
    made.path = url->path;
  }
  return made;
}

std::string WebhookTarget::url() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return fmt::format("https://{}{}{}:{}{}", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port, path);
}

Result<HttpsTarget> find_webhook(const cache::Cache& cache, const WebhookTarget& target, std::string_view query) {
  HttpsTarget where{target.host, target.port, target.host, target.path + std::string(query), target.ca_pem};
  if (target.service_name.empty()) return where;
  STEAD_TRY(endpoint, find_service_endpoint(cache, target.service_namespace, target.service_name, target.port));
  where.host = endpoint.host;
  where.port = endpoint.port;
  return where;
}

}  // namespace stead::apiserver
