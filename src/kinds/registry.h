#pragma once

// The registry of kinds: everything the API server, controllers and OpenAPI need to know of a resource, from the
// declarations (api/*.api, generated) and the rules of its group's folder. Built once at first use, immutable,
// safe from any thread.

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "object/descriptor.h"
#include "object/field_error.h"
#include "object/value.h"

namespace stead::kinds {

using object::FieldErrors;
using object::Value;

// One column of `kubectl get` (meta/v1 TableColumnDefinition). `priority` 0 shows always, 1 with -o wide.
struct Column {
  std::string_view name;
  std::string_view type = "string";  // string, integer, number, boolean, date
  std::string_view format;
  std::string_view description;
  int priority = 0;
};

// One served version of a resource. An old version may live in another group than its resource: extensions/v1beta1
// serves Deployments, which are kept as apps/v1.
struct Version {
  std::string_view group;                    // "" is core
  std::string_view name;                     // "v1", "v1beta1"
  std::string_view api_version;              // "apps/v1", "v1"
  const object::Message* message = nullptr;  // its descriptor
  std::string_view deprecation;              // Warning: header text; empty where current
  // Fills what this version's own rules add to declared defaults (they differ between versions). May be null.
  void (*set_defaults)(Value& document) = nullptr;
  // Between this version's form and the hub's; null where they are the same but for apiVersion.
  void (*to_hub)(Value& document) = nullptr;
  void (*from_hub)(Value& document) = nullptr;
};

// All hooks may be null. Documents are in hub form, shaped and defaulted. Hooks are pure.
struct Rules {
  // Clears or sets what a client may not choose at creation (status; generation is the API server's).
  void (*prepare_create)(Value& document) = nullptr;
  // Carries over what an update through the main path may not touch (status is already restored by the API server).
  void (*prepare_update)(Value& document, const Value& old) = nullptr;
  void (*validate)(const Value& document, FieldErrors& errors) = nullptr;
  void (*validate_update)(const Value& document, const Value& old, FieldErrors& errors) = nullptr;
  void (*validate_status_update)(const Value& document, const Value& old, FieldErrors& errors) = nullptr;
  // What the writer of a valid document should know, as Warning: headers say it. `old` is null for a new object.
  void (*warn)(const Value& document, const Value* old, std::vector<std::string>& warnings) = nullptr;
  // The cells of columns[], for `now`; default is name and age.
  std::vector<Value> (*cells)(const Value& document, WallTime now) = nullptr;
  // The text of a selectable field besides metadata.name and metadata.namespace; nullopt if not selectable.
  std::optional<std::string> (*field)(const Value& document, std::string_view path) = nullptr;
};

struct Resource {
  std::string_view group;     // of the hub; "" is core
  std::string_view name;      // plural: "statefulsets"
  std::string_view singular;  // "statefulset"
  std::string_view kind;      // "StatefulSet"
  std::vector<std::string_view> short_names;
  std::vector<std::string_view> categories;
  bool namespaced = true;
  bool status_subresource = false;
  bool scale_subresource = false;
  bool generation = false;  // metadata.generation is kept: raised when anything but metadata and status changes
  // How the name is checked: a format of object/names.h.
  std::string_view name_format = "dns1123Subdomain";
  std::vector<Version> versions;  // the hub first
  std::vector<Column> columns;
  std::vector<std::string_view> selectable_fields;  // besides metadata.name and metadata.namespace
  Rules rules;

  const Version& hub() const { return versions.front(); }
  // Of the resource's own group.
  const Version* version(std::string_view version_name) const { return version(group, version_name); }
  const Version* version(std::string_view in_group, std::string_view version_name) const;
};

class Registry {
 public:
  std::span<const Resource> resources() const { return resources_; }
  // The resource that is served under this name in `group`: as its own, or in an old version.
  const Resource* find(std::string_view group, std::string_view name) const;
  const Resource* find_kind(std::string_view group, std::string_view kind) const;
  // For building; the groups' register functions call it.
  Resource& add(Resource resource) { return resources_.emplace_back(std::move(resource)); }

 private:
  std::vector<Resource> resources_;
};

const Registry& registry();

}  // namespace stead::kinds
