#pragma once

// Reads one instance's log, and what rotation makes of it, piece by piece. Blocks: worker threads only, one at a time.
//
// Rotation renames <attempt>.log to <attempt>.log.<time>, and the runtime opens a new <attempt>.log. A reader that has
// begun goes on to the end of the renamed file and then takes the next one by name.

#include <cstdint>
#include <string>

#include "base/result.h"
#include "node/logs/log_line.h"
#include "node/volumes/descriptor.h"

namespace stead::node {

// The number of the newest log of attempt `newest` or earlier in a container's log directory; nullopt: there is none.
std::optional<uint32_t> find_log(const std::string& directory, uint32_t newest);

class LogReader {
 public:
  // `directory`/<attempt>.log; it need not be there yet.
  LogReader(std::string directory, uint32_t attempt, const LogOptions& options);

  struct Piece {
    std::string text;       // for the client; at most about kPieceBytes
    bool at_end = false;    // all that has been written was read
    bool complete = false;  // the client's limit is reached
  };
  static constexpr size_t kPieceBytes = 128 * 1024;

  // The next piece. `last`: nobody writes any more, so that a line without its newline counts too.
  Result<Piece> read(bool last);

 private:
  Result<bool> open();
  Result<size_t> fill();
  void take_lines(std::string& text);
  void take_rest(std::string& text);
  bool is_rotated() const;
  Result<bool> open_next();

  const std::string directory_;
  const std::string name_;  // "<attempt>.log"
  const std::optional<int64_t> tail_lines_;
  LogSelection selection_;
  Descriptor file_;
  bool opened_ = false;
  int64_t offset_ = 0;
  std::string pending_;    // read, but without its newline yet
  bool skipping_ = false;  // within a line that is too long to keep
};

}  // namespace stead::node
