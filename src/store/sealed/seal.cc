#include "store/sealed/seal.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>

#include "base/check.h"

namespace stead::store {
namespace {

constexpr std::string_view kMark = "k8s:enc:aesgcm:v1:";
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* in(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* out(std::string& text, size_t at) { return reinterpret_cast<unsigned char*>(text.data()) + at; }
int length(std::string_view text) { return static_cast<int>(text.size()); }

}  // namespace

bool is_sealed(std::string_view value) { return value.starts_with(kMark); }

std::string seal(const SealingKey& key, std::string_view context, std::string_view value) {
  std::string sealed = fmt::format("{}{}:", kMark, key.name);
  size_t nonce_at = sealed.size();
  size_t text_at = nonce_at + kNonceBytes;
  size_t tag_at = text_at + value.size();
  sealed.resize(tag_at + kTagBytes);
  STEAD_CHECK(RAND_bytes(out(sealed, nonce_at), kNonceBytes) == 1);
  ContextPtr cipher(EVP_CIPHER_CTX_new());
  int written = 0;
  int rest = 0;
  bool done = cipher &&
              EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, in(key.bytes), out(sealed, nonce_at)) == 1 &&
              EVP_EncryptUpdate(cipher.get(), nullptr, &written, in(context), length(context)) == 1 &&
              EVP_EncryptUpdate(cipher.get(), out(sealed, text_at), &written, in(value), length(value)) == 1 &&
              EVP_EncryptFinal_ex(cipher.get(), out(sealed, text_at + static_cast<size_t>(written)), &rest) == 1 &&
              EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, out(sealed, tag_at)) == 1;
  STEAD_CHECK(done);
  return sealed;
}

Result<std::string> open_sealed(const std::vector<SealingKey>& keys, std::string_view context,
                                std::string_view sealed) {
  std::string_view rest = sealed.substr(kMark.size());
  size_t colon = rest.find(':');
  if (colon == std::string_view::npos || rest.size() < colon + 1 + kNonceBytes + kTagBytes) {
    return make_error(Reason::kInternal, fmt::format("what is stored under {} has been cut short", context));
  }
  std::string_view name = rest.substr(0, colon);
  auto key = std::find_if(keys.begin(), keys.end(), [&](const SealingKey& one) { return one.name == name; });
  if (key == keys.end()) {
    return make_error(Reason::kInternal,
                      fmt::format("what is stored under {} is encrypted with the key \"{}\", which is not among the "
                                  "encryption keys",
                                  context, name));
  }
  std::string_view nonce = rest.substr(colon + 1, kNonceBytes);
  std::string_view text = rest.substr(colon + 1 + kNonceBytes);
  std::string tag(text.substr(text.size() - kTagBytes));
  text.remove_suffix(kTagBytes);
  std::string value(text.size(), '\0');
  ContextPtr cipher(EVP_CIPHER_CTX_new());
  int written = 0;
  int last = 0;
  unsigned char none = 0;
  bool done =
      cipher && EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, in(key->bytes), in(nonce)) == 1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &written, in(context), length(context)) == 1 &&
      EVP_DecryptUpdate(cipher.get(), value.empty() ? &none : out(value, 0), &written, in(text), length(text)) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, out(tag, 0)) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), &none, &last) == 1;
  if (done) return value;
  return make_error(Reason::kInternal,
                    fmt::format("what is stored under {} cannot be decrypted with the key \"{}\": it was changed, or "
                                "encrypted with another key of that name",
                                context, name));
}

}  // namespace stead::store
