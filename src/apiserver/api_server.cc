#include "apiserver/api_server.h"

#include "apiserver/authentication/bootstrap_token.h"
#include "apiserver/certificate_requests.h"
#include "apiserver/component_statuses.h"
#include "apiserver/document.h"
#include "apiserver/eviction.h"
#include "apiserver/subresources.h"
#include "kinds/measured.h"
#include "kinds/review.h"

namespace stead::apiserver {
namespace {

using client::Verb;

Error not_allowed() {
  return make_error(Reason::kMethodNotAllowed, "the server does not allow this method on the requested resource");
}

// A watch of another loop: events hop over, and stop hopping once the Watch is gone.
class HoppingWatch final : public client::Watch {
 public:
  struct Sink final : client::WatchSink {
    Sink(loop::Loop& the_loop, std::shared_ptr<client::WatchSink> the_target)
        : loop(the_loop), target(std::move(the_target)) {}
    void on_events(std::vector<client::WatchEvent> events) override {
      loop.post([target = target, open = open, events = std::move(events)]() mutable {
        if (*open) target->on_events(std::move(events));
      });
    }
    void on_end(Error error) override {
      loop.post([target = target, open = open, error = std::move(error)]() mutable {
        if (*open) target->on_end(std::move(error));
      });
    }
    loop::Loop& loop;
    std::shared_ptr<client::WatchSink> target;
    // Belongs to the caller's loop.
    std::shared_ptr<bool> open = std::make_shared<bool>(true);
  };

  HoppingWatch(ApiServer& server, const client::Identity& identity, client::Request request, loop::Loop& caller_loop,
               std::shared_ptr<client::WatchSink> target)
      : server_(server), sink_(std::make_shared<Sink>(caller_loop, std::move(target))) {
    server_.loop().post([&server, identity, request = std::move(request), sink = sink_, session = session_] {
      Result<std::shared_ptr<WatchSession>> started = server.watch(identity, request, sink);
      if (started.ok()) {
        *session = *started;
      } else {
        sink->on_end(started.error());
      }
    });
  }

  ~HoppingWatch() override {
    *sink_->open = false;
    server_.loop().post([session = session_] {
      if (*session) (*session)->stop();
      session->reset();
    });
  }

 private:
  ApiServer& server_;
  std::shared_ptr<Sink> sink_;
  // Belongs to the API's loop.
  std::shared_ptr<std::shared_ptr<WatchSession>> session_ = std::make_shared<std::shared_ptr<WatchSession>>();
};

class InProcessTransport final : public client::ApiTransport {
 public:
  InProcessTransport(ApiServer& server, client::Identity identity, loop::Loop& caller_loop)
      : server_(server), identity_(std::move(identity)), caller_loop_(caller_loop) {}

  void call(client::Request request, Callback done) override {
    server_.loop().post([this, request = std::move(request), done = std::move(done)]() mutable {
      server_.call(identity_, std::move(request), {}, [this, done](Result<Response> response) {
        caller_loop_.post([done, response = std::move(response)]() mutable { done(std::move(response)); });
      });
    });
  }

  std::unique_ptr<client::Watch> watch(client::Request request, std::shared_ptr<client::WatchSink> sink) override {
    return std::make_unique<HoppingWatch>(server_, identity_, std::move(request), caller_loop_, std::move(sink));
  }

 private:
  ApiServer& server_;
  client::Identity identity_;
  loop::Loop& caller_loop_;
};

}  // namespace

Result<std::unique_ptr<ApiServer>> ApiServer::make(store::Store& store, cache::Cache& cache, loop::Loop& loop,
                                                   Random& random, ApiServerOptions options) {
  STEAD_TRY(range, ServiceRange::parse(options.service_cidr));
  if (!options.signing_key) {
    STEAD_TRY(pem, http::SigningKey::generate());
    STEAD_TRY(key, http::SigningKey::from_pem(pem));
    options.signing_key = std::move(key);
  }
  std::unique_ptr<ApiServer> server(
      new ApiServer(store, cache, loop, random, ServiceAllocator(cache, range), std::move(options)));
  return server;
}

ApiServer::ApiServer(store::Store& store, cache::Cache& cache, loop::Loop& loop, Random& random,
                     ServiceAllocator services, ApiServerOptions options)
    : cache_(cache),
      loop_(loop),
      services_(services),
      authorizer_(cache, loop),
      catalogue_(cache, loop),
      tokens_(cache, random, options.signing_key, options.issuer),
      accounts_(cache, random, tokens_, options.root_ca_pem),
      reviews_(authenticator_, authorizer_, options.issuer),
      admission_(cache, services_, authorizer_, accounts_, catalogue_),
      converter_(cache, random, options.webhooks),
      policies_(cache, loop, catalogue_, authorizer_),
      webhooks_(cache, loop, random, options.webhooks, converter_, policies_),
      verbs_(store, cache, loop, random, admission_, webhooks_, converter_),
      cleanup_(verbs_, catalogue_, cache, loop),
      api_services_(verbs_, catalogue_, cache, loop, std::move(options.aggregation)),
      usage_(cache, loop) {
  admission_.set_toleration(options.pod_eviction_timeout);
  authenticator_.add(make_service_account_authenticator(tokens_));
  authenticator_.add(make_bootstrap_token_authenticator(cache));
}

ApiServer::~ApiServer() = default;

std::unique_ptr<client::ApiTransport> ApiServer::transport(client::Identity identity, loop::Loop& caller_loop) {
  return std::make_unique<InProcessTransport>(*this, std::move(identity), caller_loop);
}

Result<std::shared_ptr<WatchSession>> ApiServer::watch(const client::Identity& identity, const client::Request& request,
                                                       std::shared_ptr<client::WatchSink> sink) {
  STEAD_TRY_VOID(authorizer_.authorize(identity, request));
  STEAD_TRY(call, resolve(catalogue_, identity, request));
  if (kinds::is_review(*call.resource) || kinds::is_measured(*call.resource)) return not_allowed();
  return WatchSession::start(cache_, converter_, call, std::move(sink));
}

void ApiServer::admit_connection(client::Identity identity, client::Request request, object::Value options,
                                 std::function<void(Result<void>)> done) {
  Result<Call> call = resolve(catalogue_, std::move(identity), std::move(request));
  if (!call.ok()) return done(call.error());
  if (!webhooks_.concerned(*call, Operation::kConnect)) return done({});
  AdmissionAttributes attributes{
      std::make_shared<Call>(std::move(*call)), Operation::kConnect, std::move(options), {}, true};
  webhooks_.mutate(attributes, [this, attributes, done](Result<WebhookAdmission::Outcome> outcome) {
    if (!outcome.ok()) return done(outcome.error());
    webhooks_.validate(attributes, [done](const Result<std::vector<std::string>>& warnings) {
      if (!warnings.ok()) return done(warnings.error());
      done({});
    });
  });
}

void ApiServer::call(client::Identity identity, client::Request request, object::StrictErrors strict, Callback done,
                     std::shared_ptr<std::map<std::string, std::string>> annotations) {
  Result<void> allowed = authorizer_.authorize(identity, request);
  if (!allowed.ok()) return done(allowed.error());
  Result<Call> call = resolve(catalogue_, std::move(identity), std::move(request));
  if (!call.ok()) return done(call.error());
  call->annotations = std::move(annotations);
  if (!call->version->deprecation.empty()) {
    done = [done = std::move(done), warning = std::string(call->version->deprecation)](Result<Response> response) {
      if (response.ok()) response->warnings.insert(response->warnings.begin(), warning);
      done(std::move(response));
    };
  }
  dispatch(std::move(*call), std::move(strict), std::move(done));
}

// Answered at once, in hub form: the reviews have one version.
Result<Response> ApiServer::answer_review(Call call, object::StrictErrors strict) const {
  if (call.request.verb != Verb::kCreate || !call.request.subresource.empty()) return not_allowed();
  Response response;
  response.created = true;
  Value body = std::move(call.request.body);
  STEAD_TRY(review, to_hub(call, std::move(body), std::move(strict), response.warnings));
  STEAD_TRY(answered, reviews_.answer(call, std::move(review), loop_.wall_now()));
  response.object = object::make_object(std::move(answered), 0);
  return response;
}

void ApiServer::dispatch(Call call, object::StrictErrors strict, Callback done) {
  if (kinds::is_binding(*call.resource)) return create_binding(std::move(call), std::move(done));
  if (kinds::is_component_status(*call.resource)) return done(answer_component_statuses(call, cache_.revision()));
  if (kinds::is_review(*call.resource)) return done(answer_review(std::move(call), std::move(strict)));
  if (kinds::is_measured(*call.resource)) return usage_.answer(std::move(call), std::move(done));
  const std::string& subresource = call.request.subresource;
  if (!subresource.empty() && subresource != "status") {
    return dispatch_subresource(std::move(call), std::move(strict), std::move(done));
  }
  if (subresource == "status" && !call.resource->status_subresource) {
    return done(make_error(Reason::kNotFound, "the server could not find the requested resource"));
  }
  switch (call.request.verb) {
    case Verb::kGet:
      return verbs_.read(call, std::move(done));
    case Verb::kList:
      return verbs_.read_list(call, std::move(done));
    case Verb::kCreate:
      return verbs_.create(std::move(call), std::move(strict), std::move(done));
    case Verb::kUpdate:
      return verbs_.update(std::move(call), std::move(strict), std::move(done));
    case Verb::kPatch:
      return verbs_.patch(std::move(call), std::move(strict), std::move(done));
    case Verb::kDelete:
      return verbs_.remove(std::move(call), std::move(done));
    case Verb::kDeleteCollection:
      return verbs_.remove_collection(std::move(call), std::move(done));
    case Verb::kWatch:
      break;
  }
  done(not_allowed());
}

void ApiServer::dispatch_subresource(Call call, object::StrictErrors strict, Callback done) {
  const std::string& subresource = call.request.subresource;
  bool core = call.resource->group.empty();
  Verb verb = call.request.verb;
  if (subresource == "scale" && call.resource->scale_subresource) {
    if (verb == Verb::kGet) return get_scale(verbs_, call, std::move(done));
    if (verb == Verb::kUpdate) return update_scale(verbs_, std::move(call), std::move(done));
    if (verb == Verb::kPatch) return patch_scale(verbs_, std::move(call), std::move(done));
  } else if (core && call.resource->name == "pods" && verb == Verb::kCreate &&
             (subresource == "binding" || subresource == "eviction")) {
    return create_subresource(std::move(call), std::move(done));
  } else if (core && call.resource->name == "serviceaccounts" && subresource == "token" && verb == Verb::kCreate) {
    return done(request_token(tokens_, admission_.node_restriction(), std::move(call), loop_.wall_now()));
  } else if (core && call.resource->name == "pods" && subresource == "ephemeralcontainers") {
    if (verb == Verb::kGet) return done(verbs_.get(call));
    if (verb == Verb::kUpdate || verb == Verb::kPatch) {
      return write_ephemeral_containers(verbs_, std::move(call), std::move(strict), std::move(done));
    }
  } else if (core && call.resource->name == "pods" && subresource == "resize") {
    if (verb == Verb::kGet) return done(verbs_.get(call));
    if (verb == Verb::kUpdate || verb == Verb::kPatch) {
      return resize_pod(verbs_, std::move(call), std::move(strict), std::move(done));
    }
  } else if (core && call.resource->name == "namespaces" && subresource == "finalize" && verb == Verb::kUpdate) {
    return finalize_namespace(verbs_, std::move(call), std::move(done));
  } else if (is_certificate_request(call) && subresource == "approval") {
    if (verb == Verb::kGet) return done(get_approval(verbs_, call));
    if (verb == Verb::kUpdate) {
      return update_approval(verbs_, authorizer_, std::move(call), loop_.wall_now(), std::move(done));
    }
    if (verb == Verb::kPatch) {
      return patch_approval(verbs_, authorizer_, std::move(call), loop_.wall_now(), std::move(done));
    }
  }
  done(make_error(Reason::kNotFound, "the server could not find the requested resource"));
}

// POST bindings, which is POST pods/NAME/binding with the name in the body.
void ApiServer::create_binding(Call call, Callback done) {
  if (call.request.verb != Verb::kCreate || !call.request.subresource.empty()) return done(not_allowed());
  const Value& metadata = call.request.body.at("metadata");
  std::string name(metadata.at("name").as_string());
  std::string_view ns = metadata.at("namespace").as_string();
  if (name.empty()) return done(make_error(Reason::kBadRequest, "name is required"));
  if (!ns.empty() && ns != call.request.ns) {
    return done(make_error(Reason::kBadRequest,
                           "the namespace of the provided object does not match the namespace sent on the request"));
  }
  client::Request request = std::move(call.request);
  request.resource = "pods";
  request.subresource = "binding";
  request.name = std::move(name);
  Result<Call> pod = resolve(catalogue_, std::move(call.identity), std::move(request));
  if (!pod.ok()) return done(pod.error());
  create_subresource(std::move(*pod), std::move(done));
}

void ApiServer::create_subresource(Call call, Callback done) {
  const bool binding = call.request.subresource == "binding";
  Result<void> allowed = binding ? Result<void>() : admission_.node_restriction().admit_eviction(call);
  if (!allowed.ok()) return done(allowed.error());
  auto act = [this, binding](Call reviewed, Callback answer) {
    if (binding) return bind_pod(verbs_, std::move(reviewed), loop_.wall_now(), std::move(answer));
    evict_pod(verbs_, catalogue_, std::move(reviewed), loop_.wall_now(), std::move(answer));
  };
  if (!webhooks_.concerned(call, Operation::kCreate)) return act(std::move(call), std::move(done));
  Value& body = call.request.body;
  if (body.at("kind").as_string().empty()) body.set("kind", binding ? "Binding" : "Eviction");
  if (body.at("apiVersion").as_string().empty()) body.set("apiVersion", binding ? "v1" : "policy/v1");
  auto shared = std::make_shared<Call>(std::move(call));
  AdmissionAttributes attributes{shared, Operation::kCreate, shared->request.body, {}, true};
  webhooks_.mutate(attributes, [this, shared, attributes, act, done](Result<WebhookAdmission::Outcome> outcome) {
    if (!outcome.ok()) return done(outcome.error());
    shared->request.body = outcome->object;
    AdmissionAttributes mutated = attributes;
    mutated.object = outcome->object;
    webhooks_.validate(mutated, [shared, act, done](const Result<std::vector<std::string>>& warnings) {
      if (!warnings.ok()) return done(warnings.error());
      act(*shared, done);
    });
  });
}

}  // namespace stead::apiserver
