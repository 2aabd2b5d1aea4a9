#pragma once

// Large answers compressed with gzip (RFC 1952) for clients that accept it (RFC 9110 section 12.5.3). Loop thread only.

#include <string_view>

#include "http/http.h"

namespace stead::http {

// Smaller answers cost more to compress than to send.
constexpr size_t kCompressedBytesMin = 128 * 1024;

// Whether an Accept-Encoding header names gzip, with a quality above zero.
bool accepts_gzip(std::string_view accept_encoding);

// exchange->respond(), but streamed in gzip where the client accepts that and the body of a 200 is large: a piece in
// each turn of the loop, and no faster than the client takes it.
void respond_compressed(const ExchangePtr& exchange, Response response);

}  // namespace stead::http
