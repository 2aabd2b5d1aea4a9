#include "apiserver/conversion/conversion_review.h"

#include <fmt/format.h>

#include "apiserver/webhooks/admission_review.h"
#include "kinds/meta/checks.h"
#include "kinds/meta/metadata.h"
#include "object/codec.h"

namespace stead::apiserver {
namespace {

using object::Value;

constexpr std::string_view kGroup = "apiextensions.k8s.io/";

std::string group_version_kind(const Value& document) {
  return fmt::format("{}, Kind={}", document.at("apiVersion").as_string(), document.at("kind").as_string());
}

Error plain(std::string what) { return make_error(Reason::kInternal, std::move(what)); }

// Of what was converted: the same object, in the wanted version.
Result<void> check_converted(const Value& before, const Value& after, const ConversionQuestion& question) {
  std::string_view version = after.at("apiVersion").as_string();
  if (version != question.desired_version) {
    return plain(fmt::format("invalid groupVersion (expected {}, received {})", question.desired_version, version));
  }
  if (after.at("kind") != before.at("kind")) {
    return plain(fmt::format("invalid kind (expected {}, received {})", before.at("kind").as_string(),
                             after.at("kind").as_string()));
  }
  return {};
}

Result<void> check_identity(const Value& before, const Value& after) {
  static constexpr std::pair<std::string_view, std::string_view> kFixed[] = {
      {"name", "name"}, {"namespace", "namespace"}, {"uid", "UID"}};
  for (const auto& [field, shown] : kFixed) {
    std::string_view was = before.at({"metadata", field}).as_string();
    std::string_view is = after.at({"metadata", field}).as_string();
    if (was != is) return plain(fmt::format("must have the same {}: {} != {}", shown, was, is));
  }
  return {};
}

Result<void> check_map(const Value& before, const Value& after, std::string_view field) {
  if (!after.is_object()) return plain(fmt::format("invalid metadata.{} in converted object: no map", field));
  for (const object::Member& member : after.members()) {
    if (member.value.is_string()) continue;
    return plain(fmt::format("metadata.{}[{}] must be a string in converted object", field, member.name()));
  }
  if (before == after) return {};
  object::FieldErrors errors;
  const object::Path metadata("metadata");
  if (field == "labels") {
    kinds::check_labels(metadata.child(field), after, errors);
  } else {
    kinds::check_annotations(metadata.child(field), after, errors);
  }
  if (errors.empty()) return {};
  return plain(fmt::format("{}: {}", errors.causes()[0].field, errors.causes()[0].message));
}

// Labels and annotations are the webhook's to change, the rest of the metadata is not.
Result<void> restore_metadata(const Value& before, Value& after) {
  const Value* told = after.find("metadata");
  if (told == nullptr) return plain("missing metadata in converted object");
  if (!told->is_object()) return plain("invalid metadata in converted object: no map");
  Value metadata = before.at("metadata");
  for (std::string_view field : {"labels", "annotations"}) {
    const Value& wanted = told->at(field);
    if (wanted.is_null()) {
      metadata.erase(field);
      continue;
    }
    STEAD_TRY_VOID(check_map(metadata.at(field), wanted, field));
    metadata.set(field, wanted);
  }
  after.set("metadata", std::move(metadata));
  return {};
}

Result<Value> converted_objects(const std::string& text, const ConversionQuestion& question) {
  Result<Value> parsed = object::parse_json(text);
  if (!parsed.ok() || !parsed->is_object()) return plain("expected a ConversionReview, got something that is no JSON");
  const Value& response = parsed->at("response");
  const bool strict = question.review_version == "v1";
  std::string expected = std::string(kGroup) + question.review_version;
  if (strict && (parsed->at("kind").as_string() != "ConversionReview" ||
                 parsed->at("apiVersion").as_string() != std::string_view(expected))) {
    return plain(fmt::format("expected webhook response of {}, Kind=ConversionReview, got {}", expected,
                             group_version_kind(*parsed)));
  }
  if (!response.is_object()) return plain("no response provided");
  if (strict && response.at("uid").as_string() != question.uid) {
    return plain(fmt::format("expected response.uid=\"{}\", got \"{}\"", question.uid, response.at("uid").as_string()));
  }
  const Value& result = response.at("result");
  if (result.at("status").as_string() != "Success") {
    std::string_view message = result.at("message").as_string();
    return plain(message.empty()
                     ? fmt::format("response.result.status was '{}', not 'Success'", result.at("status").as_string())
                     : std::string(message));
  }
  return response.at("convertedObjects");
}

}  // namespace

std::string known_review_version(const Value& review_versions) {
  for (const Value& version : review_versions.items()) {
    if (version.as_string() == "v1" || version.as_string() == "v1beta1") return std::string(version.as_string());
  }
  return {};
}

Value make_conversion_review(const ConversionQuestion& question) {
  Value objects = Value::array();
  for (const object::ObjectPtr& object : question.objects) objects.append(object->document());
  return Value::object({{"kind", "ConversionReview"},
                        {"apiVersion", std::string(kGroup) + question.review_version},
                        {"request", Value::object({{"uid", question.uid},
                                                   {"desiredAPIVersion", question.desired_version},
                                                   {"objects", std::move(objects)}})}});
}

Result<std::vector<Value>> read_conversion(const std::string& text, const ConversionQuestion& question) {
  Result<Value> answered = converted_objects(text, question);
  if (!answered.ok()) return conversion_failed(question, "failed: " + answered.error().message);
  const size_t wanted = question.objects.size();
  if (answered->size() != wanted) {
    return conversion_failed(question, fmt::format("returned {} objects, expected {}", answered->size(), wanted));
  }
  std::vector<Value> converted;
  converted.reserve(wanted);
  for (size_t i = 0; i < wanted; ++i) {
    const std::string at = fmt::format(" at index {}", i);
    const Value& before = question.objects[i]->document();
    Value after = answered->items()[i];
    Result<void> same = check_converted(before, after, question);
    const std::string_view what = wanted > 1 ? "returned invalid converted object" : "returned invalid object";
    if (!same.ok()) return conversion_failed(question, fmt::format("{}{}: {}", what, at, same.error().message));
    const std::string shown = wanted > 1 ? at : std::string();
    same = check_identity(before, after);
    if (!same.ok()) return conversion_failed(question, fmt::format("{}{}: {}", what, shown, same.error().message));
    same = restore_metadata(before, after);
    if (!same.ok()) {
      const std::string_view where = wanted > 1 ? " in object" : "";
      return conversion_failed(question,
                               fmt::format("returned invalid metadata{}{}: {}", where, shown, same.error().message));
    }
    converted.push_back(std::move(after));
  }
  return converted;
}

Error conversion_failed(const ConversionQuestion& question, std::string_view what) {
  Error error = plain(
      fmt::format("conversion webhook for {} {}", group_version_kind(question.objects.front()->document()), what));
  error.causes.push_back({std::string(kStatusCause), R"({"code":500})", ""});
  return error;
}

}  // namespace stead::apiserver
