#pragma once

// The protobuf form of API objects ("application/vnd.kubernetes.protobuf"): wire encoding by descriptor, and the
// envelope `k8s\0` + runtime.Unknown around it. Pure and thread-safe; input is bounded by DecodeLimits.

#include <string>
#include <string_view>

#include "base/result.h"
#include "object/codec.h"
#include "object/descriptor.h"
#include "object/value.h"

namespace stead::object {

// Wire bytes of `value`, which has the shape of `message`. Fields without a number are left out; those with
// Field::embedded stand in messages of their own, whose numbers it holds in 8 bits each, the outermost lowest. The type
// meta (apiVersion, kind) of the top level belongs to the envelope.
std::string encode_protobuf(const Value& value, const Message& message);

// kBadRequest on malformed bytes, naming the field. Unknown field numbers are skipped. The result has the same shape
// as decoded JSON: quantities canonical, times as text, zero values of non-pointer fields absent.
Result<Value> decode_protobuf(std::string_view bytes, const Message& message, const DecodeLimits& limits = {});

// runtime.Unknown. Views into the bytes given to open_envelope().
struct Envelope {
  std::string_view api_version;
  std::string_view kind;
  std::string_view raw;
  std::string_view content_encoding;
  std::string_view content_type;
};

// Whether `bytes` starts with the envelope's magic number.
bool is_protobuf_envelope(std::string_view bytes);
Result<Envelope> open_envelope(std::string_view bytes);
std::string seal_envelope(std::string_view api_version, std::string_view kind, std::string_view raw,
                          std::string_view content_type = {});

}  // namespace stead::object
