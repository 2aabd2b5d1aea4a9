#pragma once

// A disk with a volatile cache, as an SQLite VFS over the system's: what was written but not synced is lost, in whole
// or in part, when the power is cut. kill -9 cannot show a missing fsync, for the kernel still writes its cache; this
// does. Tests only.

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/random.h"

namespace stead::store {

class LossyDisk {
 public:
  // The disk of the VFS named kVfs (registered at the first call). One test at a time uses it.
  static LossyDisk& instance();
  static constexpr const char* kVfs = "stead-lossy";

  // Forgets all files and faults: the next test's start.
  void reset();
  // The power fails at the `operations`-th write, truncation or sync from now: it and all after it fail.
  void cut_after(uint64_t operations);
  bool is_off();
  // Files become what a machine would find after the cut: what was synced and any part of the rest: all lost, a
  // prefix of the operations, or any of their 512-byte sectors. Then the power is on again. Nothing may be open.
  void restore(Random& random);

  // Faults: sync() does nothing but says that it did; writes fail for lack of space; syncs fail.
  void set_ignores_sync(bool on);
  void set_full(bool on);
  void set_sync_fails(bool on);

  // For the VFS: SQLite result codes.
  int write(const std::string& path, int64_t offset, const void* data, size_t size);
  int truncate(const std::string& path, int64_t size);
  int sync(const std::string& path);
  int remove(const std::string& path);

 private:
  struct Operation {
    int64_t offset = 0;
    std::string data;
    bool truncates = false;  // to `offset`
  };
  struct File {
    std::string synced;
    std::vector<Operation> pending;
  };
  bool counts_as_cut();
  static void apply(std::string& image, const Operation& operation);

  std::mutex mutex_;
  std::map<std::string, File> files_;
  uint64_t left_ = UINT64_MAX;
  bool off_ = false;
  bool ignores_sync_ = false;
  bool full_ = false;
  bool sync_fails_ = false;
};

}  // namespace stead::store
