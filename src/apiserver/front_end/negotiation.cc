#include "apiserver/front_end/negotiation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

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

// One member of Accept.
struct Choice {
  std::string_view type, as, group, version;
  double quality = 1;
};

Choice read_choice(std::string_view text) {
  Choice choice;
  bool first = true;
  split(text, ';', [&](std::string_view part) {
    if (first) {
      choice.type = part;
      first = false;
    } else if (part.starts_with("as=")) {
      choice.as = part.substr(3);
    } else if (part.starts_with("g=")) {
      choice.group = part.substr(2);
    } else if (part.starts_with("v=")) {
      choice.version = part.substr(2);
    } else if (part.starts_with("q=")) {
      choice.quality = std::strtod(std::string(part.substr(2)).c_str(), nullptr);
    }
  });
  return choice;
}

// Best first.
std::vector<Choice> read_choices(std::string_view accept) {
  std::vector<Choice> choices;
  split(accept, ',', [&](std::string_view text) {
    if (!text.empty()) choices.push_back(read_choice(text));
  });
  std::erase_if(choices, [](const Choice& choice) { return choice.quality <= 0; });
  std::stable_sort(choices.begin(), choices.end(),
                   [](const Choice& a, const Choice& b) { return a.quality > b.quality; });
  return choices;
}

std::optional<AcceptedForm> form_of(const Choice& choice, AnswerKind kind) {
  AcceptedForm form;
  if (choice.type == "application/yaml" && kind == AnswerKind::kDocument) {
    form.body = BodyForm::kYaml;
  } else if (choice.type == "application/vnd.kubernetes.protobuf") {
    form.body = BodyForm::kProtobuf;
  } else if (choice.type != "application/json" && choice.type != "*/*" && choice.type != "application/*") {
    return std::nullopt;
  }
  if (choice.as.empty()) return form;
  // v1beta1 forms differ in nothing but their version; clients that still ask for them also accept plain JSON.
  if (choice.group != "meta.k8s.io" || choice.version != "v1") return std::nullopt;
  if (choice.as == "Table" && form.body != BodyForm::kProtobuf) {
    form.shape = AcceptedForm::Shape::kTable;
  } else if (choice.as == "PartialObjectMetadata" || choice.as == "PartialObjectMetadataList") {
    form.shape = AcceptedForm::Shape::kPartialMetadata;
  } else {
    return std::nullopt;
  }
  return form;
}

}  // namespace

Result<AcceptedForm> negotiate(std::string_view accept, AnswerKind kind) {
  if (trim(accept).empty()) return AcceptedForm{};
  for (const Choice& choice : read_choices(accept)) {
    if (auto form = form_of(choice, kind)) return *form;
  }
  return make_error(Reason::kNotAcceptable,
                    "only the following media types are accepted: application/json, application/yaml, "
                    "application/vnd.kubernetes.protobuf");
}

std::string_view wants_aggregated_discovery(std::string_view accept) {
  for (const Choice& choice : read_choices(accept)) {
    if (choice.type != "application/json") continue;
    if (choice.as.empty()) return {};
    bool known = choice.version == "v2" || choice.version == "v2beta1";
    if (choice.as == "APIGroupDiscoveryList" && choice.group == "apidiscovery.k8s.io" && known) return choice.version;
  }
  return {};
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
