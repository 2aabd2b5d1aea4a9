#pragma once

// The image of every pod's first process, built from a program that is part of this binary.

#include <string>

namespace stead::node {

// The name under which containerd knows it. A changed program gets a new tag.
inline constexpr char kPauseImageName[] = "stead.dev/pause:1";

// A docker-archive with the image; the same bytes at every call.
std::string pause_image_archive();

}  // namespace stead::node
