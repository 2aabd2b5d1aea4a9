#pragma once

// A walk over a directory tree that others may change meanwhile: never follows a symbolic link, never leaves the file
// system that it began in, holds a bounded number of descriptors. Blocks.

#include <sys/stat.h>

#include <functional>
#include <string>

#include "base/result.h"

namespace stead::node {

struct TreeEntry {
  int directory = -1;  // the descriptor of the directory that it is in, open during the call
  const char* name = nullptr;
  struct stat info {};  // of the entry itself, a link's own
};

// Calls `visit` for every entry below `root` (a link there is followed, `root` itself is not visited) in any order,
// until it returns false. Entries that vanish meanwhile are left out. Fails if `root` cannot be opened.
Result<void> walk_tree(const std::string& root, const std::function<bool(const TreeEntry&)>& visit);

// What the files below `root` occupy on the disk, each counted once however many names it has. 0 if there is none.
uint64_t tree_bytes(const std::string& root);

// Gives what is below `root`, and last `root` itself, to `group`, who may read and write; new files inherit it (docs:
// fsGroup). With `on_mismatch_only` a root that fits already ends it.
Result<void> give_to_group(const std::string& root, int64_t group, bool on_mismatch_only);

}  // namespace stead::node
