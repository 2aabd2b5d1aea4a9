// The part of PodWorker that looks up what the pod refers to, and sets its volumes up.

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "node/pods/pod_worker.h"

namespace stead::node {
namespace {

using object::Value;

// The kubelet's wait between tries of a mount: 500 ms doubling to 2 min 2 s.
constexpr Duration kMountRetryFirst = std::chrono::milliseconds(500);
constexpr Duration kMountRetryMax = std::chrono::seconds(122);
// Until a token that could not be renewed is asked for again.
constexpr Duration kTokenRetry = std::chrono::seconds(30);

}  // namespace

void PodWorker::want_inputs() {
  if (wish_ != PodWish::kRun || ending_since_) return;
  auto want = [this](const std::string& resource, const std::string& ns, const std::string& name) {
    std::pair key{resource, ns + "/" + name};
    if (inputs_.contains(key)) return;
    // Marked first: the handler may ask for more.
    inputs_[key] = nullptr;
    inputs_[key] = context_.objects.want(resource, ns, name, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->input_changed();
    });
  };
  want("services", shape_.ns, "");
  want("services", "default", "");
  auto lookup = [this](std::string_view resource, std::string_view name) { return find(resource, name); };
  for (const auto& [resource, name] : pod_references(shape_, lookup)) {
    want(resource, resource == "persistentvolumes" ? "" : shape_.ns, name);
  }
}

void PodWorker::input_changed() {
  volumes_stale_ = true;
  if (!volumes_ready_) volumes_not_before_ = Instant{};
  for (auto& runner : runners_) runner->inputs_changed();
  reconcile();
}

bool PodWorker::inputs_known() const {
  for (const auto& [key, interest] : inputs_) {
    size_t slash = key.second.find('/');
    if (!context_.objects.known(key.first, key.second.substr(0, slash), key.second.substr(slash + 1))) return false;
  }
  return true;
}

object::ObjectPtr PodWorker::find(std::string_view resource, std::string_view name) const {
  std::string ns = resource == "persistentvolumes" ? "" : shape_.ns;
  return context_.objects.find(std::string(resource), ns, std::string(name));
}

Environment PodWorker::services() const {
  std::vector<object::ObjectPtr> list;
  bool links = shape_.spec().at("enableServiceLinks").as_bool(true);
  if (links) list = context_.objects.list("services", shape_.ns);
  // The API's own service is always there, whatever the namespace (kubelet: masterServices).
  bool has_api =
      std::any_of(list.begin(), list.end(), [](const auto& service) { return service->name() == "kubernetes"; });
  if (!has_api) {
    for (auto& service : context_.objects.list("services", "default")) {
      if (service->name() == "kubernetes") list.push_back(service);
    }
  }
  return service_environment(list);
}

void PodWorker::volumes_failed(const std::string& message) {
  volumes_busy_ = false;
  volumes_retry_ = volumes_retry_ == Duration(0) ? kMountRetryFirst : std::min(volumes_retry_ * 2, kMountRetryMax);
  volumes_not_before_ = context_.loop.now() + volumes_retry_;
  record("Warning", "FailedMount", message);
  reconcile();
}

void PodWorker::set_up_volumes() {
  volumes_busy_ = true;
  if (!tokens_wanted_ && !token_references(shape_.spec()).empty()) {
    return want_tokens([this] { set_up_volumes(); });
  }
  volumes_stale_ = false;
  auto lookup = [this](std::string_view resource, std::string_view name) { return find(resource, name); };
  auto plans = plan_volumes(shape_, downward(), lookup, tokens_);
  if (!plans.ok()) {
    // Running pods keep the files they have.
    if (!volumes_ready_) return volumes_failed(plans.error().message);
    volumes_busy_ = false;
    return;
  }
  // A volume's owner is settled once: refreshed files of others do not start another walk over it.
  if (volumes_ready_) {
    for (VolumePlan& plan : *plans) {
      if (plan.kind == VolumePlan::Kind::kHost) plan.fs_group.reset();
    }
  }
  volumes_present_ = directory_present_ = true;
  auto work = [&files = context_.files, paths = paths_, plans = *plans] { return files.set_up(paths, plans); };
  in_background(context_.pool, context_.loop, std::move(work),
                [weak = weak_from_this(), plans = std::move(*plans)](Result<void> done) {
                  auto self = weak.lock();
                  if (!self) return;
                  if (!done.ok()) return self->volumes_failed(done.error().message);
                  self->volumes_ = plans;
                  self->volumes_busy_ = false;
                  self->volumes_ready_ = true;
                  self->volumes_retry_ = Duration(0);
                  self->reconcile();
                });
}

// A pod starts with its tokens or not at all; one that runs keeps the old ones until new ones can be had.
void PodWorker::want_tokens(std::function<void()> then) {
  tokens_wanted_ = true;
  auto references = token_references(shape_.spec());
  auto left = std::make_shared<size_t>(references.size());
  auto fresh = std::make_shared<Tokens>();
  auto failure = std::make_shared<std::string>();
  tokens_renew_at_ = Instant::max();
  std::string account(shape_.spec().at("serviceAccountName").as_string());
  if (account.empty()) account = "default";
  for (const TokenReference& reference : references) {
    Value spec = Value::object(
        {{"expirationSeconds", reference.expiration_seconds},
         {"boundObjectRef",
          Value::object({{"apiVersion", "v1"}, {"kind", "Pod"}, {"name", shape_.name}, {"uid", shape_.uid}})}});
    if (!reference.audience.empty()) spec.set("audiences", Value::array({reference.audience}));
    client::Request request;
    request.verb = client::Verb::kCreate;
    request.resource = "serviceaccounts";
    request.subresource = "token";
    request.ns = shape_.ns;
    request.name = account;
    request.body = Value::object(
        {{"apiVersion", "authentication.k8s.io/v1"}, {"kind", "TokenRequest"}, {"spec", std::move(spec)}});
    context_.transport.call(std::move(request), [weak = weak_from_this(), reference, left, fresh, failure,
                                                 then](Result<client::Response> response) {
      auto self = weak.lock();
      if (!self) return;
      std::string_view token;
      if (response.ok() && response->object) token = response->object->status().at("token").as_string();
      if (token.empty()) {
        *failure = fmt::format("MountVolume.SetUp failed for volume \"{}\" : failed to fetch token: {}",
                               reference.volume, response.ok() ? "empty answer" : response.error().message);
      } else {
        fresh->emplace_back(reference, std::string(token));
        // Renewed at 80 % of its life (kubelet: token manager).
        auto life = std::chrono::seconds(reference.expiration_seconds) * 8 / 10;
        self->tokens_renew_at_ = std::min(self->tokens_renew_at_, self->context_.loop.now() + life);
      }
      if (--*left > 0) return;
      if (failure->empty()) {
        self->tokens_ = *fresh;
      } else if (!self->volumes_ready_) {
        self->tokens_wanted_ = false;
        return self->volumes_failed(*failure);
      } else {
        self->tokens_renew_at_ = self->context_.loop.now() + kTokenRetry;
      }
      self->renew_tokens_later();
      then();
    });
  }
}

void PodWorker::renew_tokens_later() {
  if (tokens_renew_at_ == Instant::max()) return;
  context_.loop.call_at(tokens_renew_at_, [weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self || self->wish_ != PodWish::kRun) return;
    self->tokens_wanted_ = false;
    self->volumes_stale_ = true;
    self->reconcile();
  });
}

void PodWorker::tear_down_volumes() {
  volumes_busy_ = true;
  volumes_ready_ = false;
  inputs_.clear();
  bool with_logs = wish_ != PodWish::kRun;
  in_background(
      context_.pool, context_.loop,
      [&files = context_.files, paths = paths_, with_logs] { return files.tear_down(paths, with_logs); },
      [weak = weak_from_this(), with_logs](Result<void> done) {
        auto self = weak.lock();
        if (!self) return;
        self->volumes_busy_ = false;
        if (done.ok()) {
          self->volumes_present_ = false;
          if (with_logs) self->directory_present_ = false;
        } else {
          log::warning("node", "volumes of {}/{}: {}", self->shape_.ns, self->shape_.name, done.error().message);
          self->volumes_retry_ = self->volumes_retry_ == Duration(0)
                                     ? kMountRetryFirst
                                     : std::min(self->volumes_retry_ * 2, kMountRetryMax);
          self->volumes_not_before_ = self->context_.loop.now() + self->volumes_retry_;
        }
        self->reconcile();
      });
}

}  // namespace stead::node
