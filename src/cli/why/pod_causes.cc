// Why a pod is not Ready.

#include <fmt/format.h>

#include <cctype>

#include "cli/why/explain.h"

namespace stead::cli::why {
namespace {

using object::Object;

std::string title(const Object& pod, std::string_view state) {
  return fmt::format("pod {}/{} {}", pod.ns(), pod.name(), state);
}

std::string edit_owner(const Object& pod) {
  for (const Value& owner : pod.metadata().at("ownerReferences").items()) {
    if (!owner.at("controller").as_bool()) continue;
    std::string kind(owner.at("kind").as_string());
    for (char& c : kind) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return fmt::format("kubectl edit {}/{}{}", kind, owner.at("name").as_string(), namespace_option(pod));
  }
  return fmt::format("kubectl get pod {0}{1} -o yaml, change it, and kubectl replace --force -f it", pod.name(),
                     namespace_option(pod));
}

// What would make nodes take the pod, by the scheduler's words for why they do not.
std::string mend_refusal(const Object& pod, std::string_view reason) {
  auto says = [&](std::string_view words) { return reason.find(words) != std::string_view::npos; };
  if (says("anti-affinity")) {
    return edit_owner(pod) + "   # fewer replicas, or preferredDuringScheduling… for podAntiAffinity; or add a node";
  }
  if (says("pod affinity")) return edit_owner(pod) + "   # spec.affinity.podAffinity names pods that no node has";
  if (says("topology spread")) return edit_owner(pod) + "   # spec.topologySpreadConstraints";
  if (says("unschedulable")) return "kubectl uncordon NODE";
  if (says("taint")) return "kubectl taint nodes NODE KEY-   # or give the pod a toleration: " + edit_owner(pod);
  if (says("node affinity/selector") || says("node name")) {
    return "kubectl label node NODE KEY=VALUE   # or change spec.nodeSelector: " + edit_owner(pod);
  }
  if (says("Insufficient") || says("Too many pods")) {
    return edit_owner(pod) + "   # ask for less in resources.requests, or add a node";
  }
  if (says("free ports")) return edit_owner(pod) + "   # another pod holds the hostPort";
  return {};
}

// "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable. preemption: …"
std::vector<Cause> refusals(const Object& pod, std::string_view message) {
  std::vector<Cause> causes;
  constexpr std::string_view kHead = "nodes are available: ";
  size_t head = message.find(kHead);
  if (head == std::string_view::npos) return causes;
  std::string_view rest = message.substr(head + kHead.size());
  rest = rest.substr(0, rest.find(". preemption:"));
  while (!rest.empty()) {
    size_t comma = rest.find(", ");
    // A comma within one reason is not followed by a count.
    while (comma != std::string_view::npos && comma + 2 < rest.size() &&
           std::isdigit(static_cast<unsigned char>(rest[comma + 2])) == 0) {
      comma = rest.find(", ", comma + 2);
    }
    std::string_view reason = rest.substr(0, comma);
    causes.push_back({std::string(reason), mend_refusal(pod, reason), {}});
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 2);
  }
  return causes;
}

Cause unscheduled(const ClusterView& view, const Object& pod) {
  Cause cause{title(pod, "is Pending: it has no node yet"), {}, reference_causes(view, pod)};
  const Value& gates = pod.spec().at("schedulingGates");
  if (!gates.empty()) {
    cause.causes.push_back({fmt::format("its scheduling gate {} is closed", gates.items()[0].at("name").as_string()),
                            "whoever set spec.schedulingGates must take it away",
                            {}});
    return cause;
  }
  std::string_view scheduler = pod.spec().at("schedulerName").as_string();
  const Value& scheduled = condition_of(pod, "PodScheduled");
  std::string_view message = scheduled.at("message").as_string();
  if (!scheduler.empty() && scheduler != "default-scheduler") {
    cause.causes.push_back({fmt::format("it waits for the scheduler {}, which is not part of this program", scheduler),
                            edit_owner(pod) + "   # spec.schedulerName: default-scheduler",
                            {}});
  } else if (cause.causes.empty()) {
    cause.causes = refusals(pod, message);
    if (cause.causes.empty()) {
      cause.causes.push_back(
          {message.empty() ? "the scheduler has not looked at it yet" : std::string(message), {}, {}});
    }
  } else if (!message.empty()) {
    cause.text += fmt::format(" ({})", message.substr(0, message.find(". preemption:")));
  }
  return cause;
}

void add_container_causes(const ClusterView& view, const Object& pod, Cause& cause) {
  for (bool init : {true, false}) {
    const Value& statuses = pod.status().at(init ? "initContainerStatuses" : "containerStatuses");
    for (const Value& container : pod.spec().at(init ? "initContainers" : "containers").items()) {
      static const Value kNoStatus;
      const Value* status = &kNoStatus;
      for (const Value& each : statuses.items()) {
        if (each.at("name") == container.at("name")) status = &each;
      }
      auto found = container_cause(view, pod, container, *status, init);
      if (found) cause.causes.push_back(std::move(*found));
    }
    // Containers wait for the init containers before them.
    if (init && !cause.causes.empty()) return;
  }
}

void add_event_cause(const ClusterView& view, const Object& pod, Cause& cause) {
  std::string sandbox = view.newest_warning(pod, {"FailedCreatePodSandBox"});
  std::string mount = view.newest_warning(pod, {"FailedMount", "FailedAttachVolume", "FailedMapVolume"});
  for (const std::string& message : {sandbox, mount}) {
    if (!message.empty()) cause.causes.push_back({message, {}, {}});
  }
}

Cause deleting(const Object& pod) {
  Cause cause{title(pod, "is being deleted"), {}, {}};
  const Value& finalizers = pod.metadata().at("finalizers");
  if (!finalizers.empty()) {
    cause.causes.push_back(
        {fmt::format("the finalizer {} holds it", finalizers.items()[0].as_string()),
         fmt::format("kubectl patch pod {}{} --type=merge -p '{{\"metadata\":{{\"finalizers\":null}}}}'"
                     "   # only if nobody needs it",
                     pod.name(), namespace_option(pod)),
         {}});
  } else {
    cause.causes.push_back(
        {fmt::format("its containers have until {} to end", pod.metadata().at("deletionTimestamp").as_string()),
         {},
         {}});
  }
  return cause;
}

}  // namespace

Cause explain_pod(const ClusterView& view, const Object& pod) {
  std::string_view phase = pod.status().at("phase").as_string();
  if (pod.deleting()) return deleting(pod);
  if (phase == "Succeeded") return {title(pod, "has done its work"), {}, {}};
  if (pod.spec().at("nodeName").as_string().empty()) return unscheduled(view, pod);
  if (condition_holds(pod, "Ready")) return {title(pod, "is Ready"), {}, {}};
  Cause cause{title(pod, fmt::format("is not Ready ({})", phase.empty() ? "Pending" : phase)), {}, {}};
  std::string_view message = pod.status().at("message").as_string();
  if (phase == "Failed" && !message.empty()) cause.causes.push_back({std::string(message), {}, {}});
  ObjectPtr node = view.find("nodes", "", pod.spec().at("nodeName").as_string());
  if (!node) {
    cause.causes.push_back({fmt::format("its node {} is gone", pod.spec().at("nodeName").as_string()),
                            fmt::format("kubectl delete pod {}{} --force", pod.name(), namespace_option(pod)),
                            {}});
  } else if (!condition_holds(*node, "Ready")) {
    cause.causes.push_back(explain_node(view, *node));
  }
  for (Cause& missing : reference_causes(view, pod)) cause.causes.push_back(std::move(missing));
  if (cause.causes.empty()) add_container_causes(view, pod, cause);
  if (cause.causes.empty()) add_event_cause(view, pod, cause);
  for (const Value& gate : pod.spec().at("readinessGates").items()) {
    std::string_view type = gate.at("conditionType").as_string();
    if (!condition_holds(pod, type))
      cause.causes.push_back({fmt::format("its readiness gate {} is not True", type), {}, {}});
  }
  if (cause.causes.empty()) cause.causes.push_back({"its containers are being started", {}, {}});
  return cause;
}

}  // namespace stead::cli::why
