#include "node/logs/log_line.h"

#include <algorithm>

#include "object/time.h"

namespace stead::node {
namespace {

// Takes the next word and the blank after it.
std::string_view take_word(std::string_view& rest, bool& found) {
  size_t blank = rest.find(' ');
  found = blank != std::string_view::npos && blank > 0;
  if (!found) return {};
  std::string_view word = rest.substr(0, blank);
  rest.remove_prefix(blank + 1);
  return word;
}

}  // namespace

std::optional<LogLine> parse_log_line(std::string_view raw) {
  LogLine line;
  bool found = false;
  line.stamp = take_word(raw, found);
  if (!found) return std::nullopt;
  std::string_view stream = take_word(raw, found);
  if (!found || (stream != "stdout" && stream != "stderr")) return std::nullopt;
  line.is_stderr = stream == "stderr";
  std::string_view tags = take_word(raw, found);
  if (!found) return std::nullopt;
  // More tags may follow the first, behind colons (CRI log format).
  std::string_view tag = tags.substr(0, tags.find(':'));
  if (tag != "F" && tag != "P") return std::nullopt;
  line.ends = tag == "F";
  line.text = raw;
  return line;
}

std::string full_stamp(std::string_view stamp) {
  size_t point = stamp.find('.');
  size_t digits_at =
      point == std::string_view::npos ? stamp.find_first_of("Z+-", std::min<size_t>(19, stamp.size())) : point + 1;
  if (digits_at == std::string_view::npos) return std::string(stamp);
  size_t zone_at = point == std::string_view::npos ? digits_at : stamp.find_first_not_of("0123456789", digits_at);
  if (zone_at == std::string_view::npos) return std::string(stamp);
  std::string full(stamp.substr(0, zone_at));
  if (point == std::string_view::npos) full.push_back('.');
  size_t digits = point == std::string_view::npos ? 0 : zone_at - digits_at;
  if (digits < 9) full.append(9 - digits, '0');
  return full.append(stamp.substr(zone_at));
}

LogSelection::LogSelection(const LogOptions& options)
    : timestamps_(options.timestamps), output_(options.output), since_(options.since) {
  if (options.limit_bytes) bytes_left_ = static_cast<size_t>(std::max<int64_t>(*options.limit_bytes, 0));
}

void LogSelection::append(std::string_view piece, std::string& text) {
  if (bytes_left_) {
    piece = piece.substr(0, *bytes_left_);
    *bytes_left_ -= piece.size();
  }
  text.append(piece);
}

void LogSelection::add(std::string_view raw, std::string& text) {
  auto line = parse_log_line(raw);
  if (!line) return;
  if (output_ != LogOutput::kAll && line->is_stderr != (output_ == LogOutput::kStderr)) return;
  if (since_) {
    auto time = object::parse_time(line->stamp);
    if (!time || *time < *since_) return;
  }
  bool& continues = continues_[line->is_stderr ? 1 : 0];
  if (timestamps_ && !continues) append(full_stamp(line->stamp) + " ", text);
  append(line->text, text);
  if (line->ends) append("\n", text);
  continues = !line->ends;
}

std::string plain_log_text(std::string_view records) {
  LogSelection selection({});
  std::string text;
  while (!records.empty()) {
    size_t end = std::min(records.find('\n'), records.size());
    selection.add(records.substr(0, end), text);
    records.remove_prefix(std::min(end + 1, records.size()));
  }
  return text;
}

}  // namespace stead::node
