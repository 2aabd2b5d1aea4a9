#pragma once

// ConversionReview (apiextensions.k8s.io/v1, v1beta1): what a conversion webhook is sent and what it may answer. Pure.

#include <string>
#include <vector>

#include "base/result.h"
#include "object/object.h"

namespace stead::apiserver {

struct ConversionQuestion {
  std::string review_version;   // "v1", "v1beta1"
  std::string uid;              // of this question
  std::string desired_version;  // "stable.example.com/v2"
  std::vector<object::ObjectPtr> objects;
};

// The first of a definition's conversionReviewVersions that this server knows; empty: none.
std::string known_review_version(const object::Value& review_versions);

object::Value make_conversion_review(const ConversionQuestion& question);

// The objects in the desired version, in order. Labels and annotations are the webhook's, the rest of the metadata is
// as it was. The error says all that clients get (conversion_failed()).
Result<std::vector<object::Value>> read_conversion(const std::string& text, const ConversionQuestion& question);

// "conversion webhook for stable.example.com/v1, Kind=CronTab <what>": 500 without a reason.
Error conversion_failed(const ConversionQuestion& question, std::string_view what);

}  // namespace stead::apiserver
