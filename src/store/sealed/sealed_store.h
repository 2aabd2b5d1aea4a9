#pragma once

// A store whose values under some prefixes are sealed before they reach the disk: AES-256-GCM under a named key, bound
// to the store's key, so that one value cannot be put in the place of another. In the form that kube-apiserver's aesgcm
// provider gives them:
//
//     "k8s:enc:aesgcm:v1:" key-name ":" nonce (12 bytes) ciphertext tag (16 bytes)
//
// What was written before it was to be sealed is read as it is, and sealed when it is written next.

#include <memory>
#include <string>
#include <vector>

#include "store/store.h"

namespace stead::store {

inline constexpr size_t kSealingKeyBytes = 32;

struct SealingKey {
  std::string name;   // without ":"
  std::string bytes;  // kSealingKeyBytes of them
};

struct SealedOptions {
  // The first one seals; every one opens what it has sealed.
  std::vector<SealingKey> keys;
  // Of the keys whose values are sealed. What is sealed is opened wherever it stands.
  std::vector<std::string> prefixes;
};

// A Store like `inner`, for values that are shorter than kValueBytesMax by what the seal adds (about 60 bytes). range()
// fails with kInternal, and watches end with it, where a value was sealed with a key that is not there or has been
// changed since. kBadRequest: no keys, or one of another length.
Result<std::unique_ptr<Store>> seal_store(std::unique_ptr<Store> inner, SealedOptions options);

}  // namespace stead::store
