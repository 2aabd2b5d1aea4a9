#include "node/registration.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "kinds/meta/conditions.h"
#include "object/quantity.h"
#include "object/time.h"

namespace stead::node {
namespace {

using client::Request;
using client::Response;
using client::Verb;
using object::Value;

constexpr size_t kImagesMax = 50;  // kubelet: nodeStatusMaxImages
constexpr int kLeaseSeconds = 40;
constexpr char kLeaseNamespace[] = "kube-node-lease";
constexpr Duration kRetryFirst = std::chrono::milliseconds(50);
constexpr Duration kRetryMax = std::chrono::seconds(5);

Value node_labels(const NodeOptions& options) {
  Value labels = Value::object({{"beta.kubernetes.io/arch", options.machine.architecture},
                                {"beta.kubernetes.io/os", "linux"},
                                {"kubernetes.io/arch", options.machine.architecture},
                                {"kubernetes.io/hostname", options.node_name},
                                {"kubernetes.io/os", "linux"}});
  for (const auto& [key, value] : options.labels) labels.set(key, value);
  return labels;
}

Value condition(const Value& old, const char* type, bool holds, std::string reason, std::string message,
                const std::string& now) {
  const char* status = holds ? "True" : "False";
  std::string since = now;
  for (const Value& known : old.at("conditions").items()) {
    if (known.at("type").as_string() == type && known.at("status").as_string() == status) {
      since = known.at("lastTransitionTime").as_string();
    }
  }
  return Value::object({{"type", type},
                        {"status", status},
                        {"lastHeartbeatTime", now},
                        {"lastTransitionTime", since},
                        {"reason", std::move(reason)},
                        {"message", std::move(message)}});
}

Value image_list(std::vector<ImageInfo> images) {
  std::sort(images.begin(), images.end(), [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  if (images.size() > kImagesMax) images.resize(kImagesMax);
  Value list = Value::array();
  for (const ImageInfo& image : images) {
    Value names = Value::array();
    for (const std::string& digest : image.digests) names.append(digest);
    for (const std::string& tag : image.tags) names.append(tag);
    list.append(Value::object({{"names", std::move(names)}, {"sizeBytes", static_cast<int64_t>(image.bytes)}}));
  }
  return list;
}

// What a change of is worth a write of its own.
Value essence(const Value& status) {
  Value copy = status;
  if (Value* conditions = copy.find("conditions")) {
    for (Value& one : conditions->mutable_items()) one.erase("lastHeartbeatTime");
  }
  return copy;
}

}  // namespace

Value node_object(const NodeOptions& options) {
  Value object =
      Value::object({{"apiVersion", "v1"},
                     {"kind", "Node"},
                     {"metadata", Value::object({{"name", options.node_name}, {"labels", node_labels(options)}})},
                     {"spec", Value::object()}});
  if (!options.pod_cidr.empty()) {
    object.set({"spec", "podCIDR"}, options.pod_cidr);
    object.set({"spec", "podCIDRs"}, Value::array({options.pod_cidr}));
  }
  return object;
}

Value node_status(const NodeOptions& options, const NodeState& state, const Value& old, WallTime wall_now) {
  const MachineFacts& machine = options.machine;
  std::string now = object::format_time(wall_now);
  Value capacity = Value::object({{"cpu", std::to_string(machine.cpus)},
                                  {"memory", fmt::format("{}Ki", machine.memory_bytes / 1024)},
                                  {"ephemeral-storage", fmt::format("{}Ki", machine.storage_bytes / 1024)},
                                  {"hugepages-1Gi", "0"},
                                  {"hugepages-2Mi", "0"},
                                  {"pods", std::to_string(options.pods_max)}});
  Value info = Value::object({{"machineID", machine.machine_id},
                              {"systemUUID", machine.system_uuid},
                              {"bootID", machine.boot_id},
                              {"kernelVersion", machine.kernel_version},
                              {"osImage", machine.os_image},
                              {"containerRuntimeVersion", state.runtime_version},
                              {"kubeletVersion", "v1.35.0+stead"},
                              {"kubeProxyVersion", ""},
                              {"operatingSystem", "linux"},
                              {"architecture", machine.architecture}});
  bool ready = state.not_ready.empty();
  Value conditions = Value::array(
      {condition(old, "MemoryPressure", false, "KubeletHasSufficientMemory", "kubelet has sufficient memory available",
                 now),
       condition(old, "DiskPressure", false, "KubeletHasNoDiskPressure", "kubelet has no disk pressure", now),
       condition(old, "PIDPressure", false, "KubeletHasSufficientPID", "kubelet has sufficient PID available", now),
       condition(old, "Ready", ready, ready ? "KubeletReady" : "KubeletNotReady",
                 ready ? "kubelet is posting ready status" : state.not_ready, now)});
  return Value::object(
      {{"addresses", Value::array({Value::object({{"type", "InternalIP"}, {"address", options.node_ip}}),
                                   Value::object({{"type", "Hostname"}, {"address", options.node_name}})})},
       {"capacity", capacity},
       {"allocatable", capacity},
       {"conditions", std::move(conditions)},
       {"daemonEndpoints",
        Value::object({{"kubeletEndpoint", Value::object({{"Port", static_cast<int>(options.kubelet_port)}})}})},
       {"nodeInfo", std::move(info)},
       {"images", image_list(state.images)}});
}

//   registering ──▶ registered: status when due, lease when due ──object gone──▶ sent away
//        ▲                                                             └─ out of touch before: again ─┐
//        └────────────────────────────────────────────────────────────────────────────────────────────┘
struct Registration::State : std::enable_shared_from_this<Registration::State> {
  State(const NodeContext& the_context, LeftOver the_left_over)
      : context(the_context),
        left_over(std::move(the_left_over)),
        own(context.transport, context.loop, {"", "nodes"}, "metadata.name=" + context.options.node_name) {}

  NodeContext context;
  const LeftOver left_over;
  client::Informer own;
  bool sent_away = false;
  bool out_of_touch = false;  // a heartbeat failed, and no status has been written since
  bool cleaning = false;      // a new node object: not Ready before the former life is cleaned away
  bool enrolling = false;
  bool renewing = false;
  bool reporting = false;  // status_due() is on its way
  NodeState seen;
  bool looked = false;
  bool registered = false;
  bool writing = false;
  bool dirty = false;
  Value reported;       // status as last written
  int64_t written = 0;  // the revision of the last status written
  std::string node_uid;
  Duration retry = kRetryFirst;
  Duration look_retry = kRetryFirst;

  void after(Duration delay, void (State::*step)()) {
    context.loop.call_after(delay, [weak = weak_from_this(), step] {
      if (auto self = weak.lock()) (self.get()->*step)();
    });
  }
  void again(void (State::*step)()) {
    after(retry, step);
    retry = std::min(retry * 2, kRetryMax);
  }
  Request request(Verb verb) const {
    Request one;
    one.verb = verb;
    one.resource = "nodes";
    one.name = context.options.node_name;
    return one;
  }
  void call(Request one, void (State::*then)(Result<Response>)) {
    context.transport.call(std::move(one), [weak = weak_from_this(), then](Result<Response> response) {
      if (auto self = weak.lock()) (self.get()->*then)(std::move(response));
    });
  }

  void start() {
    own.on_change([weak = weak_from_this()](const object::ObjectPtr& before, const object::ObjectPtr& after) {
      auto self = weak.lock();
      if (!self || !self->registered) return;
      if (after && (!before || before->uid() == after->uid())) return self->check_conditions();
      self->object_gone(before);
    });
    own.start();
    look();
    enroll();
  }

  static std::string conditions_text(const Value& status) {
    std::string text;
    for (const char* type : {"MemoryPressure", "DiskPressure", "PIDPressure", "Ready"}) {
      const Value* one = kinds::find_condition(status, type);
      if (one != nullptr) text.append(one->at("status").as_string()).append(" ");
    }
    return text;
  }

  // Who hears no heartbeat writes Unknown into the conditions: they are put right as soon as that is seen.
  void check_conditions() {
    object::ObjectPtr node = own.get(context.options.node_name);
    if (!node || !registered || writing || node->uid() != node_uid || node->revision() < written) return;
    if (reported.at("conditions").empty() || conditions_text(node->status()) == conditions_text(reported)) return;
    reported = node->status();
    write_status();
  }

  void object_gone(const object::ObjectPtr& last) {
    registered = false;
    if (last && conditions_text(last->status()).find("Unknown") != std::string::npos) out_of_touch = true;
    enroll();
  }

  void enroll() {
    if (enrolling || sent_away) return;
    enrolling = true;
    call(request(Verb::kGet), &State::found);
  }

  void enroll_again() {
    enrolling = false;
    again(&State::enroll);
  }

  void found(Result<Response> response) {
    if (response.ok()) {
      // Labels of others stay; ours are brought up to date.
      Request patch = request(Verb::kPatch);
      patch.patch_type = client::PatchType::kMerge;
      Value object = node_object(context.options);
      patch.body = Value::object(
          {{"metadata", Value::object({{"labels", object.at({"metadata", "labels"})}})}, {"spec", object.at("spec")}});
      if (!response->object->spec().at("podCIDR").is_null()) patch.body.erase("spec");
      return call(std::move(patch), &State::enrolled);
    }
    if (response.error().reason != Reason::kNotFound) return enroll_again();
    if (!node_uid.empty() && !out_of_touch) {
      sent_away = true;
      log::warning("node", "node {} was deleted; it stays out of the cluster until it is started again",
                   context.options.node_name);
      return;
    }
    cleaning = true;
    Request create = request(Verb::kCreate);
    create.body = node_object(context.options);
    call(std::move(create), &State::enrolled);
  }

  void enrolled(Result<Response> response) {
    if (!response.ok()) {
      log::warning("node", "registration of {}: {}", context.options.node_name, response.error().message);
      return enroll_again();
    }
    retry = kRetryFirst;
    enrolling = false;
    registered = true;
    node_uid = response->object->uid();
    // The first status is always written: what is there may be of an earlier life.
    reported = Value::object({{"conditions", response->object->status().at("conditions")}});
    write_status();
    if (!renewing) renew_lease();
    if (!reporting) after(context.options.status_period, &State::status_due);
    reporting = true;
  }

  void status_due() {
    reported = Value::object({{"conditions", reported.at("conditions")}});
    look();
    after(context.options.status_period, &State::status_due);
  }

  void look() {
    auto work = [&runtime = context.runtime] {
      NodeState state;
      auto version = runtime.version();
      auto reason = runtime.not_ready_reason();
      auto images = runtime.list_images();
      if (version.ok()) state.runtime_version = *version;
      state.not_ready = reason.ok() ? *reason : "container runtime is down: " + reason.error().message;
      if (images.ok()) state.images = std::move(*images);
      return state;
    };
    in_background(context.pool, context.loop, std::move(work), [weak = weak_from_this()](NodeState state) {
      auto self = weak.lock();
      if (!self) return;
      self->looked = true;
      if (state.runtime_version.empty()) state.runtime_version = self->seen.runtime_version;
      bool ready = state.not_ready.empty();
      self->seen = std::move(state);
      self->write_status();
      // The runtime tells nobody when it or its network becomes ready.
      self->look_retry = ready ? kRetryFirst : std::min(self->look_retry * 2, kRetryMax);
      if (!ready) self->after(self->look_retry, &State::look);
    });
  }

  void write_status() {
    if (!registered || !looked) return;
    if (writing) {
      dirty = true;
      return;
    }
    NodeState state = seen;
    if (cleaning && state.not_ready.empty()) {
      auto left = left_over();
      if (!left) return;  // cleaned() follows
      state.not_ready = *left;
    }
    if (state.not_ready.empty()) cleaning = false;
    Value status = node_status(context.options, state, reported, context.loop.wall_now());
    if (essence(status) == essence(reported)) return;
    Request patch = request(Verb::kPatch);
    patch.subresource = "status";
    patch.patch_type = client::PatchType::kStrategicMerge;
    // Addresses merge by type in the API; ours replace what was there.
    Value body = status;
    body["addresses"].mutable_items().insert(body["addresses"].mutable_items().begin(),
                                             Value::object({{"$patch", "replace"}}));
    patch.body = Value::object({{"status", std::move(body)}});
    writing = true;
    reported = std::move(status);
    call(std::move(patch), &State::status_written);
  }

  void status_written(Result<Response> response) {
    writing = false;
    if (!response.ok()) {
      log::warning("node", "status of node {}: {}", context.options.node_name, response.error().message);
      reported = Value::object({{"conditions", reported.at("conditions")}});
      return again(&State::write_status);
    }
    retry = kRetryFirst;
    out_of_touch = false;
    written = response->object->revision();
    if (std::exchange(dirty, false)) write_status();
    check_conditions();
  }

  Request lease(Verb verb) const {
    Request one;
    one.verb = verb;
    one.group = "coordination.k8s.io";
    one.resource = "leases";
    one.ns = kLeaseNamespace;
    one.name = context.options.node_name;
    return one;
  }

  void renew_lease() {
    renewing = registered;
    if (!registered) return;
    Request patch = lease(Verb::kPatch);
    patch.patch_type = client::PatchType::kMerge;
    patch.body = Value::object({{"spec", lease_spec()}});
    call(std::move(patch), &State::lease_renewed);
  }

  Value lease_spec() const {
    return Value::object({{"holderIdentity", context.options.node_name},
                          {"leaseDurationSeconds", kLeaseSeconds},
                          {"renewTime", object::format_micro_time(context.loop.wall_now())}});
  }

  void lease_renewed(Result<Response> response) {
    if (response.ok() || response.error().reason != Reason::kNotFound) {
      if (!response.ok()) {
        out_of_touch = true;
        log::warning("node", "lease: {}", response.error().message);
      }
      return after(context.options.lease_period, &State::renew_lease);
    }
    Value owner =
        Value::object({{"apiVersion", "v1"}, {"kind", "Node"}, {"name", context.options.node_name}, {"uid", node_uid}});
    Request create = lease(Verb::kCreate);
    create.body = Value::object({{"apiVersion", "coordination.k8s.io/v1"},
                                 {"kind", "Lease"},
                                 {"metadata", Value::object({{"name", context.options.node_name},
                                                             {"namespace", kLeaseNamespace},
                                                             {"ownerReferences", Value::array({std::move(owner)})}})},
                                 {"spec", lease_spec()}});
    call(std::move(create), &State::lease_created);
  }

  void lease_created(Result<Response> response) {
    if (!response.ok()) log::debug("node", "lease: {}", response.error().message);
    after(response.ok() ? context.options.lease_period : Duration(std::chrono::seconds(1)), &State::renew_lease);
  }
};

Registration::Registration(const NodeContext& context, LeftOver left_over)
    : state_(std::make_shared<State>(context, std::move(left_over))) {}
Registration::~Registration() = default;

void Registration::start() { state_->start(); }

void Registration::cleaned() {
  if (state_->cleaning) state_->write_status();
}

void Registration::refresh() {
  // What has just changed takes effect within milliseconds.
  state_->look_retry = kRetryFirst / 4;
  state_->look();
}

bool Registration::ready() const { return state_->registered && state_->looked && state_->seen.not_ready.empty(); }

}  // namespace stead::node
