#include "kinds/core/os_validation.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kContainerLists[] = {"initContainers", "containers", "ephemeralContainers"};

void forbid_present(const Path& path, const Value& object, std::initializer_list<std::string_view> names,
                    std::string_view why, FieldErrors& errors) {
  for (std::string_view name : names) {
    const Value& value = object.at(name);
    // A switch that is off asks for nothing.
    bool asks = name == "hostPID" || name == "hostIPC" ? value.as_bool() : !value.is_null();
    if (name == "sysctls") asks = !value.empty();
    if (asks) errors.forbidden(path.child(name), why);
  }
}

using CheckContext = void (*)(const Path& path, const Value& context, FieldErrors& errors);

void each_container(const Path& path, const Value& spec, CheckContext check_context, FieldErrors& errors) {
  for (std::string_view list : kContainerLists) {
    Path list_path = path.child(list);
    auto containers = spec.at(list).items();
    for (size_t i = 0; i < containers.size(); ++i) {
      Path at = list_path.index(i);
      check_context(at.child("securityContext"), containers[i].at("securityContext"), errors);
    }
  }
}

void validate_linux(const Path& path, const Value& spec, FieldErrors& errors) {
  CheckContext check_context = [](const Path& at, const Value& context, FieldErrors& found) {
    forbid_present(at, context, {"windowsOptions"}, "windows options cannot be set for a linux pod", found);
  };
  check_context(path.child("securityContext"), spec.at("securityContext"), errors);
  each_container(path, spec, check_context, errors);
}

void validate_windows(const Path& path, const Value& spec, FieldErrors& errors) {
  static constexpr std::string_view kWhy = "cannot be set for a windows pod";
  forbid_present(path.child("securityContext"), spec.at("securityContext"),
                 {"appArmorProfile", "seLinuxOptions", "seccompProfile", "fsGroup", "fsGroupChangePolicy", "sysctls",
                  "runAsUser", "runAsGroup", "supplementalGroups", "supplementalGroupsPolicy", "seLinuxChangePolicy"},
                 kWhy, errors);
  forbid_present(path, spec, {"hostUsers", "hostPID", "hostIPC", "shareProcessNamespace"}, kWhy, errors);
  each_container(
      path, spec,
      [](const Path& at, const Value& context, FieldErrors& found) {
        forbid_present(at, context,
                       {"appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem",
                        "privileged", "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup"},
                       kWhy, found);
      },
      errors);
}

}  // namespace

void validate_os(const Path& path, const Value& spec, FieldErrors& errors) {
  const Value* os = spec.find("os");
  if (os == nullptr) return;
  Path os_path = path.child("os");
  const Value& name = os->at("name");
  if (is_absent_or_empty(name)) {
    errors.required(os_path.child("name"), "cannot be empty");
  } else if (name.as_string() == "linux") {
    validate_linux(path, spec, errors);
  } else if (name.as_string() == "windows") {
    validate_windows(path, spec, errors);
  } else {
    check_optional_one_of(os_path, name, {"linux", "windows"}, errors);
  }
}

}  // namespace stead::kinds
