#pragma once

// The keys that Secrets are encrypted with at rest: a file of lines "NAME BASE64" (32 bytes each), empty lines and
// lines from "#" on left out. The first key encrypts, every one decrypts what it has encrypted: to change keys, put a
// new line on top, restart, and write every Secret again (kubectl get secrets -A -o json | kubectl replace -f -).

#include <string>
#include <vector>

#include "cli/data_dir.h"
#include "store/sealed/sealed_store.h"

namespace stead::app {

// kBadRequest names the line that is none.
Result<std::vector<store::SealingKey>> parse_encryption_keys(const std::string& text);

// Of `file`, or where that is empty of the data dir's own one, which is made with a new key if it is not there.
Result<std::vector<store::SealingKey>> find_encryption_keys(const cli::DataDir& data_dir, const std::string& file);

}  // namespace stead::app
