#pragma once

// Content negotiation: which form of an answer a client asked for (Accept), and what it sent (Content-Type).

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace stead::apiserver {

struct AcceptedForm {
  enum class Shape : uint8_t { kObject, kTable, kPartialMetadata } shape = Shape::kObject;
  bool yaml = false;
};

// The first acceptable of the client's choices; kNotAcceptable if there is none. Empty means JSON.
Result<AcceptedForm> negotiate(std::string_view accept);

enum class BodyForm : uint8_t { kJson, kYaml, kProtobuf };
// kUnsupportedMediaType for others. Empty means JSON.
Result<BodyForm> body_form(std::string_view content_type);

// "application/json" of "application/json; charset=utf-8".
std::string_view media_type(std::string_view content_type);

}  // namespace stead::apiserver
