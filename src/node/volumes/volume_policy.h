#pragma once

// What a pod's volumes are made of: pure, from the pod's document and the objects it refers to. Effects are in
// node_files.h.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "node/containers/downward.h"
#include "node/object_lookup.h"
#include "node/volumes/nfs_mount.h"

namespace stead::node {

struct VolumeFile {
  std::string path;  // relative, without ".."
  std::string content;
  int64_t mode = 0644;
};

struct VolumePlan {
  std::string name;
  enum class Kind : uint8_t {
    kDirectory,  // emptyDir on disk
    kMemory,     // emptyDir in memory
    kFiles,      // configMap, secret, downwardAPI, projected: written atomically, refreshed
    kHost,       // hostPath, and claims bound to local or hostPath volumes
    kNfs,        // nfs, and claims bound to nfs volumes: mounted below the pod's directory
  } kind = Kind::kDirectory;
  std::string host_path;       // kHost
  std::string host_path_type;  // kHost: a hostPath type; "" is unchecked
  NfsExport nfs;               // kNfs
  std::vector<VolumeFile> files;
  int64_t size_limit = 0;               // kMemory
  std::optional<int64_t> fs_group;      // owner group, set-gid
  bool group_on_mismatch_only = false;  // fsGroupChangePolicy OnRootMismatch: of a root that fits the rest does too
  bool read_only = false;               // the source forbids writing whatever the mount says
};

// A service account token that a projected volume asks for.
struct TokenReference {
  std::string volume;
  std::string path;
  std::string audience;
  int64_t expiration_seconds = 3600;
};
std::vector<TokenReference> token_references(const object::Value& pod_spec);

// (volume, path) → token; missing ones are left out of the volume.
using Tokens = std::vector<std::pair<TokenReference, std::string>>;

// The error's message is what the FailedMount event says.
Result<std::vector<VolumePlan>> plan_volumes(const PodShape& shape, const DownwardFacts& facts,
                                             const ObjectLookup& lookup, const Tokens& tokens);

// Every (resource, name) that the pod's volumes, variables and pulls refer to; `lookup` serves to follow claims to
// their volumes.
std::vector<std::pair<std::string, std::string>> pod_references(const PodShape& shape, const ObjectLookup& lookup);

}  // namespace stead::node
