#include "kinds/core/mount_validation.h"

#include <algorithm>
#include <set>

namespace stead::kinds {
namespace {

bool any_has(const Value& list, std::string_view member, std::string_view text) {
  auto items = list.items();
  return std::any_of(items.begin(), items.end(),
                     [&](const Value& item) { return item.at(member).as_string() == text; });
}

void validate_propagation(const Path& path, const Value& mount, const Value& container, FieldErrors& errors) {
  const Value& mode = mount.at("mountPropagation");
  if (mode.is_null()) return;
  if (mode.as_string() == "Bidirectional" && !container.at({"securityContext", "privileged"}).as_bool()) {
    errors.forbidden(path, "Bidirectional mount propagation is available only to privileged containers");
    return;
  }
  check_optional_one_of(path, mode, {"Bidirectional", "HostToContainer", "None"}, errors);
}

void validate_recursive_read_only(const Path& path, const Value& mount, FieldErrors& errors) {
  const Value& mode = mount.at("recursiveReadOnly");
  if (mode.is_null()) return;
  std::string_view text = mode.as_string();
  if (text == "Disabled") return;
  if (text != "Enabled" && text != "IfPossible") {
    check_optional_one_of(path, mode, {"Disabled", "Enabled", "IfPossible"}, errors);
    return;
  }
  if (!mount.at("readOnly").as_bool()) errors.forbidden(path, "may only be specified when readOnly is true");
  std::string_view propagation = mount.at("mountPropagation").as_string();
  if (!propagation.empty() && propagation != "None") {
    errors.forbidden(path, "may only be specified when mountPropagation is None or not specified");
  }
}

void validate_sub_path(const Path& list_path, const Path& path, const Value& mount, const Value* volume,
                       FieldErrors& errors) {
  bool in_image = volume != nullptr && volume->find("image") != nullptr;
  for (std::string_view name : {"subPath", "subPathExpr"}) {
    const Value& sub = mount.at(name);
    if (is_absent_or_empty(sub)) continue;
    if (in_image) errors.invalid(path.child(name), sub, "not allowed in image volume sources");
    if (name == "subPathExpr" && !is_absent_or_empty(mount.at("subPath"))) {
      errors.invalid(path.child(name), sub, "subPathExpr and subPath are mutually exclusive");
    }
    // Upstream names the list here, not the entry; clients see that path.
    check_descending_path(list_path.child(name), sub, errors);
  }
}

}  // namespace

void validate_mounts(const Path& path, const Value& container, const VolumesByName& volumes, FieldErrors& errors) {
  std::set<std::string_view> places;
  const Value& mounts = container.at("volumeMounts");
  const Value& devices = container.at("volumeDevices");
  for (size_t i = 0; i < mounts.size(); ++i) {
    const Value& mount = mounts.items()[i];
    Path at = path.index(i);
    Value name(mount.at("name").as_string());
    Value place(mount.at("mountPath").as_string());
    check_present(at.child("name"), name, errors);
    auto volume = volumes.find(name.as_string());
    if (volume == volumes.end()) errors.not_found(at.child("name"), name);
    check_present(at.child("mountPath"), place, errors);
    if (!places.insert(mount.at("mountPath").as_string()).second) {
      errors.invalid(at.child("mountPath"), place, "must be unique");
    }
    if (any_has(devices, "name", name.as_string())) {
      errors.invalid(at.child("name"), name, "must not already exist in volumeDevices");
    }
    if (any_has(devices, "devicePath", place.as_string())) {
      errors.invalid(at.child("mountPath"), place, "must not already exist as a path in volumeDevices");
    }
    validate_sub_path(path, at, mount, volume == volumes.end() ? nullptr : volume->second, errors);
    validate_propagation(path.child("mountPropagation"), mount, container, errors);
    validate_recursive_read_only(path.child("recursiveReadOnly"), mount, errors);
  }
}

void validate_devices(const Path& path, const Value& container, const VolumesByName& volumes, FieldErrors& errors) {
  std::set<std::string_view> names;
  std::set<std::string_view> places;
  const Value& devices = container.at("volumeDevices");
  const Value& mounts = container.at("volumeMounts");
  for (size_t i = 0; i < devices.size(); ++i) {
    const Value& device = devices.items()[i];
    Path at = path.index(i);
    std::string_view name = device.at("name").as_string();
    std::string_view place = device.at("devicePath").as_string();
    check_present(at.child("name"), device.at("name"), errors);
    if (!name.empty() && !names.insert(name).second) errors.invalid(at.child("name"), Value(name), "must be unique");
    auto volume = volumes.find(name);
    if (volume == volumes.end()) {
      errors.not_found(at.child("name"), Value(name));
    } else if (volume->second->find("persistentVolumeClaim") == nullptr &&
               volume->second->find("ephemeral") == nullptr) {
      errors.invalid(at.child("name"), Value(name),
                     "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode");
    }
    check_present(at.child("devicePath"), device.at("devicePath"), errors);
    if (!places.insert(place).second) errors.invalid(at.child("devicePath"), Value(place), "must be unique");
    FieldErrors backsteps;
    check_no_backsteps(at, device.at("devicePath"), backsteps);
    if (!backsteps.empty()) {
      errors.invalid(at.child("devicePath"), Value(place), "can not contain backsteps ('..')");
    }
    if (any_has(mounts, "name", name)) {
      errors.invalid(at.child("name"), Value(name), "must not already exist in volumeMounts");
    }
    if (any_has(mounts, "mountPath", place)) {
      errors.invalid(at.child("devicePath"), Value(place), "must not already exist as a path in volumeMounts");
    }
  }
}

}  // namespace stead::kinds
