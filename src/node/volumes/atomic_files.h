#pragma once

// A directory of files whose content changes all at once, as the kubelet lays out configMap, secret, downwardAPI and
// projected volumes, and as programs that watch them expect:
//
//   <directory>/
//     ..v_XXXXXX/key     the content
//     ..data -> ..v_XXXXXX
//     key -> ..data/key
//
// A change writes a new ..v_ directory and swings ..data over with one rename.

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "node/volumes/volume_policy.h"

namespace stead::node {

// `directory` exists. Nothing is touched if the files are there as wanted.
Result<void> write_atomically(const std::string& directory, const std::vector<VolumeFile>& files,
                              std::optional<int64_t> group);

}  // namespace stead::node
