#include "kinds/core/pod_resize.h"

#include <algorithm>
#include <string>

#include "kinds/core/pod_state.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kLists[] = {"initContainers", "containers"};
constexpr std::string_view kResized[] = {"resources", "resizePolicy"};

bool same_names(const Value& containers, const Value& old) {
  auto now = containers.items();
  auto then = old.items();
  return std::equal(now.begin(), now.end(), then.begin(), then.end(),
                    [](const Value& a, const Value& b) { return a.at("name") == b.at("name"); });
}

void take(Value& container, const Value& from, std::string_view field) {
  if (const Value* found = from.find(field)) {
    container.set(field, *found);
  } else {
    container.erase(field);
  }
}

Value merged(const Value& containers, const Value& old) {
  if (!same_names(containers, old)) return containers;
  Value result = old;
  for (size_t i = 0; i < containers.size(); ++i) {
    for (std::string_view field : kResized) take(result.mutable_items()[i], containers.items()[i], field);
  }
  return result;
}

bool check_order(const Path& path, std::string_view list, const Value& containers, const Value& old,
                 FieldErrors& errors) {
  if (containers.size() != old.size()) {
    errors.forbidden(path, std::string(list) + " may not be added or removed on resize");
    return false;
  }
  bool kept = true;
  for (size_t i = 0; i < old.size(); ++i) {
    if (containers.items()[i].at("name") == old.items()[i].at("name")) continue;
    Path at = path.index(i);
    errors.forbidden(at.child("name"), std::string(list) + " may not be renamed or reordered on resize");
    kept = false;
  }
  return kept;
}

void check_kept(const Path& path, std::string_view which, const Value& container, const Value& old,
                FieldErrors& errors) {
  const Value& now = container.at({"resources", which});
  for (const object::Member& amount : old.at({"resources", which}).members()) {
    if (now.find(amount.name()) != nullptr) continue;
    Path resources = path.child("resources");
    errors.forbidden(resources.child(which), "resource " + std::string(which) + " cannot be removed");
    return;
  }
}

// The container with the CPU and memory that it had before.
Value without_resize(const Value& container, const Value& old) {
  Value result = container;
  for (std::string_view which : {"requests", "limits"}) {
    for (std::string_view name : {"cpu", "memory"}) {
      if (const Value* before = old.find({"resources", which, name})) {
        result.set({"resources", which, name}, *before);
      } else if (result.find({"resources", which}) != nullptr) {
        result.erase({"resources", which, name});
      }
    }
    if (result.at({"resources", which}).empty() && old.find({"resources", which}) == nullptr) {
      result.erase({"resources", which});
    }
  }
  return result;
}

// Empty resources are none.
bool same_container(Value a, Value b) {
  for (Value* one : {&a, &b}) {
    if (one->at("resources").empty()) one->erase("resources");
  }
  return a == b;
}

void check_container(const Path& path, std::string_view list, const Value& container, const Value& old,
                     FieldErrors& errors) {
  const bool resizable = is_resizable(list, container);
  if (resizable) {
    check_kept(path, "requests", container, old, errors);
    check_kept(path, "limits", container, old, errors);
    if (same_container(without_resize(container, old), old)) return;
    errors.forbidden(path, list == "containers" ? "only cpu and memory resources are mutable"
                                                : "only cpu and memory resources for sidecar containers are mutable");
  } else if (!same_container(container, old)) {
    errors.forbidden(path, "resources for non-sidecar init containers are immutable");
  }
}

}  // namespace

bool is_resizable(std::string_view list, const Value& container) {
  return list == "containers" || (list == "initContainers" && is_sidecar(container));
}

void narrow_pod_resize(Value& pod, const Value& old) {
  Value spec = old.at("spec");
  for (std::string_view list : kLists) {
    const Value* containers = pod.find({"spec", list});
    if (containers != nullptr) {
      spec.set(list, merged(*containers, old.at({"spec", list})));
    } else {
      spec.erase(list);
    }
  }
  pod = old;
  pod.set("spec", std::move(spec));
}

void validate_pod_resize(const Value& pod, const Value& old, FieldErrors& errors) {
  Path root("");
  if (old.find({"spec", "resources"}) != nullptr) {
    return errors.forbidden(root, "pods with pod-level resources cannot be resized");
  }
  if (old.find({"metadata", "annotations", "kubernetes.io/config.mirror"}) != nullptr) {
    return errors.forbidden(root, "static pods cannot be resized");
  }
  if (old.at({"spec", "os", "name"}).as_string() == "windows") {
    return errors.forbidden(root, "windows pods cannot be resized");
  }
  Path path("spec");
  std::string_view before = old.at({"status", "qosClass"}).as_string();
  if (before.empty()) before = pod_qos_class(old);
  std::string_view now = pod_qos_class(pod);
  if (before != now) errors.invalid(path, before, "Pod QOS Class may not change as a result of resizing");
  bool kept = true;
  for (std::string_view list : {"containers", "initContainers"}) {
    const bool same = check_order(path.child(list), list, pod.at({"spec", list}), old.at({"spec", list}), errors);
    kept = kept && same;
  }
  if (!kept) return;
  for (std::string_view list : kLists) {
    Path list_path = path.child(list);
    for (size_t i = 0; i < old.at({"spec", list}).size(); ++i) {
      check_container(list_path.index(i), list, pod.at({"spec", list}).items()[i], old.at({"spec", list}).items()[i],
                      errors);
    }
  }
}

}  // namespace stead::kinds
