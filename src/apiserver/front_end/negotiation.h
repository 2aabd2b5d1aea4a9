#pragma once

// Content negotiation: which form of an answer a client asked for (Accept), and what it sent (Content-Type).

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace stead::apiserver {

enum class BodyForm : uint8_t { kJson, kYaml, kProtobuf };

struct AcceptedForm {
  enum class Shape : uint8_t { kObject, kTable, kPartialMetadata } shape = Shape::kObject;
  BodyForm body = BodyForm::kJson;
};

// What can be answered: a Table has no protobuf form, and a watch no YAML.
enum class AnswerKind : uint8_t { kDocument, kWatch };

// The best of the client's choices that can be served: by quality, then by their order. kNotAcceptable if there is
// none. Empty means JSON.
Result<AcceptedForm> negotiate(std::string_view accept, AnswerKind kind = AnswerKind::kDocument);

// Whether the client prefers aggregated discovery (KEP-3352) to the documents of one group: its version, "v2" or
// "v2beta1"; empty if it does not.
std::string_view wants_aggregated_discovery(std::string_view accept);

// kUnsupportedMediaType for others. Empty means JSON.
Result<BodyForm> body_form(std::string_view content_type);

// "application/json" of "application/json; charset=utf-8".
std::string_view media_type(std::string_view content_type);

}  // namespace stead::apiserver
