#include "apiserver/front_end/front_end.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "apiserver/front_end/discovery.h"
#include "apiserver/front_end/health.h"
#include "apiserver/front_end/impersonation.h"
#include "apiserver/front_end/metrics_page.h"
#include "apiserver/front_end/pod_streams.h"
#include "apiserver/front_end/proxy.h"
#include "apiserver/front_end/request_metrics.h"
#include "apiserver/front_end/request_reader.h"
#include "apiserver/front_end/responder.h"
#include "apiserver/front_end/status_document.h"
#include "apiserver/front_end/watch_stream.h"
#include "apiserver/front_end/write_gate.h"
#include "http/compressed_answer.h"
#include "kinds/openapi.h"
#include "kinds/review.h"
#include "object/codec.h"

namespace stead::apiserver {
namespace {

using object::Value;

// Names this state of the declarations too: clients cache OpenAPI documents by it.
constexpr std::string_view kServerVersion = "v1.35.0+stead";

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

Error no_such_path() { return make_error(Reason::kNotFound, "the server could not find the requested resource"); }

class FrontEnd : public std::enable_shared_from_this<FrontEnd> {
 public:
  FrontEnd(ApiServer& server, NodeGateway& nodes, FrontEndOptions options)
      : server_(server),
        loop_(server.loop()),
        nodes_(nodes),
        options_(std::move(options)),
        metrics_(std::make_shared<RequestMetrics>(server.catalogue(), loop_)) {}

  void handle(const http::ExchangePtr& exchange) {
    Route route = parse_route(exchange->request().path);
    http::ExchangePtr measured = metrics_->measure(exchange, route);
    if (!options_.audit) return serve(measured, route, nullptr);
    auto audited = std::make_shared<AuditedExchange>(measured, options_.audit, loop_);
    serve(audited, route, audited.get());
  }

 private:
  static void judge(AuditedExchange* audited, const Route& route, const http::Request& http,
                    const client::Identity& identity, const std::optional<client::Identity>& acting = {}) {
    if (audited == nullptr) return;
    if (route.kind == Route::Kind::kResource) {
      client::Request request = request_of(route, http);
      return audited->judge(identity, acting, attributes_of(request));
    }
    std::string verb = lower(http.method);
    audited->judge(identity, acting, Attributes{verb, {}, {}, {}, {}, {}, {}, http.path});
  }

  // `audited` is the exchange, where requests are recorded.
  void serve(const http::ExchangePtr& exchange, const Route& route, AuditedExchange* audited) {
    const http::Request& http = exchange->request();
    Result<std::optional<client::Identity>> found = server_.authenticator().authenticate(http, loop_.wall_now());
    if (!found.ok()) {
      judge(audited, route, http, {});
      return refuse(exchange, found.error());
    }
    if (serve_health(exchange)) return;
    if (!*found) {
      judge(audited, route, http, {"system:anonymous", "", {"system:unauthenticated"}});
      // Who carries no credentials learns the version, and whether the server is well.
      bool open = http.path == "/version" || http.path == "/version/";
      if (open) return serve_document(route, exchange);
      return refuse(exchange, make_error(Reason::kUnauthorized, "Unauthorized"));
    }
    Result<client::Identity> acting = impersonated(server_.authorizer(), **found, http);
    bool other = acting.ok() && !http.header("Impersonate-User").empty();
    judge(audited, route, http, **found, other ? std::optional(*acting) : std::nullopt);
    if (!acting.ok()) return refuse(exchange, acting.error());
    client::Identity identity = std::move(*acting);
    if (route.kind == Route::Kind::kResource) {
      if (is_pod_stream(route)) return serve_pod_stream(server_, nodes_, identity, route, exchange);
      if (is_proxy(route)) return serve_proxy(server_, nodes_, identity, route, exchange);
      if (is_remote(route)) return serve_remote(identity, route, exchange);
      return serve_resource(std::move(identity), route, exchange, audited ? audited->annotations() : nullptr);
    }
    std::string verb = lower(http.method);
    Result<void> allowed =
        server_.authorizer().authorize(identity, Attributes{verb, {}, {}, {}, {}, {}, {}, http.path});
    if (!allowed.ok()) return refuse(exchange, allowed.error());
    if (is_remote(route)) return server_.api_services().forward(route.group, route.version, identity, exchange);
    serve_document(route, exchange);
  }

  static void refuse(const http::ExchangePtr& exchange, const Error& error) {
    exchange->respond(error_response(error));
  }

  bool serve_health(const http::ExchangePtr& exchange) {
    const std::string& path = exchange->request().path;
    bool started = !options_.ready || options_.ready();
    if (std::optional<http::Response> health = health_response(exchange->request(), {started})) {
      exchange->respond(std::move(*health));
      return true;
    }
    if (path == "/.well-known/stead/ca.crt" && !options_.ca_pem.empty()) {
      exchange->respond(http::Response::text(200, options_.ca_pem, "application/x-pem-file"));
      return true;
    }
    return false;
  }

  // With the document's digest as its ETag (RFC 9110 section 13.1.2): a client that has it gets 304.
  static void respond_if_changed(const http::ExchangePtr& exchange, object::Bytes bytes, std::string_view type) {
    std::string tag = fmt::format("\"{:016X}\"", std::hash<std::string_view>()(*bytes));
    http::Response response;
    response.headers = {
        {"Content-Type", std::string(type)}, {"Etag", tag}, {"Vary", "Accept"}, {"Cache-Control", "no-cache, private"}};
    if (exchange->request().header("If-None-Match") == tag) {
      response.status = 304;
    } else {
      response.body.push_back(std::move(bytes));
    }
    http::respond_compressed(exchange, std::move(response));
  }

  void serve_document(const Route& route, const http::ExchangePtr& exchange) {
    const http::Request& http = exchange->request();
    if (http.method != "GET" && http.method != "HEAD") {
      return refuse(exchange, make_error(Reason::kMethodNotAllowed, "only GET is allowed here"));
    }
    std::string_view aggregated = wants_aggregated_discovery(http.header("Accept"));
    bool at_root = route.kind == Route::Kind::kCoreVersions || route.kind == Route::Kind::kGroups;
    if (at_root && !aggregated.empty()) {
      bool core = route.kind == Route::Kind::kCoreVersions;
      std::string type =
          fmt::format("application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList", aggregated);
      Value all =
          aggregated_document(server_.catalogue().resources(), server_.api_services().remote(), core, aggregated);
      return respond_if_changed(exchange, std::make_shared<const std::string>(object::to_json(all)), type);
    }
    std::optional<Value> document;
    switch (route.kind) {
      case Route::Kind::kCoreVersions:
        document = core_versions_document(options_.server_address);
        break;
      case Route::Kind::kGroups:
        document = groups_document(server_.catalogue().resources(), server_.api_services().remote());
        break;
      case Route::Kind::kGroup:
        document = group_document(server_.catalogue().resources(), server_.api_services().remote(), route.group);
        break;
      case Route::Kind::kResourceList:
        document = resource_list_document(server_.catalogue().resources(), route.group, route.version);
        break;
      default:
        if (http.path == "/version" || http.path == "/version/") document = version_document();
        if (http.path == "/") {
          document = paths_document(server_.catalogue().resources(), server_.api_services().remote());
        }
        if (http.path == "/metrics") {
          http::Response page = http::Response::text(200, metrics_page(server_), std::string(kMetricsType));
          return http::respond_compressed(exchange, std::move(page));
        }
        if (http.path == "/openid/v1/jwks") return serve_keys(exchange);
        if (http.path == "/.well-known/openid-configuration") {
          document =
              server_.service_account_tokens().configuration("https://" + options_.server_address + "/openid/v1/jwks");
        }
        if (http.path == "/openapi/v2") return serve_openapi_v2(exchange);
        if (http.path == "/openapi/v3" || http.path.starts_with("/openapi/v3/")) return serve_openapi_v3(exchange);
    }
    if (!document) return refuse(exchange, no_such_path());
    exchange->respond(document_response(200, *document, {}));
  }

  void serve_keys(const http::ExchangePtr& exchange) {
    std::string keys = object::to_json(server_.service_account_tokens().key_set());
    exchange->respond(http::Response::text(200, std::move(keys), "application/jwk-set+json"));
  }

  // Made at the first request, of which kubectl makes one per command: kept.
  void serve_openapi_v2(const http::ExchangePtr& exchange) {
    forget_old_openapi();
    std::string_view accept = exchange->request().header("Accept");
    bool protobuf = accept.find("openapi.spec.v2@v1.0+protobuf") != std::string_view::npos;
    object::Bytes& kept = protobuf ? openapi_v2_protobuf_ : openapi_v2_json_;
    if (!kept) {
      std::vector<const kinds::Resource*> resources = server_.catalogue().resources();
      Value document = kinds::openapi_v2(resources, openapi_state_);
      kept = std::make_shared<const std::string>(protobuf ? kinds::encode_openapi_v2(document)
                                                          : object::to_json(document));
    }
    respond_if_changed(exchange, kept,
                       protobuf ? "application/com.github.proto-openapi.spec.v2.v1.0+protobuf" : "application/json");
  }

  void serve_openapi_v3(const http::ExchangePtr& exchange) {
    std::string path = exchange->request().path.substr(std::string_view("/openapi/v3").size());
    while (path.starts_with("/")) path.erase(0, 1);
    forget_old_openapi();
    object::Bytes& kept = openapi_v3_[path];
    if (!kept) {
      Value document = openapi_v3_document(path);
      if (document.is_null()) {
        openapi_v3_.erase(path);
        return refuse(exchange, no_such_path());
      }
      kept = std::make_shared<const std::string>(object::to_json(document));
    }
    respond_if_changed(exchange, kept, "application/json");
  }

  // "" is the index; "api/v1" and "apis/GROUP/VERSION" one group version; null if there is no such thing.
  Value openapi_v3_document(const std::string& path) const {
    std::vector<const kinds::Resource*> resources = server_.catalogue().resources();
    if (path.empty()) return kinds::openapi_v3_index(resources, openapi_state_);
    Route route = parse_route(path);
    if (route.kind != Route::Kind::kResourceList) return {};
    return kinds::openapi_v3(resources, route.group, route.version, openapi_state_);
  }

  void forget_old_openapi() {
    std::string now = std::string(kServerVersion) + server_.catalogue().state();
    if (now == openapi_state_) return;
    openapi_state_ = std::move(now);
    openapi_v2_json_.reset();
    openapi_v2_protobuf_.reset();
    openapi_v3_.clear();
  }

  using Annotations = std::shared_ptr<std::map<std::string, std::string>>;
  void serve_resource(client::Identity identity, const Route& route, const http::ExchangePtr& exchange,
                      Annotations annotations) {
    const http::Request& http = exchange->request();
    bool watches = http.method == "GET" && http.has_flag("watch");
    Result<AcceptedForm> form = negotiate(http.header("Accept"), watches ? AnswerKind::kWatch : AnswerKind::kDocument);
    if (!form.ok()) return refuse(exchange, form.error());
    Catalogue::Served served = server_.catalogue().find(route.group, route.resource);
    const kinds::Resource* resource = served.resource;
    const kinds::Version* version = resource == nullptr ? nullptr : resource->version(route.group, route.version);
    if (version == nullptr) {
      // What is not served is as secret as what is.
      Result<void> allowed = server_.authorizer().authorize(identity, request_of(route, http));
      return refuse(exchange, allowed.ok() ? no_such_path() : allowed.error());
    }
    if (form->shape != AcceptedForm::Shape::kObject && kinds::is_review(*resource)) {
      // What is never kept has no rows and no metadata to show.
      return refuse(exchange, make_error(Reason::kNotAcceptable,
                                         "only the following media types are accepted: application/json, "
                                         "application/yaml, application/vnd.kubernetes.protobuf"));
    }
    if (served.custom && form->body == BodyForm::kProtobuf && form->shape == AcceptedForm::Shape::kObject) {
      // Nobody numbered the fields of kinds that users declare.
      std::string_view accept = http.header("Accept");
      if (accept.find("json") == std::string_view::npos && accept.find("*/*") == std::string_view::npos) {
        return refuse(exchange, make_error(Reason::kNotAcceptable,
                                           "only the following media types are accepted: application/json, "
                                           "application/yaml"));
      }
      form->body = BodyForm::kJson;
    }
    Result<ReadRequest> read = read_request(route, http);
    if (!read.ok()) return refuse(exchange, read.error());
    TableOptions table;
    table.now = server_.loop().wall_now();
    std::string_view include = http.query_value("includeObject");
    if (form->shape == AcceptedForm::Shape::kTable && !include.empty() && include != "None" && include != "Metadata" &&
        include != "Object") {
      return refuse(exchange, make_error(Reason::kBadRequest,
                                         fmt::format("Unable to convert to Table as requested: includeObject: Invalid "
                                                     "value: \"{}\": must be 'None', 'Metadata', 'Object', or empty",
                                                     include)));
    }
    if (include == "None") table.include_object = IncludeObject::kNone;
    if (include == "Object") table.include_object = IncludeObject::kObject;
    client::Request request = std::move(read->request);
    if (resource->namespaced && request.ns.empty() && request.verb != client::Verb::kList &&
        request.verb != client::Verb::kWatch) {
      if (!request.name.empty()) return refuse(exchange, no_such_path());
      return refuse(exchange, make_error(Reason::kMethodNotAllowed,
                                         "the server does not allow this method on the requested resource"));
    }
    if (request.verb == client::Verb::kWatch) {
      return serve_watch(server_, identity, std::move(request), *form, table.include_object, exchange);
    }
    client::Verb verb = request.verb;
    std::string name = request.name;
    std::string subresource = request.subresource;
    auto done = [=, form = *form, kept = served.custom](const Result<client::Response>& response) {
      if (!response.ok()) return refuse(exchange, response.error());
      http::respond_compressed(exchange, answer(*resource, *version, form, table, verb, subresource, *response));
    };
    if (verb == client::Verb::kGet || verb == client::Verb::kList) {
      return server_.call(std::move(identity), std::move(request), std::move(read->strict), std::move(done));
    }
    call_in_turn(exchange, {std::move(identity), std::move(request), std::move(read->strict), std::move(done),
                            std::move(annotations)});
  }

  struct Write {
    client::Identity identity;
    client::Request request;
    object::StrictErrors strict;
    std::function<void(const Result<client::Response>&)> done;
    Annotations annotations;
  };

  // Administrators wait for nobody: they are who puts things right.
  void call_in_turn(const http::ExchangePtr& exchange, Write write) {
    const auto& groups = write.identity.groups;
    if (std::find(groups.begin(), groups.end(), "system:masters") != groups.end()) {
      return server_.call(std::move(write.identity), std::move(write.request), std::move(write.strict),
                          std::move(write.done), std::move(write.annotations));
    }
    std::string user = write.identity.user;
    auto waiting = std::make_shared<Write>(std::move(write));
    bool taken = gate_.enter(user, [self = shared_from_this(), waiting] {
      self->server_.call(
          std::move(waiting->identity), std::move(waiting->request), std::move(waiting->strict),
          [self, waiting](const Result<client::Response>& response) {
            waiting->done(response);
            self->gate_.leave();
          },
          waiting->annotations);
    });
    if (taken) return;
    Error error = make_error(Reason::kTooManyRequests, "too many requests, please try again later");
    error.retry_after_seconds = 1;
    refuse(exchange, error);
  }

  // What is served here is never asked of another server.
  bool is_remote(const Route& route) const {
    if (route.group.empty() || route.version.empty()) return false;
    if (!server_.api_services().is_remote(route.group, route.version)) return false;
    return !resource_list_document(server_.catalogue().resources(), route.group, route.version);
  }

  void serve_remote(const client::Identity& identity, const Route& route, const http::ExchangePtr& exchange) {
    Result<void> allowed = server_.authorizer().authorize(identity, request_of(route, exchange->request()));
    if (!allowed.ok()) return refuse(exchange, allowed.error());
    server_.api_services().forward(route.group, route.version, identity, exchange);
  }

  static http::Response answer(const kinds::Resource& resource, const kinds::Version& version, const AcceptedForm& form,
                               const TableOptions& table, client::Verb verb, const std::string& subresource,
                               const client::Response& response) {
    http::Response http;
    bool gone = verb == client::Verb::kDelete && response.deleted && resource.name != "pods";
    if (verb == client::Verb::kList || verb == client::Verb::kDeleteCollection) {
      http = list_response(resource, version, form, table, response);
    } else if (gone) {
      Value status = success_document(std::string(resource.group), std::string(resource.name),
                                      std::string(response.object->name()), std::string(response.object->uid()));
      http = document_response(200, status, {AcceptedForm::Shape::kObject, form.body});
    } else if (subresource == "token") {
      http = document_response(201, response.object->document(), {AcceptedForm::Shape::kObject, form.body});
    } else if (subresource == "scale") {
      bool as_table = form.shape == AcceptedForm::Shape::kTable;
      Value scale = as_table ? make_scale_table(*response.object, table) : response.object->document();
      http = document_response(200, scale, {AcceptedForm::Shape::kObject, form.body});
    } else if (subresource == "binding" || subresource == "eviction" || kinds::is_binding(resource)) {
      Value status = Value::object({{"kind", "Status"},
                                    {"apiVersion", "v1"},
                                    {"metadata", Value::object()},
                                    {"status", "Success"},
                                    {"code", 201}});
      http = document_response(201, status, {AcceptedForm::Shape::kObject, form.body});
    } else {
      http = object_response(resource, version, form, table, response);
    }
    add_warnings(http, response.warnings);
    return http;
  }

  ApiServer& server_;
  loop::Loop& loop_;
  NodeGateway& nodes_;
  const FrontEndOptions options_;
  const std::shared_ptr<RequestMetrics> metrics_;
  WriteGate gate_{WriteGate::Limits()};
  object::Bytes openapi_v2_json_;
  object::Bytes openapi_v2_protobuf_;
  std::map<std::string, object::Bytes> openapi_v3_;
  std::string openapi_state_;  // of the three above
};

}  // namespace

http::Handler make_front_end(ApiServer& server, NodeGateway& nodes, FrontEndOptions options) {
  auto front_end = std::make_shared<FrontEnd>(server, nodes, std::move(options));
  return [front_end](const http::ExchangePtr& exchange) { front_end->handle(exchange); };
}

}  // namespace stead::apiserver
