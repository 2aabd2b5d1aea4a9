#include "cli/why/cause.h"

#include <algorithm>

namespace stead::cli::why {
namespace {

constexpr size_t kLinesMax = 40;
constexpr size_t kMendsMax = 5;
constexpr size_t kDepthMax = 8;
constexpr size_t kSiblingsMax = 5;
constexpr size_t kLineBytesMax = 400;

// Messages come from programs that may write anything: one line, no control characters.
std::string one_line(std::string_view text) {
  std::string line;
  for (unsigned char c : text.substr(0, kLineBytesMax)) {
    bool blank = c < 0x20 || c == 0x7f;
    if (blank && (line.empty() || line.back() == ' ')) continue;
    line += blank ? ' ' : static_cast<char>(c);
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return text.size() > kLineBytesMax ? line + "…" : line;
}

void add_lines(const Cause& cause, const std::string& indent, size_t depth, std::vector<std::string>& lines) {
  if (depth > kDepthMax) return;
  size_t shown = std::min(cause.causes.size(), kSiblingsMax);
  for (size_t i = 0; i < shown; ++i) {
    bool last = i + 1 == cause.causes.size();
    lines.push_back(indent + (last ? "└─ " : "├─ ") + one_line(cause.causes[i].text));
    add_lines(cause.causes[i], indent + (last ? "   " : "│  "), depth + 1, lines);
  }
  if (shown < cause.causes.size()) {
    lines.push_back(indent + "└─ and " + std::to_string(cause.causes.size() - shown) + " more like these");
  }
}

void add_mends(const Cause& cause, std::vector<std::string>& mends) {
  for (const Cause& deeper : cause.causes) add_mends(deeper, mends);
  std::string mend = one_line(cause.mend);
  if (mend.empty() || std::find(mends.begin(), mends.end(), mend) != mends.end()) return;
  mends.push_back(std::move(mend));
}

}  // namespace

std::string screen_text(const Cause& cause) {
  std::vector<std::string> lines = {one_line(cause.text)};
  add_lines(cause, "", 1, lines);
  if (lines.size() > kLinesMax) {
    lines.resize(kLinesMax);
    lines.push_back("…");
  }
  std::vector<std::string> mends;
  add_mends(cause, mends);
  if (!mends.empty()) {
    lines.emplace_back();
    lines.emplace_back("To mend it:");
    for (size_t i = 0; i < std::min(mends.size(), kMendsMax); ++i) lines.push_back("  " + mends[i]);
  }
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace stead::cli::why
