#include "apiserver/front_end/negotiation.h"

#include <fmt/format.h>

namespace stead::apiserver {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

template <class Visit>
void split(std::string_view text, char separator, Visit visit) {
  while (true) {
    size_t end = text.find(separator);
    visit(trim(text.substr(0, end)));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

std::optional<AcceptedForm> read_choice(std::string_view choice) {
  AcceptedForm form;
  std::string_view type;
  std::string_view as;
  std::string_view group;
  std::string_view version;
  bool first = true;
  split(choice, ';', [&](std::string_view part) {
    if (first) {
      type = part;
      first = false;
    } else if (part.starts_with("as=")) {
      as = part.substr(3);
    } else if (part.starts_with("g=")) {
      group = part.substr(2);
    } else if (part.starts_with("v=")) {
      version = part.substr(2);
    }
  });
  if (type == "application/yaml") {
    form.yaml = true;
  } else if (type != "application/json" && type != "*/*" && type != "application/*") {
    return std::nullopt;
  }
  if (as.empty()) return form;
  if (group != "meta.k8s.io" || (version != "v1" && version != "v1beta1")) return std::nullopt;
  if (as == "Table") {
    form.shape = AcceptedForm::Shape::kTable;
  } else if (as == "PartialObjectMetadata" || as == "PartialObjectMetadataList") {
    form.shape = AcceptedForm::Shape::kPartialMetadata;
  } else {
    return std::nullopt;
  }
  // v1beta1 forms differ in nothing but their version; clients that still ask for them also accept plain JSON.
  if (version != "v1") return std::nullopt;
  return form;
}

}  // namespace

Result<AcceptedForm> negotiate(std::string_view accept) {
  if (trim(accept).empty()) return AcceptedForm{};
  std::optional<AcceptedForm> chosen;
  split(accept, ',', [&](std::string_view choice) {
    if (!chosen) chosen = read_choice(choice);
  });
  if (chosen) return *chosen;
  return make_error(Reason::kNotAcceptable,
                    "only the following media types are accepted: application/json, application/yaml");
}

std::string_view media_type(std::string_view content_type) {
  return trim(content_type.substr(0, content_type.find(';')));
}

Result<BodyForm> body_form(std::string_view content_type) {
  std::string_view type = media_type(content_type);
  if (type.empty() || type == "application/json") return BodyForm::kJson;
  if (type == "application/yaml") return BodyForm::kYaml;
  if (type == "application/vnd.kubernetes.protobuf") return BodyForm::kProtobuf;
  return make_error(Reason::kUnsupportedMediaType,
                    fmt::format("the body of the request was in an unknown format ({}) - accepted media types include: "
                                "application/json, application/yaml, application/vnd.kubernetes.protobuf",
                                type));
}

}  // namespace stead::apiserver
