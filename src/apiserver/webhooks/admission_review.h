#pragma once

// AdmissionReview (admission.k8s.io/v1, v1beta1): what a webhook is sent and what it may answer. Pure.

#include <optional>
#include <string>
#include <vector>

#include "apiserver/webhooks/webhook.h"

namespace stead::apiserver {

// Marks the cause of an error whose message is a Status of somebody else's (JSON): its reason and code are the
// answer's.
inline constexpr std::string_view kStatusCause = "OwnStatus";

// The request as reviews and expressions see it, in the form of `version`, without the objects.
object::Value describe_request(const AdmissionAttributes& attributes, const kinds::Version& version);
// `hub`, one of the documents of `attributes`, in the form of `version`.
object::Value in_version(const AdmissionAttributes& attributes, const kinds::Version& version,
                         const object::Value& hub);

// The review about `attributes` in the form of `version`.
object::Value make_review(const AdmissionAttributes& attributes, const Webhook& webhook, const kinds::Version& version,
                          const std::string& uid);

struct ReviewAnswer {
  std::optional<Error> denial;
  object::Value patch;  // a JSON patch; null: none
  std::vector<std::string> warnings;
};
// kInternal: it is no answer to that review.
Result<ReviewAnswer> read_answer(const std::string& text, const Webhook& webhook, const std::string& uid);

// "failed calling webhook …" as clients get it.
Error call_failed(const Webhook& webhook, std::string_view why);

}  // namespace stead::apiserver
