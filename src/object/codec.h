#pragma once

// Text to Value and back. All functions are pure and thread-safe; all input is bounded by DecodeLimits.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "object/descriptor.h"
#include "object/value.h"

namespace stead::object {

struct DecodeLimits {
  size_t bytes_max = 3 * 1024 * 1024;  // kube-apiserver's request limit
  int depth_max = 100;  // nesting of arrays and objects (Go's decoder allows 10,000; etcd's objects never pass 60)
};

// Strictness problems that do not make a document undecodable: `unknown field "spec.foo"`,
// `duplicate field "spec.replicas"`. The caller rejects or warns (fieldValidation=Strict|Warn|Ignore).
using StrictErrors = std::vector<std::string>;

// Any JSON. Duplicate members are reported in `strict` (last one wins), numbers without fraction or exponent that
// fit become kInt. kBadRequest with the byte offset on malformed text.
Result<Value> parse_json(std::string_view text, StrictErrors* strict = nullptr, const DecodeLimits& limits = {});

// The first YAML document, as sigs.k8s.io/yaml reads it (YAML 1.1 scalars: `yes` is true, 0x10 and 1e3 are numbers,
// dates are text); aliases and merge keys are expanded within the limits. Duplicate keys are one entry in `strict`.
Result<Value> parse_yaml(std::string_view text, StrictErrors* strict = nullptr, const DecodeLimits& limits = {});

// Compact JSON. Never fails; invalid UTF-8 is replaced by U+FFFD, '<', '>' and '&' stay as they are.
std::string to_json(const Value& value);
void append_json(const Value& value, std::string& out);
// Block-style YAML, members sorted, as kubectl prints.
std::string to_yaml(const Value& value);

// Shapes `value` to `message`: drops nulls and unknown fields (reporting unknown ones in `strict`), borrows field
// names from the descriptor, canonicalises quantities and times, drops zero values of fields whose zero means
// absent, and checks types. The error is kBadRequest and reads as Kubernetes' decoder does, with the field path:
// `json: cannot unmarshal string into Go struct field StatefulSetSpec.spec.replicas of type int32`.
//
// A whole document gets what Go's structs would give it: a null list item or map value becomes the zero of its type,
// and fields declared with omit_empty == false show their zero. An apply configuration is only part of a document:
// every member in it is an opinion, so its zeros and nulls stay and none are added.
enum class Extent : uint8_t { kWhole, kPartial };
Result<void> shape(Value& value, const Message& message, StrictErrors* strict = nullptr,
                   Extent extent = Extent::kWhole);

// Applies the declared defaults below `value`, parents before children.
void apply_defaults(Value& value, const Message& message);

}  // namespace stead::object
