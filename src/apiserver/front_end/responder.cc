#include "apiserver/front_end/responder.h"

#include "apiserver/document.h"
#include "object/codec.h"

namespace stead::apiserver {
namespace {

using object::Value;

object::Bytes bytes(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

// RFC 9110 quoted-string: what would end it is escaped, control characters become spaces.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char character : text) {
    if (character == '"' || character == '\\') out += '\\';
    out += static_cast<unsigned char>(character) < 0x20 ? ' ' : character;
  }
  return out + "\"";
}

Value list_metadata(const client::Response& response) {
  Value metadata = Value::object({{"resourceVersion", std::to_string(response.revision)}});
  if (!response.continue_token.empty()) metadata.set("continue", response.continue_token);
  if (response.remaining_items) metadata.set("remainingItemCount", *response.remaining_items);
  return metadata;
}

http::Response list_as_document(const kinds::Resource& resource, const kinds::Version& version,
                                const AcceptedForm& form, const TableOptions& table, const client::Response& response) {
  Value document;
  if (form.shape == AcceptedForm::Shape::kTable) {
    document = make_table(resource, version, response.items, table);
  } else {
    bool partial = form.shape == AcceptedForm::Shape::kPartialMetadata;
    document = Value::object({{"kind", partial ? "PartialObjectMetadataList" : std::string(resource.kind) + "List"},
                              {"apiVersion", partial ? std::string_view("meta.k8s.io/v1") : version.api_version}});
    Value items = Value::array();
    for (const object::ObjectPtr& item : response.items) {
      items.append(partial ? partial_metadata(*item) : to_version(resource, version, item->document()));
    }
    document.set("items", std::move(items));
  }
  document.set("metadata", list_metadata(response));
  return document_response(200, document, form);
}

}  // namespace

object::Bytes encoded(const kinds::Resource& resource, const kinds::Version& version, const object::Object& object) {
  return object.encoding(version.api_version, [&] {
    // The hub form, the common case, needs no copy to convert.
    if (&version == &resource.hub()) return object::to_json(object.document());
    return object::to_json(to_version(resource, version, object.document()));
  });
}

http::Response document_response(int status, const Value& document, const AcceptedForm& form) {
  if (form.yaml) return http::Response::text(status, object::to_yaml(document), "application/yaml");
  return http::Response::text(status, object::to_json(document) + "\n", "application/json");
}

http::Response object_response(const kinds::Resource& resource, const kinds::Version& version, const AcceptedForm& form,
                               const TableOptions& table, const client::Response& response) {
  int status = response.created ? 201 : 200;
  if (form.shape == AcceptedForm::Shape::kTable) {
    Value document = make_table(resource, version, std::span(&response.object, 1), table);
    document.set("metadata", Value::object({{"resourceVersion", std::to_string(response.object->revision())}}));
    return document_response(status, document, form);
  }
  if (form.shape == AcceptedForm::Shape::kPartialMetadata) {
    return document_response(status, partial_metadata(*response.object), form);
  }
  if (form.yaml) return document_response(status, to_version(resource, version, response.object->document()), form);
  http::Response answer;
  answer.status = status;
  answer.headers.emplace_back("Content-Type", "application/json");
  static const object::Bytes kNewline = bytes("\n");
  answer.body = {encoded(resource, version, *response.object), kNewline};
  return answer;
}

http::Response list_response(const kinds::Resource& resource, const kinds::Version& version, const AcceptedForm& form,
                             const TableOptions& table, const client::Response& response) {
  if (form.yaml || form.shape != AcceptedForm::Shape::kObject) {
    return list_as_document(resource, version, form, table, response);
  }
  http::Response answer;
  answer.headers.emplace_back("Content-Type", "application/json");
  std::string head = "{\"kind\":\"" + std::string(resource.kind) + "List\",\"apiVersion\":\"" +
                     std::string(version.api_version) + "\",\"metadata\":" + object::to_json(list_metadata(response)) +
                     ",\"items\":[";
  static const object::Bytes kComma = bytes(",");
  static const object::Bytes kEnd = bytes("]}\n");
  answer.body.reserve(response.items.size() * 2 + 2);
  answer.body.push_back(bytes(std::move(head)));
  for (const object::ObjectPtr& item : response.items) {
    if (answer.body.size() > 1) answer.body.push_back(kComma);
    answer.body.push_back(encoded(resource, version, *item));
  }
  answer.body.push_back(kEnd);
  return answer;
}

void add_warnings(http::Response& response, const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) {
    response.headers.emplace_back("Warning", "299 - " + quoted(std::string_view(warning).substr(0, 4096)));
  }
}

}  // namespace stead::apiserver
