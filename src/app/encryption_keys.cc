#include "app/encryption_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "base/random.h"
#include "object/base64.h"

namespace stead::app {
namespace {

store::SealingKey make_key() {
  store::SealingKey key;
  for (size_t i = 0; i < store::kSealingKeyBytes / 8; ++i) {
    uint64_t bits = system_random().next_u64();
    for (int shift = 0; shift < 64; shift += 8) key.bytes += static_cast<char>(bits >> shift);
  }
  key.name = "key-" + system_random().name_suffix();
  return key;
}

}  // namespace

Result<std::vector<store::SealingKey>> parse_encryption_keys(const std::string& text) {
  std::vector<store::SealingKey> keys;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    auto wrong = [number](const std::string& why) {
      return make_error(Reason::kBadRequest, fmt::format("line {}: {}", number, why));
    };
    std::istringstream words(line.substr(0, line.find('#')));
    store::SealingKey key;
    std::string encoded;
    std::string more;
    if (!(words >> key.name)) continue;
    if (!(words >> encoded) || words >> more) return wrong("must be a name and a key in base64");
    if (key.name.find(':') != std::string::npos) return wrong("a name must not contain \":\"");
    Result<std::string> bytes = object::decode_base64(encoded);
    if (!bytes.ok()) return wrong(bytes.error().message);
    if (bytes->size() != store::kSealingKeyBytes) {
      return wrong(fmt::format("the key has {} bytes, must have {}", bytes->size(), store::kSealingKeyBytes));
    }
    key.bytes = std::move(*bytes);
    bool known = std::any_of(keys.begin(), keys.end(), [&](const auto& one) { return one.name == key.name; });
    if (known) return wrong(fmt::format("there is a key \"{}\" already", key.name));
    keys.push_back(std::move(key));
  }
  if (keys.empty()) return make_error(Reason::kBadRequest, "holds no key");
  return keys;
}

Result<std::vector<store::SealingKey>> find_encryption_keys(const cli::DataDir& data_dir, const std::string& file) {
  std::string path = file.empty() ? data_dir.path("pki/encryption.keys") : file;
  std::error_code code;
  if (file.empty() && !std::filesystem::exists(path, code)) {
    store::SealingKey made = make_key();
    STEAD_TRY_VOID(cli::write_file(path, fmt::format("{} {}\n", made.name, object::encode_base64(made.bytes)), 0600));
  }
  STEAD_TRY(text, cli::read_file(path));
  Result<std::vector<store::SealingKey>> keys = parse_encryption_keys(text);
  if (!keys.ok()) return keys.error().with_context(path);
  return keys;
}

}  // namespace stead::app
