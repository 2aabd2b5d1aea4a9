#include "kinds/storage/volume_text.h"

#include <algorithm>

namespace stead::kinds {
namespace {

struct Mode {
  std::string_view name;
  std::string_view shown;
};
// In the order in which they are shown.
constexpr Mode kModes[] = {
    {"ReadWriteOnce", "RWO"}, {"ReadOnlyMany", "ROX"}, {"ReadWriteMany", "RWX"}, {"ReadWriteOncePod", "RWOP"}};
constexpr std::string_view kSupported[] = {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"};

}  // namespace

void check_access_modes(const Path& path, const Value& modes, FieldErrors& errors) {
  bool exclusive = false;
  bool others = false;
  for (const Value& mode : modes.items()) {
    std::string_view text = mode.as_string();
    bool supported = std::find(std::begin(kSupported), std::end(kSupported), text) != std::end(kSupported);
    if (!supported) errors.not_supported(path, mode, kSupported);
    exclusive |= text == "ReadWriteOncePod";
    others |= supported && text != "ReadWriteOncePod";
  }
  if (exclusive && others) errors.forbidden(path, "may not use ReadWriteOncePod with other access modes");
}

std::string access_modes_text(const Value& modes) {
  std::string text;
  for (const Mode& mode : kModes) {
    auto items = modes.items();
    if (std::none_of(items.begin(), items.end(), [&](const Value& v) { return v.as_string() == mode.name; })) continue;
    if (!text.empty()) text += ',';
    text += mode.shown;
  }
  return text;
}

std::string class_text(const Value& document) {
  const Value* annotated = document.find({"metadata", "annotations", "volume.beta.kubernetes.io/storage-class"});
  const Value& name = annotated != nullptr ? *annotated : document.at({"spec", "storageClassName"});
  return std::string(name.as_string());
}

}  // namespace stead::kinds
