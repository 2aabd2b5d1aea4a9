#pragma once

// Puts images from archives into a containerd, through its own services, so that CRI can run them: blobs, then a
// name. Blocking; any thread.

#include <string>
#include <vector>

#include "base/result.h"

namespace stead::node {

// Imports every named image of the docker-archive or OCI layout at `tar_path` into the containerd behind `socket_path`
// and returns their full names once CRI knows them. Importing again moves the names. kBadRequest where the file is no
// image archive, kNotFound where it is not there, kUnavailable without containerd.
Result<std::vector<std::string>> import_image(const std::string& socket_path, const std::string& tar_path);

// The same from an archive in memory.
Result<std::vector<std::string>> import_image_bytes(const std::string& socket_path, const std::string& archive);

}  // namespace stead::node
