#pragma once

// Tar archives as image tools write them: POSIX ustar, GNU long names, pax paths and sizes.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stead::node {

struct TarEntry {
  std::string name;  // without a leading "./" or "/"
  char type = '0';   // '0' file, '1' hard link, '2' symbolic link, '5' directory
  std::string link;
  uint64_t offset = 0;  // of the content in the archive
  uint64_t size = 0;
};

// The entries of the archive open on `fd` (seekable), in order. At most 65,536 entries, names of 4 KiB. kBadRequest
// with the offset for what is not a tar archive or ends early.
Result<std::vector<TarEntry>> list_tar(int fd);

// `size` bytes at `offset`; kBadRequest when the file ends before.
Result<std::string> read_at(int fd, uint64_t offset, uint64_t size);

// Appends one entry to an archive in memory, with owner 0:0 and time 0, so that equal input makes equal bytes.
// `type` '0' or '5'; the name has at most 100 bytes.
void append_tar_entry(std::string& archive, std::string_view name, char type, uint32_t mode, std::string_view content);
void end_tar(std::string& archive);

}  // namespace stead::node
