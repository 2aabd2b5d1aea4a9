#include "kinds/core/storage_service_sources.h"

#include <re2/re2.h>

#include <array>
#include <string>

#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr size_t kDriverBytesMax = 63;
constexpr size_t kIscsiNameBytesMax = 64;
constexpr size_t kQuobyteTenantBytesMax = 64;

// A reference to a Secret; its namespace is the pod's where a pod holds it.
void check_secret(const Path& path, const Value* secret, const VolumeOwner& owner, FieldErrors& errors) {
  if (secret == nullptr) return;
  check_present(path.child("name"), secret->at("name"), errors);
  if (owner.is_persistent) check_present(path.child("namespace"), secret->at("namespace"), errors);
}

bool starts_as_iscsi_name(std::string_view text) {
  return text.starts_with("iqn") || text.starts_with("eui") || text.starts_with("naa");
}

bool is_iscsi_name(std::string_view text) {
  static const auto& kForm =
      *new RE2(R"(iqn\.\d{4}-\d{2}\.[[:alnum:].-]+:[^,;*&$|\s]+|eui.[[:alnum:]]{16}|naa.[[:alnum:]]{32})");
  return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), kForm);
}

void check_iscsi_name(const Path& path, const Value& name, const VolumeOwner& owner, FieldErrors& errors) {
  if (!starts_as_iscsi_name(name.as_string())) {
    errors.invalid(
        path, name,
        owner.is_persistent ? "must be valid format" : "must be valid format starting with iqn, eui, or naa");
  } else if (!is_iscsi_name(name.as_string())) {
    errors.invalid(path, name, "must be valid format");
  }
}

void validate_iscsi(const Path& path, const Value& source, const VolumeOwner& owner, FieldErrors& errors) {
  const Value& portal = source.at("targetPortal");
  check_present(path.child("targetPortal"), portal, errors);
  const Value* initiator = source.find("initiatorName");
  bool long_name = owner.name.size() + 1 + portal.as_string().size() > kIscsiNameBytesMax;
  if (initiator != nullptr && long_name) {
    errors.invalid(path.child("targetportal"), portal,
                   "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if "
                   "iscsi.initiatorName is specified.");
  }
  const Value& name = source.at("iqn");
  if (check_present(path.child("iqn"), name, errors)) check_iscsi_name(path.child("iqn"), name, owner, errors);
  check_range(path.child("lun"), source.at("lun"), 0, 255, errors);
  bool authenticates = source.at("chapAuthDiscovery").as_bool() || source.at("chapAuthSession").as_bool();
  const Value* secret = source.find("secretRef");
  Path secret_path = path.child("secretRef");
  if (authenticates && secret == nullptr) errors.required(secret_path);
  if (owner.is_persistent && secret != nullptr) check_present(secret_path.child("name"), secret->at("name"), errors);
  if (initiator != nullptr) check_iscsi_name(path.child("initiatorname"), *initiator, owner, errors);
}

void check_cluster_secret(const Path& path, const Value* secret, FieldErrors& errors) {
  if (secret == nullptr) return;
  const Value& name = secret->at("name");
  if (check_present(path.child("name"), name, errors)) {
    check(path.child("name"), name, object::check_dns1123_subdomain(name.as_string()), errors);
  }
  const Value& ns = secret->at("namespace");
  if (check_present(path.child("namespace"), ns, errors)) {
    check(path.child("namespace"), ns, object::check_dns1123_label(ns.as_string()), errors);
  }
}

void validate_csi(const Path& path, const Value& source, const VolumeOwner& owner, FieldErrors& errors) {
  check_driver_name(path.child("driver"), source.at("driver"), errors);
  if (!owner.is_persistent) {
    const Value* secret = source.find("nodePublishSecretRef");
    Path secret_path = path.child("nodePublishSecretRef");
    if (secret == nullptr) return;
    const Value& name = secret->at("name");
    if (check_present(secret_path.child("name"), name, errors)) {
      check(path.child("name"), name, object::check_dns1123_subdomain(name.as_string()), errors);
    }
    return;
  }
  check_present(path.child("volumeHandle"), source.at("volumeHandle"), errors);
  for (std::string_view member :
       {"controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef", "nodeExpandSecretRef"}) {
    check_cluster_secret(path.child(member), source.find(member), errors);
  }
}

// Options are handed to the plugin beside those Kubernetes adds itself.
void validate_flex(const Path& path, const Value& source, FieldErrors& errors) {
  check_present(path.child("driver"), source.at("driver"), errors);
  Path options = path.child("options");
  for (const object::Member& option : source.at("options").members()) {
    std::string domain = "." + lower(option.name().substr(0, option.name().find('/')));
    if (!domain.ends_with(".kubernetes.io") && !domain.ends_with(".k8s.io")) continue;
    errors.invalid(options.key(option.name()), Value(option.name()),
                   "kubernetes.io and k8s.io namespaces are reserved");
  }
}

void validate_azure_disk(const Path& path, const Value& source, FieldErrors& errors) {
  const Value& uri = source.at("diskURI");
  check_present(path.child("diskName"), source.at("diskName"), errors);
  check_present(path.child("diskURI"), uri, errors);
  check_optional_one_of(path.child("cachingMode"), source.at("cachingMode"), {"None", "ReadOnly", "ReadWrite"}, errors);
  const Value* kind = source.find("kind");
  if (kind == nullptr) return;
  check_optional_one_of(path.child("kind"), *kind, {"Dedicated", "Managed", "Shared"}, errors);
  bool managed = kind->as_string() == "Managed";
  if (uri.as_string().starts_with(managed ? "/subscriptions/" : "https://")) return;
  std::string_view supported[] = {
      managed ? "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
              : "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"};
  errors.not_supported(path.child("diskURI"), Value(uri.as_string()), supported);
}

void validate_azure_file(const Path& path, const Value& source, FieldErrors& errors) {
  for (std::string_view member : {"secretName", "shareName"}) {
    check_present(path.child(member), source.at(member), errors);
  }
  if (const Value* ns = source.find("secretNamespace")) check_present(path.child("secretNamespace"), *ns, errors);
}

// host:port, or [address]:port.
bool is_host_and_port(std::string_view text) {
  size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::string_view host = text.substr(0, colon);
  bool bracketed = host.starts_with('[') && host.ends_with(']');
  return bracketed || host.find_first_of(":[]") == std::string_view::npos;
}

void validate_quobyte(const Path& path, const Value& source, FieldErrors& errors) {
  constexpr std::string_view kPairs = "must be a host:port pair or multiple pairs separated by commas";
  const Value& registry = source.at("registry");
  if (is_absent_or_empty(registry)) {
    errors.required(path.child("registry"), kPairs);
  } else if (source.at("tenant").as_string().size() > kQuobyteTenantBytesMax) {
    errors.required(path.child("tenant"), "must be a UUID and may not exceed a length of 64 characters");
  } else {
    std::string_view rest = registry.as_string();
    for (bool more = true; more;) {
      size_t comma = rest.find(',');
      if (!is_host_and_port(rest.substr(0, comma))) errors.invalid(path.child("registry"), registry, kPairs);
      more = comma != std::string_view::npos;
      if (more) rest.remove_prefix(comma + 1);
    }
  }
  check_present(path.child("volume"), source.at("volume"), errors);
}

void validate_storage_os(const Path& path, const Value& source, const VolumeOwner& owner, FieldErrors& errors) {
  const Value& name = source.at("volumeName");
  if (check_present(path.child("volumeName"), name, errors)) {
    check(path.child("volumeName"), name, object::check_dns1123_label(name.as_string()), errors);
  }
  const Value& ns = source.at("volumeNamespace");
  if (!is_absent_or_empty(ns)) {
    check(path.child("volumeNamespace"), ns, object::check_dns1123_label(ns.as_string()), errors);
  }
  check_secret(path.child("secretRef"), source.find("secretRef"), owner, errors);
}

void validate_cinder(const Path& path, const Value& source, const VolumeOwner& owner, FieldErrors& errors) {
  check_present(path.child("volumeID"), source.at("volumeID"), errors);
  check_secret(path.child("secretRef"), source.find("secretRef"), owner, errors);
}

void validate_gluster(const Path& path, const Value& source, FieldErrors& errors) {
  for (std::string_view member : {"endpoints", "path"}) check_present(path.child(member), source.at(member), errors);
  const Value* ns = source.find("endpointsNamespace");
  if (ns == nullptr) return;
  if (ns->as_string().empty()) {
    errors.invalid(path.child("endpointsNamespace"), *ns,
                   "if the endpointnamespace is set, it must be a valid namespace name");
  } else {
    check(path.child("endpointsNamespace"), *ns, object::check_dns1123_label(ns->as_string()), errors);
  }
}

}  // namespace

void check_driver_name(const Path& path, const Value& driver, FieldErrors& errors) {
  Value name(driver.as_string());
  check_present(path, name, errors);
  if (name.as_string().size() > kDriverBytesMax) errors.too_long(path, name, kDriverBytesMax);
  check(path, name, object::check_dns1123_subdomain(lower(name.as_string())), errors);
}

bool validate_storage_service(const Path& path, std::string_view kind, const Value& source, const VolumeOwner& owner,
                              FieldErrors& errors) {
  if (kind == "iscsi") {
    validate_iscsi(path, source, owner, errors);
  } else if (kind == "csi") {
    validate_csi(path, source, owner, errors);
  } else if (kind == "flexVolume") {
    validate_flex(path, source, errors);
  } else if (kind == "azureDisk") {
    validate_azure_disk(path, source, errors);
  } else if (kind == "azureFile") {
    validate_azure_file(path, source, errors);
  } else if (kind == "quobyte") {
    validate_quobyte(path, source, errors);
  } else if (kind == "storageos") {
    validate_storage_os(path, source, owner, errors);
  } else if (kind == "cinder") {
    validate_cinder(path, source, owner, errors);
  } else if (kind == "glusterfs") {
    validate_gluster(path, source, errors);
  } else {
    return false;
  }
  return true;
}

}  // namespace stead::kinds
