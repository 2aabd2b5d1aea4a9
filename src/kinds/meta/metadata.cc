#include "kinds/meta/metadata.h"

#include <algorithm>
#include <string>

#include "kinds/custom/custom_kind.h"
#include "kinds/meta/checks.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr size_t kAnnotationBytesMax = 256 * 1024;

// A prefix is checked as if the generated suffix stood where its trailing dashes are.
std::string without_trailing_dash(std::string_view prefix) {
  std::string text(prefix);
  if (text.size() > 1 && text.ends_with('-')) text.replace(text.size() - 2, 2, "a");
  return text;
}

void check_name(const Resource& resource, const Path& path, const Value& metadata, FieldErrors& errors) {
  const Value& prefix = metadata.at("generateName");
  if (!is_absent_or_empty(prefix)) {
    check(path.child("generateName"), prefix,
          object::check_format(resource.name_format, without_trailing_dash(prefix.as_string())), errors);
  }
  const Value& name = metadata.at("name");
  if (is_absent_or_empty(name)) {
    errors.required(path.child("name"), "name or generateName is required");
  } else {
    check(path.child("name"), name, object::check_format(resource.name_format, name.as_string()), errors);
  }
  if (!resource.namespaced) return;
  const Value& ns = metadata.at("namespace");
  if (check_present(path.child("namespace"), ns, errors)) {
    check(path.child("namespace"), ns, object::check_dns1123_label(ns.as_string()), errors);
  }
}

void check_owners(const Path& path, const Value& owners, FieldErrors& errors) {
  std::string controller;
  for (const Value& owner : owners.items()) {
    if (is_absent_or_empty(owner.at("apiVersion"))) {
      errors.invalid(path.child("apiVersion"), owner.at("apiVersion"), "version must not be empty");
    }
    for (std::string_view name : {"kind", "name", "uid"}) {
      if (is_absent_or_empty(owner.at(name))) errors.invalid(path.child(name), Value(""), "must not be empty");
    }
    if (owner.at("apiVersion").as_string() == "v1" && owner.at("kind").as_string() == "Event") {
      errors.invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner");
    }
    if (!owner.at("controller").as_bool()) continue;
    std::string named = std::string(owner.at("kind").as_string()) + "/" + std::string(owner.at("name").as_string());
    if (controller.empty()) {
      controller = named;
    } else {
      errors.invalid(path, owners,
                     "Only one reference can have Controller set to true. Found \"true\" in references for " +
                         controller + " and " + named);
    }
  }
}

// What the server's own groups are strict about, and those who extend it never were.
bool extends_the_api(const Resource& resource) {
  return custom_of(resource) != nullptr || resource.group == "apiextensions.k8s.io" ||
         resource.group == "apiregistration.k8s.io";
}

bool is_standard_finalizer(std::string_view text) {
  return text == "orphan" || text == "foregroundDeletion" || text == "kubernetes";
}

void check_finalizers(const Resource& resource, const Path& path, const Value& finalizers, FieldErrors& errors) {
  bool orphan = false;
  bool foreground = false;
  for (size_t i = 0; i < finalizers.size(); ++i) {
    const Value& finalizer = finalizers.items()[i];
    std::string_view text = finalizer.as_string();
    orphan |= text == "orphan";
    foreground |= text == "foregroundDeletion";
    check(path, finalizer, object::check_qualified_name(text), errors);
    if (!is_standard_finalizer(text) && text.find('/') == std::string_view::npos && !extends_the_api(resource)) {
      errors.invalid(path.index(i), finalizer, "name is neither a standard finalizer name nor is it fully qualified");
    }
  }
  if (orphan && foreground) {
    errors.invalid(path, finalizers, "finalizer orphan and foregroundDeletion cannot be both set");
  }
}

void check_rest(const Resource& resource, const Path& path, const Value& metadata, FieldErrors& errors) {
  check_labels(path.child("labels"), metadata.at("labels"), errors);
  check_annotations(path.child("annotations"), metadata.at("annotations"), errors);
  check_owners(path.child("ownerReferences"), metadata.at("ownerReferences"), errors);
  check_finalizers(resource, path.child("finalizers"), metadata.at("finalizers"), errors);
}

void check_no_new_finalizers(const Path& path, const Value& finalizers, const Value& old, FieldErrors& errors) {
  std::string added;
  for (const Value& finalizer : finalizers.items()) {
    auto before = old.items();
    if (std::find(before.begin(), before.end(), finalizer) != before.end()) continue;
    if (!added.empty()) added += ", ";
    added += '"' + std::string(finalizer.as_string()) + '"';
  }
  if (added.empty()) return;
  errors.forbidden(
      path,
      "no new finalizers can be added if the object is being deleted, found new finalizers []string{" + added + "}");
}

}  // namespace

void check_finalizer_names(const Path& path, const Value& finalizers, FieldErrors& errors) {
  for (const Value& finalizer : finalizers.items()) {
    std::string_view text = finalizer.as_string();
    check(path, finalizer, object::check_qualified_name(text), errors);
    if (is_standard_finalizer(text) || text.find('/') != std::string_view::npos) continue;
    errors.invalid(path, finalizer, "name is neither a standard finalizer name nor is it fully qualified");
  }
}

void check_annotations(const Path& path, const Value& annotations, FieldErrors& errors) {
  size_t bytes = 0;
  for (const object::Member& annotation : annotations.members()) {
    check(path, Value(annotation.name()), object::check_qualified_name(lower(annotation.name())), errors);
    bytes += annotation.name().size() + annotation.value.as_string().size();
  }
  if (bytes > kAnnotationBytesMax) errors.too_long(path, Value(""), kAnnotationBytesMax);
}

void validate_metadata(const Resource& resource, const Value& document, FieldErrors& errors) {
  Path path("metadata");
  const Value& metadata = document.at("metadata");
  check_name(resource, path, metadata, errors);
  check_rest(resource, path, metadata, errors);
}

void validate_metadata_update(const Resource& resource, const Value& document, const Value& old, FieldErrors& errors) {
  Path path("metadata");
  const Value& metadata = document.at("metadata");
  const Value& before = old.at("metadata");
  for (std::string_view name : {"name", "namespace", "uid", "creationTimestamp"}) {
    check_unchanged(path.child(name), metadata.at(name), before.at(name), errors);
  }
  // Deletion is set by delete requests only, and never taken back (the API server carries both fields over).
  if (before.find("deletionTimestamp") != nullptr) {
    for (std::string_view name : {"deletionTimestamp", "deletionGracePeriodSeconds"}) {
      check_unchanged(path.child(name), metadata.at(name), before.at(name), errors);
    }
    check_no_new_finalizers(path.child("finalizers"), metadata.at("finalizers"), before.at("finalizers"), errors);
  }
  check_rest(resource, path, metadata, errors);
}

}  // namespace stead::kinds
