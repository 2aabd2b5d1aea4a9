#include "cli/join_token.h"

#include <algorithm>

namespace stead::cli {
namespace {

constexpr std::string_view kMark = "@sha256:";

bool consists_of(std::string_view text, size_t length, char last_letter) {
  return text.size() == length && std::all_of(text.begin(), text.end(), [&](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= last_letter);
         });
}

}  // namespace

Result<JoinToken> JoinToken::parse(const std::string& text) {
  auto wrong = [](const char* why) {
    return make_error(Reason::kInvalid,
                      std::string("--token: ") + why +
                          "; a join token looks like "
                          "abcdef.0123456789abcdef@sha256:<64 hex digits>, and `stead token create` prints one");
  };
  size_t dot = text.find('.');
  size_t mark = text.find(kMark);
  if (dot == std::string::npos) return wrong("it has no dot");
  if (mark == std::string::npos) return wrong("the fingerprint of the server's CA is missing");
  if (mark < dot) return wrong("the fingerprint comes before the dot");
  JoinToken token{text.substr(0, dot), text.substr(dot + 1, mark - dot - 1), text.substr(mark + kMark.size())};
  if (!consists_of(token.id, 6, 'z')) return wrong("the part before the dot is not 6 small letters and digits");
  if (!consists_of(token.secret, 16, 'z')) return wrong("the part after the dot is not 16 small letters and digits");
  if (!consists_of(token.fingerprint, 64, 'f')) return wrong("the fingerprint is not 64 hex digits");
  return token;
}

}  // namespace stead::cli
