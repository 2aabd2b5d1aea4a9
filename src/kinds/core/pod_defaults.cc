#include "kinds/core/pod_defaults.h"

#include "kinds/meta/checks.h"
#include "kinds/semantics/pod_requests.h"
#include "kinds/storage/claim_defaults.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kContainerLists[] = {"containers", "initContainers", "ephemeralContainers"};

void set_if_absent(Value& object, std::string_view name, Value value) {
  if (is_absent_or_empty(object.at(name))) object.set(name, std::move(value));
}

void set_handler_defaults(Value* handler) {
  if (handler == nullptr) return;
  if (Value* http = handler->find("httpGet")) {
    set_if_absent(*http, "path", "/");
    set_if_absent(*http, "scheme", "HTTP");
  }
  if (Value* grpc = handler->find("grpc")) {
    if (grpc->find("service") == nullptr) grpc->set("service", "");
  }
}

void set_probe_defaults(Value* probe) {
  if (probe == nullptr) return;
  set_handler_defaults(probe);
  for (auto [name, value] : {std::pair<std::string_view, int>{"timeoutSeconds", 1},
                             {"periodSeconds", 10},
                             {"successThreshold", 1},
                             {"failureThreshold", 3}}) {
    if (probe->at(name).as_int() == 0) probe->set(name, value);
  }
}

void set_field_ref_defaults(Value* field_ref) {
  if (field_ref != nullptr) set_if_absent(*field_ref, "apiVersion", "v1");
}

void set_container_defaults(Value& container) {
  set_if_absent(container, "imagePullPolicy", default_pull_policy(container.at("image").as_string()));
  set_if_absent(container, "terminationMessagePath", "/dev/termination-log");
  set_if_absent(container, "terminationMessagePolicy", "File");
  if (Value* ports = container.find("ports")) {
    for (Value& port : ports->mutable_items()) set_if_absent(port, "protocol", "TCP");
  }
  if (Value* env = container.find("env")) {
    for (Value& variable : env->mutable_items()) {
      if (Value* from = variable.find("valueFrom")) set_field_ref_defaults(from->find("fieldRef"));
    }
  }
  for (std::string_view probe : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    set_probe_defaults(container.find(probe));
  }
  if (Value* lifecycle = container.find("lifecycle")) {
    set_handler_defaults(lifecycle->find("postStart"));
    set_handler_defaults(lifecycle->find("preStop"));
  }
  if (container.find("resources") == nullptr) container.set("resources", Value::object());
}

void set_downward_defaults(Value* downward) {
  if (downward == nullptr) return;
  if (Value* items = downward->find("items")) {
    for (Value& item : items->mutable_items()) set_field_ref_defaults(item.find("fieldRef"));
  }
}

void set_projected_defaults(Value& projected) {
  Value* sources = projected.find("sources");
  if (sources == nullptr) return;
  for (Value& source : sources->mutable_items()) {
    set_downward_defaults(source.find("downwardAPI"));
    if (Value* token = source.find("serviceAccountToken")) {
      if (token->find("expirationSeconds") == nullptr) token->set("expirationSeconds", 3600);
    }
  }
}

void set_volume_defaults(Value& volume) {
  bool has_source = false;
  for (const object::Member& member : volume.members()) has_source |= member.name() != "name";
  if (!has_source) volume.set("emptyDir", Value::object());
  for (std::string_view source : {"secret", "configMap", "downwardAPI", "projected"}) {
    Value* found = volume.find(source);
    if (found != nullptr && found->find("defaultMode") == nullptr) found->set("defaultMode", 0644);
  }
  set_downward_defaults(volume.find("downwardAPI"));
  if (Value* projected = volume.find("projected")) set_projected_defaults(*projected);
  if (Value* host = volume.find("hostPath")) {
    if (host->find("type") == nullptr) host->set("type", "");
  }
  if (Value* iscsi = volume.find("iscsi")) set_if_absent(*iscsi, "iscsiInterface", "default");
  if (Value* image = volume.find("image")) {
    set_if_absent(*image, "pullPolicy", default_pull_policy(image->at("reference").as_string()));
  }
  if (Value* ephemeral = volume.find("ephemeral")) {
    if (Value* claim = ephemeral->find("volumeClaimTemplate")) set_claim_spec_defaults((*claim)["spec"]);
  }
}

void set_requests_from_limits(Value& container) {
  Value* resources = container.find("resources");
  if (resources == nullptr || resources->at("limits").empty()) return;
  // A copy: a new member may move those that stand beside it.
  const Value limits = resources->at("limits");
  for (const object::Member& limit : limits.members()) {
    Value& requests = (*resources)["requests"];
    if (requests.find(limit.name()) == nullptr) requests.set(limit.name(), limit.value);
  }
}

// What the pod as a whole may use bounds what it asks for (KEP-2837): the sum of its containers' requests, or else all
// it may use. Pages set aside are left to their containers.
void set_pod_requests(Value& pod) {
  const Value* limits = pod.find({"spec", "resources", "limits"});
  if (limits == nullptr || limits->empty()) return;
  Value requests = pod.at({"spec", "resources", "requests"});
  const auto asked = container_requests(pod.at("spec"));
  for (std::string_view name : {"cpu", "memory"}) {
    if (requests.find(name) != nullptr) continue;
    auto found = asked.find(name);
    if (found != asked.end()) {
      requests.set(name, found->second.str());
    } else if (const Value* limit = limits->find(name)) {
      requests.set(name, *limit);
    }
  }
  if (!requests.empty()) pod.set({"spec", "resources", "requests"}, std::move(requests));
}

void set_host_ports(Value& container) {
  Value* ports = container.find("ports");
  if (ports == nullptr) return;
  for (Value& port : ports->mutable_items()) {
    if (port.at("hostPort").as_int() == 0) port.set("hostPort", port.at("containerPort"));
  }
}

// The older spelling and the current one hold the same; the current one wins.
void mirror_service_account(Value& spec) {
  std::string name(spec.at("serviceAccountName").as_string());
  if (name.empty()) name = spec.at("serviceAccount").as_string();
  if (name.empty()) return;
  spec.set("serviceAccountName", name);
  spec.set("serviceAccount", name);
}

}  // namespace

std::string_view default_pull_policy(std::string_view image) {
  if (image.find('@') != std::string_view::npos) return "IfNotPresent";
  size_t slash = image.rfind('/');
  size_t colon = image.rfind(':');
  // A colon before the last slash belongs to the registry's port.
  bool tagged = colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash);
  return !tagged || image.substr(colon + 1) == "latest" ? "Always" : "IfNotPresent";
}

void set_pod_spec_defaults(Value& spec) {
  if (!spec.is_object()) return;
  set_if_absent(spec, "restartPolicy", "Always");
  set_if_absent(spec, "dnsPolicy", "ClusterFirst");
  set_if_absent(spec, "schedulerName", "default-scheduler");
  if (spec.find("terminationGracePeriodSeconds") == nullptr) spec.set("terminationGracePeriodSeconds", 30);
  if (spec.find("securityContext") == nullptr) spec.set("securityContext", Value::object());
  mirror_service_account(spec);
  if (Value* volumes = spec.find("volumes")) {
    for (Value& volume : volumes->mutable_items()) set_volume_defaults(volume);
  }
  for (std::string_view list : kContainerLists) {
    Value* containers = spec.find(list);
    if (containers == nullptr) continue;
    for (Value& container : containers->mutable_items()) set_container_defaults(container);
  }
}

void set_pod_defaults(Value& pod) {
  Value* spec = pod.find("spec");
  if (spec == nullptr) return;
  set_pod_spec_defaults(*spec);
  if (spec->find("enableServiceLinks") == nullptr) spec->set("enableServiceLinks", true);
  bool host_network = spec->at("hostNetwork").as_bool();
  for (std::string_view list : {"containers", "initContainers"}) {
    Value* containers = spec->find(list);
    if (containers == nullptr) continue;
    for (Value& container : containers->mutable_items()) {
      set_requests_from_limits(container);
      if (host_network) set_host_ports(container);
    }
  }
  set_pod_requests(pod);
}

}  // namespace stead::kinds
