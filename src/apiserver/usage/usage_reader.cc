#include "apiserver/usage/usage_reader.h"

#include <fmt/format.h>

#include "apiserver/selection.h"
#include "object/quantity.h"
#include "object/time.h"

namespace stead::apiserver {
namespace {

using client::Response;
using client::Verb;
using object::ObjectPtr;
using object::Value;

// A node is not asked again before that.
constexpr std::chrono::seconds kFresh{5};
// A node that has not answered by then is left out.
constexpr Duration kAnswerLimit = std::chrono::seconds(5);

bool is_pods(const Call& call) { return call.resource->kind == "PodMetrics"; }

std::string_view node_of(const Call& call, const object::Object& subject) {
  return is_pods(call) ? subject.spec().at("nodeName").as_string() : subject.name();
}

Value usage(int64_t nano_cores, int64_t bytes) {
  return Value::object({{"cpu", fmt::format("{}n", nano_cores)}, {"memory", fmt::format("{}Ki", bytes / 1024)}});
}

// When the running instance of a container began.
std::optional<WallTime> start_of(const object::Object& pod, std::string_view container) {
  for (std::string_view list : {"containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"}) {
    for (const Value& status : pod.status().at(list).items()) {
      if (status.at("name").as_string() != container) continue;
      return object::parse_time(status.at({"state", "running", "startedAt"}).as_string());
    }
  }
  return std::nullopt;
}

Value metadata_of(const object::Object& subject, WallTime at) {
  Value metadata = Value::object({{"name", subject.name()}});
  if (!subject.ns().empty()) metadata.set("namespace", subject.ns());
  metadata.set("creationTimestamp", object::format_time(at));
  if (const Value* labels = subject.metadata().find("labels")) metadata.set("labels", *labels);
  return metadata;
}

Value metrics(std::string_view kind, const object::Object& subject, WallTime at, Duration window) {
  return Value::object(
      {{"kind", kind},
       {"apiVersion", "metrics.k8s.io/v1beta1"},
       {"metadata", metadata_of(subject, at)},
       {"timestamp", object::format_time(at)},
       {"window", object::format_duration(std::chrono::duration_cast<std::chrono::milliseconds>(window))}});
}

}  // namespace

UsageReader::~UsageReader() {
  *self_ = nullptr;
  for (auto& [node, pending] : pending_) loop_.cancel(pending.limit);
}

void UsageReader::answer(Call call, client::Callback done) {
  if (call.request.verb != Verb::kGet && call.request.verb != Verb::kList) {
    return done(
        make_error(Reason::kMethodNotAllowed, "the server does not allow this method on the requested resource"));
  }
  if (!source_) return done(make_error(Reason::kUnavailable, "the server measures no usage"));
  Result<Selection> selection = Selection::make(call);
  if (!selection.ok()) return done(selection.error());
  std::vector<ObjectPtr> subjects;
  std::set<std::string> nodes;
  std::string prefix = selection->key_prefix();
  cache_.snapshot(is_pods(call) ? "/pods" : "/nodes")
      .objects.visit_from(prefix, [&](const std::string& key, const ObjectPtr& subject) {
        if (!key.starts_with(prefix)) return false;
        bool wanted = call.request.name.empty() || subject->name() == call.request.name;
        if (!wanted || !selection->matches(*subject)) return true;
        std::string node(node_of(call, *subject));
        if (node.empty()) return true;
        subjects.push_back(subject);
        nodes.insert(std::move(node));
        return true;
      });
  refresh(nodes, [this, call = std::move(call), subjects = std::move(subjects), done = std::move(done)] {
    done(respond(call, subjects));
  });
}

// Reads those nodes of which nothing new is known, then goes on.
void UsageReader::refresh(const std::set<std::string>& nodes, std::function<void()> done) {
  auto left = std::make_shared<size_t>(1);
  auto one_done = [left, done = std::move(done)] {
    if (--*left == 0) done();
  };
  forget_lost_nodes();
  for (const std::string& node : nodes) {
    std::optional<WallTime> read = history_.last_read(node);
    if (read && *read + kFresh > loop_.wall_now()) continue;
    ++*left;
    auto [entry, added] = pending_.try_emplace(node);
    entry->second.waiting.push_back(one_done);
    if (added) read_node(node);
  }
  // Answers come later even where all is known.
  loop_.post([self = self_, one_done] {
    if (*self != nullptr) one_done();
  });
}

void UsageReader::read_node(const std::string& node) {
  pending_[node].limit = loop_.call_after(kAnswerLimit, [this, node] { node_read(node); });
  source_->read(node, [self = self_, node](Result<Value> summary) {
    UsageReader* reader = *self;
    if (reader == nullptr || !reader->pending_.contains(node)) return;
    if (summary.ok()) reader->history_.add(node, *summary, reader->loop_.wall_now());
    reader->node_read(node);
  });
}

void UsageReader::node_read(const std::string& node) {
  auto found = pending_.find(node);
  if (found == pending_.end()) return;
  Pending pending = std::move(found->second);
  pending_.erase(found);
  loop_.cancel(pending.limit);
  for (const auto& go_on : pending.waiting) go_on();
}

void UsageReader::forget_lost_nodes() {
  for (const std::string& node : history_.nodes()) {
    if (!cache_.get("/nodes", node)) history_.forget(node);
  }
}

ObjectPtr UsageReader::pod_metrics(const object::Object& pod) const {
  std::string node(pod.spec().at("nodeName").as_string());
  Value containers = Value::array();
  WallTime at;
  Duration window{};
  for (const Value& container : pod.spec().at("containers").items()) {
    std::string name(container.at("name").as_string());
    auto rate = history_.rate(node, std::string(pod.uid()), name, start_of(pod, name));
    if (!rate) return nullptr;
    at = rate->at;
    window = std::max(window, rate->window);
    containers.append(Value::object({{"name", name}, {"usage", usage(rate->cpu_nano_cores, rate->memory_bytes)}}));
  }
  Value document = metrics("PodMetrics", pod, at, window);
  document.set("containers", std::move(containers));
  return object::make_object(std::move(document), 0);
}

// The sum of its containers.
ObjectPtr UsageReader::node_metrics(const object::Object& node) const {
  std::string name(node.name());
  std::optional<WallTime> at = history_.last_read(name);
  if (!at) return nullptr;
  int64_t nano_cores = 0;
  int64_t bytes = 0;
  Duration window{};
  cache::FieldKey on_node{"spec.nodeName", name,
                          [](const object::Object& pod) { return std::string(pod.spec().at("nodeName").as_string()); }};
  cache_.snapshot("/pods", on_node).objects.visit_from("", [&](const std::string&, const ObjectPtr& pod) {
    for (const Value& container : pod->spec().at("containers").items()) {
      std::string container_name(container.at("name").as_string());
      auto rate = history_.rate(name, std::string(pod->uid()), container_name, start_of(*pod, container_name));
      if (!rate) continue;
      nano_cores += rate->cpu_nano_cores;
      bytes += rate->memory_bytes;
      window = std::max(window, rate->window);
    }
    return true;
  });
  Value document = metrics("NodeMetrics", node, *at, window);
  document.set("usage", usage(nano_cores, bytes));
  return object::make_object(std::move(document), 0);
}

Result<Response> UsageReader::respond(const Call& call, const std::vector<ObjectPtr>& subjects) const {
  Response response;
  response.revision = cache_.revision();
  for (const ObjectPtr& subject : subjects) {
    ObjectPtr measured = is_pods(call) ? pod_metrics(*subject) : node_metrics(*subject);
    if (measured) response.items.push_back(std::move(measured));
  }
  if (call.request.verb == Verb::kList) return response;
  if (response.items.empty()) return not_found_error(call, call.request.name);
  response.object = std::move(response.items.front());
  response.items.clear();
  return response;
}

}  // namespace stead::apiserver
