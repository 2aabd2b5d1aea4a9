#include "store/sqlite/lossy_vfs_test.h"

#include <sqlite3.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>

namespace stead::store {
namespace {

sqlite3_vfs* system_vfs() { return sqlite3_vfs_find("unix"); }

// SQLite allocates this and, behind it, the system's own file.
struct LossyFile {
  sqlite3_file base;
  std::string* path;
  bool lossy;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
LossyFile* self(sqlite3_file* file) { return reinterpret_cast<LossyFile*>(file); }
sqlite3_file* real(sqlite3_file* file) { return self(file)->real(); }
const sqlite3_io_methods* methods(sqlite3_file* file) { return real(file)->pMethods; }

int file_close(sqlite3_file* file) {
  int code = methods(file)->xClose(real(file));
  delete self(file)->path;
  return code;
}
int file_read(sqlite3_file* file, void* data, int size, sqlite3_int64 offset) {
  return methods(file)->xRead(real(file), data, size, offset);
}
int file_write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  int code = LossyDisk::instance().write(*self(file)->path, offset, data, static_cast<size_t>(size));
  return code != SQLITE_OK ? code : methods(file)->xWrite(real(file), data, size, offset);
}
int file_truncate(sqlite3_file* file, sqlite3_int64 size) {
  int code = LossyDisk::instance().truncate(*self(file)->path, size);
  return code != SQLITE_OK ? code : methods(file)->xTruncate(real(file), size);
}
int file_sync(sqlite3_file* file, int) { return LossyDisk::instance().sync(*self(file)->path); }
int file_size(sqlite3_file* file, sqlite3_int64* size) { return methods(file)->xFileSize(real(file), size); }
int file_lock(sqlite3_file* file, int level) { return methods(file)->xLock(real(file), level); }
int file_unlock(sqlite3_file* file, int level) { return methods(file)->xUnlock(real(file), level); }
int file_reserved(sqlite3_file* file, int* out) { return methods(file)->xCheckReservedLock(real(file), out); }
int file_control(sqlite3_file* file, int operation, void* argument) {
  return methods(file)->xFileControl(real(file), operation, argument);
}
int file_sector(sqlite3_file* file) { return methods(file)->xSectorSize(real(file)); }
int file_device(sqlite3_file* file) { return methods(file)->xDeviceCharacteristics(real(file)); }
int file_shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
  return methods(file)->xShmMap(real(file), page, size, extend, out);
}
int file_shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  return methods(file)->xShmLock(real(file), offset, count, flags);
}
void file_shm_barrier(sqlite3_file* file) { methods(file)->xShmBarrier(real(file)); }
int file_shm_unmap(sqlite3_file* file, int remove) { return methods(file)->xShmUnmap(real(file), remove); }

const sqlite3_io_methods kMethods = {
    2,           file_close,   file_read,     file_write,       file_truncate,  file_sync,
    file_size,   file_lock,    file_unlock,   file_reserved,    file_control,   file_sector,
    file_device, file_shm_map, file_shm_lock, file_shm_barrier, file_shm_unmap, nullptr,
    nullptr};

int vfs_open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  LossyFile* lossy = self(file);
  lossy->base.pMethods = nullptr;
  int code = system_vfs()->xOpen(system_vfs(), name, lossy->real(), flags, out_flags);
  if (code != SQLITE_OK) return code;
  lossy->path = new std::string(name != nullptr ? name : "");
  lossy->base.pMethods = &kMethods;
  return SQLITE_OK;
}
int vfs_delete(sqlite3_vfs*, const char* name, int sync_directory) {
  int code = LossyDisk::instance().remove(name);
  return code != SQLITE_OK ? code : system_vfs()->xDelete(system_vfs(), name, sync_directory);
}

void register_vfs() {
  static sqlite3_vfs vfs = *system_vfs();
  vfs.zName = LossyDisk::kVfs;
  vfs.pNext = nullptr;
  vfs.szOsFile = static_cast<int>(sizeof(LossyFile)) + system_vfs()->szOsFile;
  vfs.xOpen = vfs_open;
  vfs.xDelete = vfs_delete;
  sqlite3_vfs_register(&vfs, 0);
}

}  // namespace

LossyDisk& LossyDisk::instance() {
  static LossyDisk disk;
  static const bool registered = (register_vfs(), true);
  (void)registered;
  return disk;
}

void LossyDisk::reset() {
  std::lock_guard lock(mutex_);
  files_.clear();
  left_ = UINT64_MAX;
  off_ = ignores_sync_ = full_ = sync_fails_ = false;
}

void LossyDisk::cut_after(uint64_t operations) {
  std::lock_guard lock(mutex_);
  left_ = operations;
}

bool LossyDisk::is_off() {
  std::lock_guard lock(mutex_);
  return off_;
}

void LossyDisk::set_ignores_sync(bool on) {
  std::lock_guard lock(mutex_);
  ignores_sync_ = on;
}

void LossyDisk::set_full(bool on) {
  std::lock_guard lock(mutex_);
  full_ = on;
}

void LossyDisk::set_sync_fails(bool on) {
  std::lock_guard lock(mutex_);
  sync_fails_ = on;
}

bool LossyDisk::counts_as_cut() {
  if (!off_ && left_ != UINT64_MAX && --left_ == 0) off_ = true;
  return off_;
}

int LossyDisk::write(const std::string& path, int64_t offset, const void* data, size_t size) {
  std::lock_guard lock(mutex_);
  if (off_) return SQLITE_IOERR_WRITE;
  if (full_) return SQLITE_FULL;
  files_[path].pending.push_back({offset, std::string(static_cast<const char*>(data), size), false});
  return counts_as_cut() ? SQLITE_IOERR_WRITE : SQLITE_OK;
}

int LossyDisk::truncate(const std::string& path, int64_t size) {
  std::lock_guard lock(mutex_);
  if (off_) return SQLITE_IOERR_TRUNCATE;
  files_[path].pending.push_back({size, "", true});
  return counts_as_cut() ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

int LossyDisk::sync(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (counts_as_cut() || sync_fails_) return SQLITE_IOERR_FSYNC;
  if (ignores_sync_) return SQLITE_OK;
  File& file = files_[path];
  for (const Operation& operation : file.pending) apply(file.synced, operation);
  file.pending.clear();
  return SQLITE_OK;
}

int LossyDisk::remove(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (off_) return SQLITE_IOERR_DELETE;
  files_.erase(path);
  return SQLITE_OK;
}

void LossyDisk::apply(std::string& image, const Operation& operation) {
  auto offset = static_cast<size_t>(operation.offset);
  if (operation.truncates) {
    image.resize(std::min(image.size(), offset));
    return;
  }
  if (image.size() < offset + operation.data.size()) image.resize(offset + operation.data.size(), '\0');
  memcpy(image.data() + offset, operation.data.data(), operation.data.size());
}

void LossyDisk::restore(Random& random) {
  std::lock_guard lock(mutex_);
  enum { kNothing, kPrefix, kSectors } survives = static_cast<decltype(survives)>(random.below(3));
  for (auto& [path, file] : files_) {
    size_t prefix = random.below(file.pending.size() + 1);
    for (size_t index = 0; index < file.pending.size(); ++index) {
      const Operation& operation = file.pending[index];
      if (survives == kPrefix && index < prefix) apply(file.synced, operation);
      if (survives != kSectors || random.below(2) == 0) continue;
      for (size_t at = 0; at < operation.data.size(); at += 512) {
        if (random.below(4) == 0) continue;
        apply(file.synced, {operation.offset + static_cast<int64_t>(at), operation.data.substr(at, 512), false});
      }
    }
    file.pending.clear();
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(file.synced.data(), static_cast<std::streamsize>(file.synced.size()));
    std::filesystem::remove(path + "-shm");
  }
  left_ = UINT64_MAX;
  off_ = false;
}

}  // namespace stead::store
