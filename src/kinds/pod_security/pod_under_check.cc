#include "kinds/pod_security/pod_under_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace stead::kinds {
namespace {

const Value* find_path(const Value& from, std::initializer_list<std::string_view> path) {
  const Value* found = from.find("securityContext");
  for (std::string_view name : path) {
    if (found == nullptr) return nullptr;
    found = found->find(name);
  }
  return found;
}

}  // namespace

PodUnderCheck::PodUnderCheck(const Value& metadata_of_pod, const Value& spec_of_pod)
    : metadata(metadata_of_pod), spec(spec_of_pod) {
  for (std::string_view list : {"initContainers", "containers", "ephemeralContainers"}) {
    for (const Value& container : spec.at(list).items()) containers.push_back(&container);
  }
}

bool PodUnderCheck::windows() const { return spec.at({"os", "name"}).as_string() == "windows"; }

bool PodUnderCheck::in_own_user_namespace() const {
  const Value* host_users = spec.find("hostUsers");
  return host_users != nullptr && !host_users->as_bool(true);
}

const Value* PodUnderCheck::pod_context(std::initializer_list<std::string_view> path) const {
  return find_path(spec, path);
}

const Value* container_context(const Value& container, std::initializer_list<std::string_view> path) {
  return find_path(container, path);
}

std::string name_of_container(const Value& container) { return std::string(container.at("name").as_string()); }

std::string quoted(const Names& names) { return fmt::format("\"{}\"", fmt::join(names, "\", \"")); }

std::string quoted(const NameSet& names) { return fmt::format("\"{}\"", fmt::join(names, "\", \"")); }

std::string joined(const Names& names, std::string_view separator) {
  return fmt::format("{}", fmt::join(names, separator));
}

std::string_view counted(size_t count, std::string_view one, std::string_view many) { return count == 1 ? one : many; }

std::string containers_text(const Names& containers) {
  return fmt::format("{} {}", counted(containers.size(), "container", "containers"), quoted(containers));
}

std::string setters_text(bool pod, const Names& containers) {
  if (containers.empty()) return pod ? "pod" : "";
  return (pod ? "pod and " : "") + containers_text(containers);
}

}  // namespace stead::kinds
