#pragma once

// A cause, what causes it in turn, and the command that would mend it. Pure.

#include <string>
#include <vector>

namespace stead::cli::why {

struct Cause {
  std::string text;  // one sentence without a full stop, about a named thing
  std::string mend;  // a command, or what to do; empty where only a deeper cause can be mended
  std::vector<Cause> causes;
};

// One screen: the chain as a tree, then what would mend it, deepest causes first. Everything is bounded: lines, their
// length, depth.
std::string screen_text(const Cause& cause);

}  // namespace stead::cli::why
