#include "node/runtime/tar_archive.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>

namespace stead::node {

namespace {

constexpr uint64_t kBlock = 512;
constexpr size_t kEntriesMax = 65'536;
constexpr uint64_t kExtensionBytesMax = 64 << 10;
constexpr size_t kNameBytesMax = 4096;

// Places in a ustar header (POSIX.1-2017, pax, "ustar Interchange Format").
struct Span {
  size_t offset, size;
};
constexpr Span kName{0, 100}, kMode{100, 8}, kUid{108, 8}, kGid{116, 8}, kSize{124, 12}, kTime{136, 12},
    kChecksum{148, 8}, kLink{157, 100}, kPrefix{345, 155};
constexpr size_t kType = 156;

using Block = std::array<char, kBlock>;

Error bad_tar(uint64_t offset, std::string_view what) {
  return make_error(Reason::kBadRequest, fmt::format("not a tar archive: {} at offset {}", what, offset));
}

std::string text(const Block& block, Span span) {
  const char* begin = block.data() + span.offset;
  return {begin, strnlen(begin, span.size)};
}

// Octal digits, or base 256 where the first bit is set (GNU, for sizes from 8 GiB).
std::optional<uint64_t> number(const Block& block, Span span) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(block.data()) + span.offset;
  uint64_t value = 0;
  if ((bytes[0] & 0x80) != 0) {
    for (size_t i = span.size - 8; i < span.size; ++i) value = value << 8 | bytes[i];
    return value;
  }
  size_t i = 0;
  while (i < span.size && bytes[i] == ' ') ++i;
  for (; i < span.size && bytes[i] >= '0' && bytes[i] <= '7'; ++i) value = value << 3 | (bytes[i] - '0');
  if (i < span.size && bytes[i] != 0 && bytes[i] != ' ') return std::nullopt;
  return value;
}

uint32_t checksum(const Block& block) {
  uint32_t sum = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    const bool own = i >= kChecksum.offset && i < kChecksum.offset + kChecksum.size;
    sum += own ? ' ' : static_cast<unsigned char>(block[i]);
  }
  return sum;
}

// Records of a pax header: "<length> <key>=<value>\n".
std::map<std::string, std::string> pax_records(std::string_view content) {
  std::map<std::string, std::string> records;
  while (!content.empty()) {
    size_t length = 0;
    size_t digits = 0;
    while (digits < content.size() && digits < 8 && content[digits] >= '0' && content[digits] <= '9') {
      length = length * 10 + (content[digits++] - '0');
    }
    if (digits == 0 || length <= digits + 1 || length > content.size()) break;
    const std::string_view record = content.substr(digits + 1, length - digits - 2);
    const size_t equals = record.find('=');
    if (equals != std::string_view::npos) records[std::string(record.substr(0, equals))] = record.substr(equals + 1);
    content.remove_prefix(length);
  }
  return records;
}

std::string plain_name(std::string name) {
  while (name.starts_with("./") || name.starts_with("/")) name.erase(0, name[0] == '.' ? 2 : 1);
  return name;
}

// What GNU and pax headers say about the entry that follows them.
struct Extension {
  std::optional<std::string> name, link;
  std::optional<uint64_t> size;

  void take(char type, const std::string& content) {
    if (type == 'L') name = content.c_str();
    if (type == 'K') link = content.c_str();
    if (type != 'x') return;
    for (const auto& [key, value] : pax_records(content)) {
      if (key == "path") name = value;
      if (key == "linkpath") link = value;
      if (key == "size") size = std::strtoull(value.c_str(), nullptr, 10);
    }
  }
};

Result<TarEntry> entry_of(const Block& block, uint64_t offset, const Extension& extension) {
  TarEntry entry;
  entry.type = block[kType] == '\0' ? '0' : block[kType];
  std::string name = text(block, kName);
  const bool ustar = std::memcmp(block.data() + 257, "ustar", 5) == 0 && block[262] == '\0';
  if (ustar && block[kPrefix.offset] != '\0') name = text(block, kPrefix) + "/" + name;
  entry.name = plain_name(extension.name.value_or(name));
  entry.link = extension.link.value_or(text(block, kLink));
  if (entry.name.size() > kNameBytesMax || entry.link.size() > kNameBytesMax) return bad_tar(offset, "a name too long");
  const auto size = number(block, kSize);
  if (!size) return bad_tar(offset, "a size that is no number");
  entry.size = extension.size.value_or(*size);
  entry.offset = offset + kBlock;
  return entry;
}

}  // namespace

Result<std::string> read_at(int fd, uint64_t offset, uint64_t size) {
  std::string content(size, '\0');
  size_t have = 0;
  while (have < size) {
    const ssize_t count = pread(fd, content.data() + have, size - have, static_cast<off_t>(offset + have));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("read", errno);
    if (count == 0) return make_error(Reason::kBadRequest, fmt::format("the file ends at offset {}", offset + have));
    have += static_cast<size_t>(count);
  }
  return content;
}

Result<std::vector<TarEntry>> list_tar(int fd) {
  std::vector<TarEntry> entries;
  Extension extension;
  const off_t end = lseek(fd, 0, SEEK_END);
  if (end < 0) return errno_error("seek", errno);
  const auto file_bytes = static_cast<uint64_t>(end);
  uint64_t offset = 0;
  while (offset + kBlock <= file_bytes) {
    STEAD_TRY(bytes, read_at(fd, offset, kBlock));
    Block block;
    std::copy(bytes.begin(), bytes.end(), block.begin());
    if (std::all_of(block.begin(), block.end(), [](char c) { return c == 0; })) return entries;
    if (number(block, kChecksum) != checksum(block)) return bad_tar(offset, "a wrong checksum");
    const char type = block[kType];
    const bool extends = type == 'L' || type == 'K' || type == 'x' || type == 'g';
    STEAD_TRY(entry, entry_of(block, offset, extends ? Extension{} : extension));
    if (entry.type == '1' || entry.type == '2' || entry.type == '5') entry.size = 0;
    if (entry.size > file_bytes - entry.offset) return bad_tar(offset, "an entry that passes the end");
    if (extends) {
      if (entry.size > kExtensionBytesMax) return bad_tar(offset, "an extension header too long");
      STEAD_TRY(content, read_at(fd, entry.offset, entry.size));
      extension.take(type, content);
    }
    offset = entry.offset + (entry.size + kBlock - 1) / kBlock * kBlock;
    if (extends) continue;
    extension = {};
    if (entries.size() == kEntriesMax) return bad_tar(offset, "more than 65536 entries");
    entries.push_back(std::move(entry));
  }
  if (entries.empty()) return bad_tar(offset, "no entry");
  return entries;
}

void append_tar_entry(std::string& archive, std::string_view name, char type, uint32_t mode, std::string_view content) {
  STEAD_CHECK(name.size() <= kName.size);
  Block block{};
  auto put = [&](Span span, std::string_view value) {
    std::copy(value.begin(), value.end(), block.begin() + static_cast<ptrdiff_t>(span.offset));
  };
  put(kName, name);
  put(kMode, fmt::format("{:07o}", mode));
  put(kUid, "0000000");
  put(kGid, "0000000");
  put(kSize, fmt::format("{:011o}", content.size()));
  put(kTime, "00000000000");
  block[kType] = type;
  put({257, 8}, std::string_view("ustar\00000", 8));
  put(kChecksum, fmt::format("{:06o}", checksum(block)) + std::string("\0 ", 2));
  archive.append(block.data(), block.size());
  archive.append(content);
  archive.append((kBlock - content.size() % kBlock) % kBlock, '\0');
}

void end_tar(std::string& archive) { archive.append(2 * kBlock, '\0'); }

}  // namespace stead::node
