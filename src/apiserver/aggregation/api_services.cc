#include "apiserver/aggregation/api_services.h"

#include <fmt/format.h>

#include <set>

#include "apiserver/front_end/status_document.h"
#include "apiserver/service_endpoint.h"
#include "base/log.h"
#include "object/base64.h"
#include "object/codec.h"
#include "object/time.h"

namespace stead::apiserver {
namespace {

using object::Object;

constexpr std::string_view kGroup = "apiregistration.k8s.io";
constexpr std::string_view kResource = "apiservices";
constexpr std::string_view kManagedLabel = "kube-aggregator.kubernetes.io/automanaged";
constexpr Duration kProbePeriod = std::chrono::seconds(30);
constexpr Duration kProbeAgain = std::chrono::seconds(2);  // after one that failed

void set_condition(Value& document, bool available, std::string_view reason, std::string_view message, WallTime now) {
  Value wanted = Value::object({{"type", "Available"},
                                {"status", available ? "True" : "False"},
                                {"lastTransitionTime", object::format_time(now)},
                                {"reason", reason},
                                {"message", message}});
  auto& conditions = document["status"]["conditions"].mutable_items();
  for (Value& condition : conditions) {
    if (condition.at("type").as_string() != "Available") continue;
    if (condition.at("status") == wanted.at("status")) {
      wanted.set("lastTransitionTime", condition.at("lastTransitionTime"));
    }
    condition = std::move(wanted);
    return;
  }
  conditions.push_back(std::move(wanted));
}

bool is_remote_service(const Object& service) { return service.spec().find("service") != nullptr; }

bool is_managed(const Object& service) { return service.metadata().at("labels").find(kManagedLabel) != nullptr; }

// Clients that know several groups with one resource prefer the higher.
int64_t priority_of(std::string_view group) {
  if (group.empty()) return 18'000;
  if (group == "apps") return 17'800;
  return group.find('.') == std::string_view::npos || group.ends_with(".k8s.io") ? 17'000 : 1'000;
}

Value local_service(std::string_view group, std::string_view version, bool custom) {
  const std::string name = fmt::format("{}.{}", version, group);
  Value spec = Value::object({{"version", version},
                              {"groupPriorityMinimum", custom ? int64_t{1'000} : priority_of(group)},
                              {"versionPriority", custom                                           ? 100
                                                  : version.find("beta") == std::string_view::npos ? 15
                                                                                                   : 9}});
  if (!group.empty()) spec.set("group", group);
  Value labels = Value::object({{kManagedLabel, custom ? "true" : "onstart"}});
  return Value::object(
      {{"metadata", Value::object({{"name", name}, {"labels", std::move(labels)}})}, {"spec", std::move(spec)}});
}

}  // namespace

void settle_api_service(Value& document, WallTime now) {
  if (!document.at({"spec", "service"}).is_null()) return;
  set_condition(document, true, "Local", "Local APIServices are always available", now);
}

ApiServices::ApiServices(Verbs& verbs, const Catalogue& catalogue, cache::Cache& cache, loop::Loop& loop,
                         AggregationOptions options)
    : verbs_(verbs),
      catalogue_(catalogue),
      cache_(cache),
      loop_(loop),
      options_(std::move(options)),
      services_(cache, loop, fmt::format("{}/{}", kGroup, kResource),
                [this](const auto& before, const auto& after) { changed(before, after); }) {
  if (!options_.registers) return;
  definitions_ = std::make_unique<ObjectFollower>(cache, loop, "apiextensions.k8s.io/customresourcedefinitions",
                                                  [this](const auto&, const auto&) { register_soon(); });
  namespaces_ = std::make_unique<ObjectFollower>(cache, loop, "/namespaces", [this](const auto&, const auto& after) {
    if (after && after->name() == "kube-system") register_soon();
  });
  register_soon();
}

ApiServices::~ApiServices() {
  for (const auto& [name, entry] : remote_) loop_.cancel(entry.timer);
  self_.reset();
}

void ApiServices::changed(const ObjectPtr& before, const ObjectPtr& after) {
  std::string name((after ? after : before)->name());
  if (options_.registers && !after) register_soon();
  auto found = remote_.find(name);
  if (!after || !is_remote_service(*after)) {
    if (found == remote_.end()) return;
    loop_.cancel(found->second.timer);
    remote_.erase(found);
    ++state_;
    return;
  }
  const bool same = found != remote_.end() && found->second.object->spec() == after->spec();
  Entry& entry = remote_[name];
  entry.object = after;
  if (same) return;
  ++state_;
  entry.told = {std::string(after->spec().at("group").as_string()),
                std::string(after->spec().at("version").as_string()), Value::array(), false};
  loop_.post([weak = std::weak_ptr<ApiServices*>(self_), name] {
    if (auto self = weak.lock()) (*self)->probe(name);
  });
}

const ApiServices::Entry* ApiServices::find(std::string_view group, std::string_view version) const {
  auto found = remote_.find(fmt::format("{}.{}", version, group));
  return found == remote_.end() ? nullptr : &found->second;
}

bool ApiServices::is_remote(std::string_view group, std::string_view version) const {
  return find(group, version) != nullptr;
}

std::vector<RemoteGroupVersion> ApiServices::remote() const {
  std::vector<RemoteGroupVersion> all;
  for (const auto& [name, entry] : remote_) all.push_back(entry.told);
  return all;
}

Result<HttpsTarget> ApiServices::target_of(const Object& service) const {
  const Value& spec = service.spec();
  std::string ns(spec.at({"service", "namespace"}).as_string());
  std::string name(spec.at({"service", "name"}).as_string());
  auto port = static_cast<uint16_t>(spec.at({"service", "port"}).as_int(443));
  STEAD_TRY(endpoint, find_service_endpoint(cache_, ns, name, port));
  HttpsTarget target;
  target.host = endpoint.host;
  target.port = endpoint.port;
  target.server_name = fmt::format("{}.{}.svc", name, ns);
  Result<std::string> bundle = object::decode_base64(spec.at("caBundle").as_string());
  if (bundle.ok()) target.ca_pem = std::move(*bundle);
  return target;
}

void ApiServices::forward(std::string_view group, std::string_view version, const client::Identity& identity,
                          const http::ExchangePtr& exchange) const {
  const Entry* entry = find(group, version);
  auto refuse = [&](const std::string& why) {
    exchange->respond(error_response(make_error(Reason::kUnavailable, "service unavailable: " + why)));
  };
  if (entry == nullptr || options_.remote == nullptr) return refuse("there is no way to it");
  Result<HttpsTarget> target = target_of(*entry->object);
  if (!target.ok()) return refuse(target.error().message);
  const bool verified = !entry->object->spec().at("insecureSkipTLSVerify").as_bool();
  options_.remote->forward(*target, verified, identity, exchange);
}

void ApiServices::probe(const std::string& name) {
  auto found = remote_.find(name);
  if (found == remote_.end()) return;
  Entry& entry = found->second;
  loop_.cancel(entry.timer);
  const uint64_t serial = entry.probe = ++probes_;
  if (options_.remote == nullptr) return;
  Result<HttpsTarget> target = target_of(*entry.object);
  if (!target.ok()) return probed(name, serial, target.error());
  target->path = fmt::format("/apis/{}/{}", entry.told.group, entry.told.version);
  const bool verified = !entry.object->spec().at("insecureSkipTLSVerify").as_bool();
  options_.remote->get(*target, verified, {"system:kube-aggregator", "", {"system:masters"}},
                       [weak = std::weak_ptr<ApiServices*>(self_), name, serial](const Result<std::string>& body) {
                         if (auto self = weak.lock()) (*self)->probed(name, serial, body);
                       });
}

void ApiServices::probed(const std::string& name, uint64_t probe, const Result<std::string>& body) {
  auto found = remote_.find(name);
  if (found == remote_.end() || found->second.probe != probe) return;
  Entry& entry = found->second;
  Value resources;
  std::string problem;
  if (!body.ok()) {
    problem = body.error().message;
  } else {
    Result<Value> list = object::parse_json(*body);
    if (list.ok() && list->at("kind").as_string() == "APIResourceList") {
      resources = list->at("resources");
    } else {
      problem = "its answer is no APIResourceList";
    }
  }
  const bool available = problem.empty();
  if (available != entry.told.available || (available && !(resources == entry.told.resources))) ++state_;
  entry.told.available = available;
  if (available) entry.told.resources = std::move(resources);
  entry.timer =
      loop_.call_after(available ? kProbePeriod : kProbeAgain, [weak = std::weak_ptr<ApiServices*>(self_), name] {
        if (auto self = weak.lock()) (*self)->probe(name);
      });
  if (available) return set_available(name, true, "Passed", "all checks passed");
  set_available(name, false, "FailedDiscoveryCheck", "failing or missing response: " + problem);
}

Call ApiServices::call_for(client::Verb verb, std::string group, std::string resource, std::string name) const {
  Call call;
  call.identity = {"system:apiserver", "", {"system:masters"}};
  call.request.verb = verb;
  call.request.group = std::move(group);
  call.request.resource = std::move(resource);
  call.request.name = std::move(name);
  call.resource = catalogue_.find(call.request.group, call.request.resource).resource;
  if (call.resource != nullptr) call.version = &call.resource->hub();
  return call;
}

void ApiServices::set_available(const std::string& name, bool available, std::string_view reason,
                                const std::string& message) {
  Call call = call_for(client::Verb::kUpdate, std::string(kGroup), std::string(kResource), name);
  if (call.resource == nullptr) return;
  call.request.subresource = "status";
  verbs_.change(
      std::move(call),
      [=, reason = std::string(reason), now = loop_.wall_now()](const Object& current) -> Result<Verbs::Change> {
        Verbs::Change change;
        change.skip_validation = true;
        change.keep_spec_rules = false;
        change.document = current.document();
        set_condition(change.document, available, reason, message, now);
        return change;
      },
      [](const Result<Response>&) {});
}

// In a turn of its own: it is told in the middle of a change, and once for many.
void ApiServices::register_soon() {
  if (registration_posted_) return;
  registration_posted_ = true;
  loop_.post([weak = std::weak_ptr<ApiServices*>(self_)] {
    auto self = weak.lock();
    if (!self) return;
    (*self)->registration_posted_ = false;
    (*self)->register_all();
    (*self)->register_trust();
  });
}

void ApiServices::register_all() {
  std::map<std::string, Value> wanted;
  for (const kinds::Resource* resource : catalogue_.resources()) {
    const kinds::CustomKind* custom = kinds::custom_of(*resource);
    for (const kinds::Version& version : resource->versions) {
      if (version.group == kGroup || (custom != nullptr && !custom->serves(version))) continue;
      std::string name = fmt::format("{}.{}", version.name, version.group);
      wanted.try_emplace(name, local_service(version.group, version.name, custom != nullptr));
    }
  }
  auto tell = [](const Result<Response>& response) {
    if (response.ok() || response.error().reason == Reason::kAlreadyExists) return;
    if (response.error().reason != Reason::kNotFound) log::warning("api", "APIService: {}", response.error().message);
  };
  std::vector<std::string> obsolete;
  cache_.snapshot(fmt::format("{}/{}", kGroup, kResource))
      .objects.visit_from("", [&](const std::string& name, const ObjectPtr& service) {
        if (wanted.erase(name) == 0 && is_managed(*service) && !is_remote_service(*service)) obsolete.push_back(name);
        return true;
      });
  for (auto& [name, document] : wanted) {
    Call call = call_for(client::Verb::kCreate, std::string(kGroup), std::string(kResource), "");
    if (call.resource == nullptr) return;
    call.request.body = std::move(document);
    verbs_.create(std::move(call), {}, tell);
  }
  for (const std::string& name : obsolete) {
    Call call = call_for(client::Verb::kDelete, std::string(kGroup), std::string(kResource), name);
    call.request.body = Value::object();
    verbs_.remove(std::move(call), tell);
  }
}

// What other servers need to know to believe who asks them.
void ApiServices::register_trust() {
  constexpr std::string_view kNamespace = "kube-system";
  constexpr std::string_view kName = "extension-apiserver-authentication";
  if (options_.client_ca_pem.empty() || !cache_.get("/namespaces", kNamespace)) return;
  if (cache_.get("/configmaps", fmt::format("{}/{}", kNamespace, kName))) return;
  Call call = call_for(client::Verb::kCreate, "", "configmaps", "");
  call.request.ns = kNamespace;
  call.request.body =
      Value::object({{"metadata", Value::object({{"name", kName}})},
                     {"data", Value::object({{"client-ca-file", options_.client_ca_pem},
                                             {"requestheader-client-ca-file", options_.client_ca_pem},
                                             {"requestheader-allowed-names", R"(["front-proxy-client"])"},
                                             {"requestheader-username-headers", R"(["X-Remote-User"])"},
                                             {"requestheader-uid-headers", R"(["X-Remote-Uid"])"},
                                             {"requestheader-group-headers", R"(["X-Remote-Group"])"},
                                             {"requestheader-extra-headers-prefix", R"(["X-Remote-Extra-"])"}})}});
  verbs_.create(std::move(call), {}, [](const Result<Response>&) {});
}

}  // namespace stead::apiserver
