#pragma once

// Image archives of both families, read into what containerd stores: blobs by digest and names that point at
// manifests. docker-archive (`docker save`: manifest.json) and OCI layouts (index.json, blobs/sha256/…).

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stead::node {

struct ArchiveBlob {
  std::string digest;  // "sha256:…"
  std::string media_type;
  uint64_t size = 0;
  // Where the bytes are: in memory where `bytes` is not empty, else in the archive at `offset`.
  std::string bytes;
  uint64_t offset = 0;
};

struct ArchiveImage {
  std::vector<std::string> names;  // normalised: "docker.io/library/busybox:latest"
  ArchiveBlob manifest;
  ArchiveBlob config;
  std::vector<ArchiveBlob> layers;  // lowest first; plain, gzip or zstd
};

// Reads the archive open on `fd`. Of an index with several platforms the one of this machine is taken. kBadRequest
// saying what is wrong with the archive; an image without a name is left out, an archive without any named image is
// an error.
Result<std::vector<ArchiveImage>> read_image_archive(int fd);

// Digest of bytes: "sha256:<hex>".
std::string sha256_digest(std::string_view bytes);

}  // namespace stead::node
