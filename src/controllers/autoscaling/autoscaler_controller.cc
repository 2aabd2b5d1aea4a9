#include "controllers/autoscaling/autoscaler_controller.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/plan.h"
#include "controllers/requests.h"
#include "object/selector.h"

namespace stead::controllers {
namespace {

const ResourceRef kAutoscalers{"autoscaling", "horizontalpodautoscalers"};
constexpr size_t kWorkers = 5;
// --horizontal-pod-autoscaler-sync-period: load is sampled, there is no event that tells of it.
constexpr Duration kPeriod = std::chrono::seconds(15);

std::string_view group_of(std::string_view api_version) {
  size_t slash = api_version.find('/');
  return slash == std::string_view::npos ? std::string_view() : api_version.substr(0, slash);
}

}  // namespace

// One run of one autoscaler, on its way through its calls.
struct AutoscalerController::Run {
  autoscaling::Observed observed;
  autoscaling::Decision decision;
  client::WorkQueue::Finish finish;
};

AutoscalerController::AutoscalerController(client::ApiTransport& transport, loop::Loop& loop,
                                           client::EventRecorder& events, client::InformerSet& informers,
                                           std::vector<ServedResource> resources)
    : transport_(transport),
      loop_(loop),
      events_(events),
      informers_(informers),
      resources_(std::move(resources)),
      autoscalers_(informers.get(kAutoscalers)),
      pods_(informers.get(kPods)),
      queue_(loop, "autoscaler", kWorkers, [this](auto& key, auto finish) { work(key, std::move(finish)); }) {
  autoscalers_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    if (!after) histories_.erase(std::string(before->uid()));
    // What this controller wrote itself is no news.
    if (before && after && before->spec() == after->spec()) return;
    if (after) queue_.add(client::object_key(*after));
  });
}

void AutoscalerController::start() {
  informers_.when_synced([this] { queue_.start(); });
}

Result<client::Request> AutoscalerController::scale_request(const object::Object& autoscaler, client::Verb verb) const {
  const Value& target = autoscaler.spec().at("scaleTargetRef");
  std::string_view group = group_of(target.at("apiVersion").as_string());
  std::string_view kind = target.at("kind").as_string();
  auto found = std::find_if(resources_.begin(), resources_.end(), [&](const ServedResource& served) {
    bool in_group = served.resource.group == group || std::find(served.other_groups.begin(), served.other_groups.end(),
                                                                group) != served.other_groups.end();
    return in_group && served.kind == kind;
  });
  if (found == resources_.end()) {
    return make_error(Reason::kNotFound, fmt::format("no matches for kind \"{}\" in group \"{}\"", kind, group));
  }
  client::Request request;
  request.verb = verb;
  request.group = found->resource.group;
  request.resource = found->resource.resource;
  request.subresource = "scale";
  request.ns = autoscaler.ns();
  request.name = target.at("name").as_string();
  return request;
}

void AutoscalerController::work(const std::string& key, client::WorkQueue::Finish finish) {
  ObjectPtr autoscaler = autoscalers_.get(key);
  if (!autoscaler || autoscaler->deleting()) return finish(client::Outcome::done());
  auto run = std::make_shared<Run>(
      Run{{autoscaler, {}, {}, make_error(Reason::kUnavailable, "not read")}, {}, std::move(finish)});
  Result<client::Request> request = scale_request(*autoscaler, client::Verb::kGet);
  if (!request.ok()) return scale_read(run, request.error());
  transport_.call(std::move(*request),
                  [this, run](const Result<client::Response>& response) { scale_read(run, response); });
}

void AutoscalerController::scale_read(const RunPtr& run, const Result<client::Response>& response) {
  if (!response.ok()) {
    return write_status(run, autoscaling::without_scale(run->observed.autoscaler, response.error(), loop_.wall_now()));
  }
  run->observed.scale = response->object->document();
  std::string selector(run->observed.scale.at({"status", "selector"}).as_string());
  Result<object::LabelSelector> parsed = object::LabelSelector::parse(selector);
  std::string ns(run->observed.autoscaler->ns());
  for (ObjectPtr& pod : pods_.list_namespace(ns)) {
    if (!selector.empty() && parsed.ok() && parsed->matches(pod->metadata().at("labels"))) {
      run->observed.pods.push_back(std::move(pod));
    }
  }
  client::Request request;
  request.verb = client::Verb::kList;
  request.group = "metrics.k8s.io";
  request.resource = "pods";
  request.ns = ns;
  request.label_selector = selector;
  transport_.call(std::move(request),
                  [this, run](Result<client::Response> read) { metrics_read(run, std::move(read)); });
}

void AutoscalerController::metrics_read(const RunPtr& run, Result<client::Response> response) {
  autoscaling::Observed& observed = run->observed;
  if (response.ok()) {
    observed.metrics = std::move(response->items);
  } else {
    observed.metrics = response.error();
  }
  // Deleted meanwhile: nothing is remembered of it.
  ObjectPtr newest = autoscalers_.get(observed.autoscaler->ns(), observed.autoscaler->name());
  if (!newest || newest->uid() != observed.autoscaler->uid()) return run->finish(client::Outcome::done());
  autoscaling::History& history = histories_[std::string(observed.autoscaler->uid())];
  run->decision = autoscaling::decide(observed, history, loop_.wall_now());
  if (!run->decision.replicas) return write_status(run, std::move(run->decision));
  Result<client::Request> request = scale_request(*observed.autoscaler, client::Verb::kUpdate);
  Value scale = observed.scale;
  scale.set({"spec", "replicas"}, *run->decision.replicas);
  request->body = std::move(scale);
  transport_.call(std::move(*request),
                  [this, run](const Result<client::Response>& written) { scale_written(run, written); });
}

void AutoscalerController::scale_written(const RunPtr& run, const Result<client::Response>& response) {
  autoscaling::Observed& observed = run->observed;
  if (!response.ok()) {
    return write_status(run,
                        autoscaling::refused(observed, std::move(run->decision), response.error(), loop_.wall_now()));
  }
  autoscaling::History& history = histories_[std::string(observed.autoscaler->uid())];
  write_status(run, autoscaling::changed(observed, std::move(run->decision), history, loop_.wall_now()));
}

void AutoscalerController::write_status(const RunPtr& run, autoscaling::Decision decision) {
  const ObjectPtr& autoscaler = run->observed.autoscaler;
  client::Plan plan;
  plan.look_again = kPeriod;
  plan.events = std::move(decision.events);
  if (!(decision.status == autoscaler->status())) {
    Value document = autoscaler->document();
    document.set("status", std::move(decision.status));
    plan.steps.push_back({.request = update_request(kAutoscalers, std::move(document), "status")});
  }
  client::apply_plan(transport_, events_, std::move(plan), std::move(run->finish));
}

}  // namespace stead::controllers
