#pragma once

// The audit log: a file of lines, rotated by size. Lines wait in a bounded buffer for a thread of the log's own; where
// the disk cannot keep up they are dropped, and the log says how many.
//
//   audit.log ──kBytes──▶ audit-<time>.log, of which the newest `backups_max` stay

#include <memory>
#include <string>

#include "base/result.h"

namespace stead::apiserver {

struct AuditLogOptions {
  std::string path;
  size_t bytes_max = size_t{100} << 20;  // then the file is rotated
  int backups_max = 10;
};

class AuditLog {
 public:
  virtual ~AuditLog() = default;  // writes what waits
  // Any thread; never blocks. `line` without its end.
  virtual void write(std::string line) = 0;
};

// Appends to what is there; the file gets mode 0600. kBadRequest if it cannot be opened.
Result<std::unique_ptr<AuditLog>> open_audit_log(AuditLogOptions options);

}  // namespace stead::apiserver
