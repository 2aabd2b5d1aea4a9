#pragma once

// Hashes of documents for names: the same document always gives the same name. Pure.

#include <cstdint>
#include <string>

#include "object/value.h"

namespace stead::controllers {

// 32-bit FNV-1a of the document (order of members ignored), of `salt` when it is positive.
uint32_t document_hash(const object::Value& document, int64_t salt = 0);

// The decimal digits of `number` in the alphabet of generated names, in which no word can be spelled.
std::string safe_name(uint32_t number);

}  // namespace stead::controllers
