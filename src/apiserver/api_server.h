#pragma once

// The API server as the app joins it: one loop, verbs on documents, and two ways in: in-process transports and HTTP.

#include <chrono>
#include <memory>
#include <string>

#include "apiserver/aggregation/api_services.h"
#include "apiserver/authentication/authenticator.h"
#include "apiserver/authentication/service_account_tokens.h"
#include "apiserver/authorization/authorizer.h"
#include "apiserver/custom/catalogue.h"
#include "apiserver/custom/definition_cleanup.h"
#include "apiserver/node_gateway.h"
#include "apiserver/reviews.h"
#include "apiserver/service_account_admission.h"
#include "apiserver/usage/usage_reader.h"
#include "apiserver/verbs.h"
#include "apiserver/watch_session.h"
#include "apiserver/webhooks/webhook_admission.h"
#include "client/transport.h"

namespace stead::apiserver {

struct ApiServerOptions {
  std::string service_cidr = "10.43.0.0/16";
  // How long pods that do not say otherwise stay on a node that is lost.
  std::chrono::seconds pod_eviction_timeout{300};
  // The way to webhooks, of admission and of conversion; null: none can be reached. Outlives the server.
  WebhookCaller* webhooks = nullptr;
  AggregationOptions aggregation = {};
  // Signs service accounts' tokens; null: a key that lives as long as the server.
  std::shared_ptr<const http::SigningKey> signing_key;
  std::string issuer = "https://kubernetes.default.svc.cluster.local";  // of those tokens, and their audience
  std::string root_ca_pem;                                              // for secrets that hold such tokens
};

class ApiServer {
 public:
  // All references outlive the server. kBadRequest on nonsense in the options.
  static Result<std::unique_ptr<ApiServer>> make(store::Store& store, cache::Cache& cache, loop::Loop& loop,
                                                 Random& random, ApiServerOptions options);
  ~ApiServer();

  // A way in for one caller in this process: calls and events are delivered on `caller_loop`. Must not outlive the
  // server. Any thread.
  std::unique_ptr<client::ApiTransport> transport(client::Identity identity, loop::Loop& caller_loop);

  // One verb: authorize, then act. API loop. `strict`: what the parser of the body found; `annotations`: of its line in
  // the audit log, null without one.
  void call(client::Identity identity, client::Request request, object::StrictErrors strict, Callback done,
            std::shared_ptr<std::map<std::string, std::string>> annotations = nullptr);
  Result<std::shared_ptr<WatchSession>> watch(const client::Identity& identity, const client::Request& request,
                                              std::shared_ptr<client::WatchSink> sink);

  // Whether webhooks let a connection to a pod, service or node be made; `options` (PodExecOptions …) say what for. The
  // request has been authorized. May answer before it returns.
  void admit_connection(client::Identity identity, client::Request request, object::Value options,
                        std::function<void(Result<void>)> done);

  loop::Loop& loop() { return loop_; }
  cache::Cache& cache() { return cache_; }
  const Verbs& verbs() const { return verbs_; }
  // API loop.
  Authenticator& authenticator() { return authenticator_; }
  const Authorizer& authorizer() const { return authorizer_; }
  const Catalogue& catalogue() const { return catalogue_; }
  const ApiServices& api_services() const { return api_services_; }
  const ServiceAccountTokens& service_account_tokens() const { return tokens_; }
  // Where metrics.k8s.io measures; before the loop runs.
  void set_usage_source(std::unique_ptr<UsageSource> source) { usage_.set_source(std::move(source)); }

 private:
  ApiServer(store::Store& store, cache::Cache& cache, loop::Loop& loop, Random& random, ServiceAllocator services,
            ApiServerOptions options);
  void dispatch(Call call, object::StrictErrors strict, Callback done);
  void dispatch_subresource(Call call, object::StrictErrors strict, Callback done);
  // Binding and Eviction: shown to webhooks, then done.
  void create_subresource(Call call, Callback done);
  void create_binding(Call call, Callback done);
  Result<Response> answer_review(Call call, object::StrictErrors strict) const;

  cache::Cache& cache_;
  loop::Loop& loop_;
  ServiceAllocator services_;
  Authenticator authenticator_;
  Authorizer authorizer_;
  Catalogue catalogue_;
  ServiceAccountTokens tokens_;
  ServiceAccountAdmission accounts_;
  Reviews reviews_;
  Admission admission_;
  Converter converter_;
  PolicyAdmission policies_;
  WebhookAdmission webhooks_;
  Verbs verbs_;
  DefinitionCleanup cleanup_;
  ApiServices api_services_;
  UsageReader usage_;
};

}  // namespace stead::apiserver
