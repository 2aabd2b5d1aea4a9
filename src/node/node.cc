#include "node/node.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "base/log.h"
#include "client/informer.h"
#include "node/eviction/storage_watch.h"
#include "node/logs/log_rotation.h"
#include "node/pods/pod_admission.h"
#include "node/pods/pod_worker.h"
#include "node/registration.h"
#include "node/server/kubelet_server.h"
#include "node/server/refusal.h"

namespace stead::node {
namespace {

using object::ObjectPtr;
using object::Value;

constexpr Duration kRecoverRetry = std::chrono::milliseconds(250);
// A pod that does not fit gets a second look: what is in its way may be about to end.
constexpr Duration kSecondLook = std::chrono::seconds(1);
constexpr Duration kLogCheck = std::chrono::seconds(10);
// Who exceeds a limit is not asked to end in its own time.
constexpr std::chrono::seconds kEvictionGrace{1};

using RuntimePods = std::map<std::string, RuntimePod>;  // by uid

Result<RuntimePods> read_runtime(ContainerRuntime& runtime) {
  RuntimePods pods;
  STEAD_TRY(sandboxes, runtime.list_sandboxes());
  for (const SandboxInfo& info : sandboxes) {
    auto status = runtime.sandbox_status(info.id);
    if (!status.ok() && status.error().reason == Reason::kNotFound) continue;
    if (!status.ok()) return status.error();
    std::string uid = info.uid;
    if (auto label = info.labels.find(kLabelPodUid); uid.empty() && label != info.labels.end()) uid = label->second;
    pods[uid].sandboxes.push_back(std::move(*status));
  }
  STEAD_TRY(containers, runtime.list_containers());
  for (const ContainerInfo& info : containers) {
    auto status = runtime.container_status(info.id);
    if (!status.ok() && status.error().reason == Reason::kNotFound) continue;
    if (!status.ok()) return status.error();
    auto uid = info.labels.find(kLabelPodUid);
    if (uid == info.labels.end()) continue;  // not a pod's
    if (status->name.empty()) status->name = info.name;
    status->sandbox_id = info.sandbox_id;
    status->attempt = info.attempt;
    if (status->annotations.empty()) status->annotations = info.annotations;
    pods[uid->second].containers.push_back(std::move(*status));
  }
  return pods;
}

// Enough of a pod that only the runtime remembers to end it properly.
ObjectPtr orphan_object(const std::string& uid, const RuntimePod& found) {
  std::string ns, name;
  int64_t grace = 30;
  if (!found.sandboxes.empty()) {
    ns = found.sandboxes.front().ns;
    name = found.sandboxes.front().name;
  }
  std::map<std::string, Value> containers;
  for (const ContainerStatus& container : found.containers) {
    containers.emplace(container.name, Value::object({{"name", container.name}, {"image", container.image}}));
    auto text = container.annotations.find(kAnnotationGrace);
    if (text != container.annotations.end()) grace = std::atoll(text->second.c_str());
    if (auto label = container.labels.find(kLabelPodName); label != container.labels.end()) name = label->second;
    if (auto label = container.labels.find(kLabelPodNamespace); label != container.labels.end()) ns = label->second;
  }
  Value list = Value::array();
  for (auto& [key, container] : containers) list.append(std::move(container));
  return object::make_object(
      Value::object(
          {{"apiVersion", "v1"},
           {"kind", "Pod"},
           {"metadata", Value::object({{"name", name}, {"namespace", ns}, {"uid", uid}})},
           {"spec", Value::object({{"containers", std::move(list)}, {"terminationGracePeriodSeconds", grace}})}}),
      0);
}

}  // namespace

struct Node::State : PodHost, PodDirectory, std::enable_shared_from_this<Node::State> {
  State(client::ApiTransport& transport, loop::Loop& the_loop, loop::WorkerPool& pool, ContainerRuntime& runtime,
        NodeFiles& files, Dialer& dialer, NodeOptions the_options)
      : options(std::move(the_options)),
        loop(the_loop),
        events(transport, loop, "kubelet", options.node_name),
        objects(transport, loop),
        images(loop, pool, runtime, options.parallel_pulls),
        context{transport, loop, pool, runtime, files, dialer, events, objects, images, options},
        registration(context, [this] { return left_over(); }),
        informer(transport, loop, {"", "pods"}, "spec.nodeName=" + options.node_name),
        server(context, *this),
        storage(
            context, [this] { return storage_subjects(); },
            [this](const std::string& uid, const std::string& message) {
              auto worker = workers.find(uid);
              if (worker != workers.end()) worker->second->evict(message, kEvictionGrace);
            }) {}

  const NodeOptions options;
  loop::Loop& loop;
  client::EventRecorder events;
  ObjectSource objects;
  ImagePuller images;
  NodeContext context;
  Registration registration;
  client::Informer informer;
  KubeletServer server;
  StorageWatch storage;
  bool running = false;
  std::shared_ptr<void> runtime_watch;
  std::map<std::string, std::shared_ptr<PodWorker>> workers;  // by uid
  // By "ns/name", oldest first: more than one where a name is used again.
  std::map<std::string, std::vector<PodWorker*>> names;
  std::unordered_map<std::string, std::string> owners;  // runtime id → uid
  std::set<std::string> resizing;                       // uids of pods that wait for other resources
  bool resizes_due = false;

  // What still has to end before this can be taken for a new node.
  std::optional<std::string> left_over() const {
    if (!running) return std::nullopt;
    auto gone =
        std::count_if(workers.begin(), workers.end(), [](const auto& entry) { return entry.second->is_gone(); });
    return gone == 0 ? std::string() : fmt::format("{} pods that are no longer this node's still end", gone);
  }

  void start() {
    registration.start();
    informer.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
      if (running) pod_changed(before, after);
    });
    informer.when_synced([this] { recover(); });
    informer.start();
  }

  // Before anything is started it is known what runs: a name is never started beside its predecessor.
  void recover() {
    in_background(
        context.pool, loop, [&runtime = context.runtime] { return read_runtime(runtime); },
        [weak = weak_from_this()](Result<RuntimePods> found) {
          auto self = weak.lock();
          if (!self) return;
          if (!found.ok()) {
            log::warning("node", "the container runtime cannot be read: {}", found.error().message);
            self->loop.call_after(kRecoverRetry, [weak] {
              if (auto again = weak.lock()) again->recover();
            });
            return;
          }
          self->recovered(std::move(*found));
        });
  }

  void recovered(RuntimePods found) {
    running = true;
    std::map<std::string, ObjectPtr> assigned;
    for (const ObjectPtr& pod : informer.list()) {
      if (is_ours(*pod)) assigned.emplace(pod->uid(), pod);
    }
    // Orphans first: they are the predecessors of what has their names now.
    for (auto& [uid, pod] : found) {
      if (uid.empty() || assigned.contains(uid)) continue;
      PodWorker& worker = add_worker(orphan_object(uid, pod));
      worker.adopt(std::move(pod));
      worker.object_gone();
    }
    for (const auto& [uid, pod] : assigned) {
      PodWorker& worker = add_worker(pod);
      auto known = found.find(uid);
      if (known != found.end()) worker.adopt(std::move(known->second));
    }
    for (const auto& [uid, pod] : assigned) admit(*workers.at(uid));
    registration.cleaned();
    remove_leftovers(assigned, found);
    if (context.files.keeps_logs()) {
      check_logs_later();
      storage.start();
    }
    runtime_watch = context.runtime.watch_events([weak = weak_from_this(), &loop = loop](RuntimeEvent event) {
      loop.post([weak, event = std::move(event)] {
        if (auto self = weak.lock()) self->runtime_event(event);
      });
    });
  }

  void check_logs() {
    std::vector<LogOwner> owners;
    for (const auto& [uid, worker] : workers) {
      for (const ContainerShape& container : worker->shape().containers) {
        const ContainerRunner* runner = worker->runner(container.name);
        if (runner->report().phase != ContainerPhase::kRunning) continue;
        owners.push_back({worker->paths(), container.name, runner->id(), runner->attempt()});
      }
    }
    in_background(
        context.pool, loop,
        [&files = context.files, &runtime = context.runtime, owners = std::move(owners)] {
          rotate_logs(files, runtime, owners);
          return true;
        },
        [weak = weak_from_this()](bool) {
          auto self = weak.lock();
          if (self) self->check_logs_later();
        });
  }

  std::vector<StorageSubject> storage_subjects() const {
    std::vector<StorageSubject> subjects;
    for (const auto& [uid, worker] : workers) {
      if (!worker->is_active()) continue;
      StorageLimits limits = read_storage_limits(worker->shape());
      if (limits.any()) subjects.push_back({uid, worker->paths(), std::move(limits)});
    }
    return subjects;
  }

  void check_logs_later() {
    loop.call_after(kLogCheck, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->check_logs();
    });
  }

  // Directories of pods that neither the API nor the runtime knows.
  void remove_leftovers(const std::map<std::string, ObjectPtr>& assigned, const RuntimePods& found) {
    std::vector<std::string> keep;
    keep.reserve(assigned.size() + found.size());
    for (const auto& [uid, pod] : assigned) keep.push_back(uid);
    for (const auto& [uid, pod] : found) keep.push_back(uid);
    context.pool.run([&files = context.files, keep = std::move(keep), data_dir = options.data_dir] {
      for (const std::string& uid : files.pod_uids()) {
        if (std::find(keep.begin(), keep.end(), uid) != keep.end()) continue;
        auto removed = files.tear_down(PodPaths(data_dir, "", "", uid), true);
        if (!removed.ok()) log::warning("node", "left over from pod {}: {}", uid, removed.error().message);
      }
    });
  }

  bool is_ours(const object::Object& pod) const { return pod.spec().at("nodeName").as_string() == options.node_name; }

  // A name used again means the newer pod.
  const PodWorker* find_pod(const std::string& ns, const std::string& name) const override {
    auto found = names.find(client::object_key(ns, name));
    return found == names.end() || found->second.empty() ? nullptr : found->second.back();
  }

  PodWorker& add_worker(const ObjectPtr& pod) {
    auto worker = std::make_shared<PodWorker>(context, *this, pod);
    names[client::object_key(*pod)].push_back(worker.get());
    return *(workers[worker->uid()] = worker);
  }

  void pod_changed(const ObjectPtr& before, const ObjectPtr& after) {
    if (before && (!after || after->uid() != before->uid())) {
      auto gone = workers.find(std::string(before->uid()));
      if (gone != workers.end()) gone->second->object_gone();
    }
    if (!after || !is_ours(*after)) return;
    auto known = workers.find(std::string(after->uid()));
    if (known != workers.end()) {
      known->second->update(after);
      retry_resizes_later();
    } else {
      admit(add_worker(after));
    }
  }

  // What was started once has been taken.
  void admit(PodWorker& worker) {
    if (!worker.pod()->status().at("startTime").as_string().empty() || !refusal_of(worker)) return worker.reconcile();
    worker.hold();
    worker.reconcile();
    loop.call_after(kSecondLook, [weak = weak_from_this(), uid = worker.uid()] {
      if (auto self = weak.lock()) self->look_again(uid);
    });
  }

  void look_again(const std::string& uid) {
    auto found = workers.find(uid);
    if (found == workers.end() || !found->second->is_held()) return;
    auto refusal = refusal_of(*found->second);
    refusal ? found->second->refuse(std::move(*refusal)) : found->second->release();
  }

  std::optional<PodRefusal> refusal_of(const PodWorker& worker) const {
    std::vector<ObjectPtr> others;
    others.reserve(workers.size());
    for (const auto& [uid, other] : workers) {
      if (other.get() != &worker && other->counts()) others.push_back(other->pod());
    }
    return refuse_for_room(*worker.pod(), others, options);
  }

  void runtime_event(const RuntimeEvent& event) {
    if (event.sandbox_id.empty() && event.container_id.empty()) {
      for (auto& [uid, worker] : workers) worker->runtime_event("");
      registration.refresh();
      server.container_changed("");
      return;
    }
    if (!event.container_id.empty()) server.container_changed(event.container_id);
    for (const std::string& id : {event.container_id, event.sandbox_id}) {
      auto owner = owners.find(id);
      if (id.empty() || owner == owners.end()) continue;
      auto worker = workers.find(owner->second);
      if (worker != workers.end()) worker->second->runtime_event(id);
    }
  }

  void resize_wanted(PodWorker& worker) override {
    resizing.insert(worker.uid());
    retry_resizes_later();
  }

  void retry_resizes_later() {
    if (resizing.empty() || resizes_due) return;
    resizes_due = true;
    loop.post([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->retry_resizes();
    });
  }

  // Whenever some pod asks for more or less, or leaves room.
  void retry_resizes() {
    resizes_due = false;
    std::vector<PodWorker*> waiting;
    for (auto uid = resizing.begin(); uid != resizing.end();) {
      auto worker = workers.find(*uid);
      if (worker != workers.end() && worker->second->wants_room()) {
        waiting.push_back(worker->second.get());
        ++uid;
      } else {
        uid = resizing.erase(uid);
      }
    }
    std::stable_sort(waiting.begin(), waiting.end(),
                     [](PodWorker* a, PodWorker* b) { return resizes_before(a->shape(), b->shape()); });
    kinds::Resources allocatable;
    allocatable.cpu_milli = options.machine.cpus * 1000;
    allocatable.memory = options.machine.memory_bytes;
    for (PodWorker* worker : waiting) {
      kinds::Resources others;
      for (const auto& [uid, other] : workers) {
        if (other.get() != worker && other->holds_room()) others.add(allocated_requests(other->shape()));
      }
      const PodShape& shape = worker->shape();
      worker->answer_resize(judge_resize(wanted_requests(shape), allocated_requests(shape), others, allocatable));
    }
  }

  bool predecessor_alive(const PodWorker& worker) const override {
    auto found = names.find(client::object_key(worker.ns(), worker.name()));
    return found != names.end() && !found->second.empty() && found->second.front() != &worker;
  }

  void claim_id(const std::string& runtime_id, PodWorker& worker) override { owners[runtime_id] = worker.uid(); }

  void forgotten(PodWorker& worker) override {
    loop.post([weak = weak_from_this(), uid = worker.uid()] {
      auto self = weak.lock();
      if (self) self->drop(uid);
    });
  }

  void drop(const std::string& uid) {
    auto found = workers.find(uid);
    if (found == workers.end()) return;
    std::shared_ptr<PodWorker> worker = found->second;
    std::erase_if(owners, [&](const auto& entry) { return entry.second == uid; });
    auto name = names.find(client::object_key(worker->ns(), worker->name()));
    std::erase(name->second, worker.get());
    for (PodWorker* successor : name->second) successor->reconcile();
    if (name->second.empty()) names.erase(name);
    workers.erase(found);
    retry_resizes_later();
    registration.cleaned();
  }
};

Node::Node(client::ApiTransport& transport, loop::Loop& loop, loop::WorkerPool& pool, ContainerRuntime& runtime,
           NodeFiles& files, Dialer& dialer, NodeOptions options)
    : state_(std::make_shared<State>(transport, loop, pool, runtime, files, dialer, std::move(options))) {}

Node::~Node() { state_->runtime_watch.reset(); }

void Node::start() { state_->start(); }

void Node::refresh() { state_->registration.refresh(); }

bool Node::ready() const { return state_->registration.ready(); }

void Node::handle(const http::ExchangePtr& exchange, const std::string& target) {
  auto parsed = parse_kubelet_target(target, state_->loop.wall_now());
  if (!parsed.ok()) return exchange->respond(refusal(parsed.error()));
  state_->loop.post([weak = std::weak_ptr(state_), exchange, target = std::move(*parsed)] {
    if (auto state = weak.lock()) return state->server.serve(exchange, target);
    exchange->post(
        [exchange] { exchange->respond(refusal(make_error(Reason::kUnavailable, "the node is stopping"))); });
  });
}

size_t Node::pods() const { return state_->workers.size(); }

}  // namespace stead::node
