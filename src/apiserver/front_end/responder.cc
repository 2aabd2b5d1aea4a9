#include "apiserver/front_end/responder.h"

#include "apiserver/document.h"
#include "kinds/descriptors.h"
#include "object/codec.h"
#include "object/protobuf.h"
#include "object/wire.h"

namespace stead::apiserver {
namespace {

using object::Value;

constexpr char kProtobufType[] = "application/vnd.kubernetes.protobuf";

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
    if (&version == &resource.hub() && kinds::custom_of(resource) == nullptr) return object::to_json(object.document());
    return object::to_json(to_version(resource, version, object.document()));
  });
}

object::Bytes encoded_item(const kinds::Resource& resource, const kinds::Version& version,
                           const object::Object& object) {
  return object.encoding(std::string(version.api_version) + ";protobuf", [&] {
    std::string item;
    object::append_bytes_field(
        2, object::encode_protobuf(to_version(resource, version, object.document()), *version.message), item);
    return item;
  });
}

std::string encoded_protobuf(const kinds::Resource& resource, const kinds::Version& version,
                             const object::Object& object) {
  object::Bytes item = encoded_item(resource, version, object);
  object::WireReader reader(*item);
  reader.next();
  return object::seal_envelope(version.api_version, resource.kind, reader.bytes);
}

std::optional<std::string> document_protobuf(const Value& document) {
  std::string_view api_version = document.at("apiVersion").as_string();
  std::string_view kind = document.at("kind").as_string();
  std::string_view package = kind == "Scale" ? "autoscaling.v1" : "meta.v1";
  const object::Message* message = kinds::find_message(package, kind);
  if (message == nullptr) return std::nullopt;
  return object::seal_envelope(api_version, kind, object::encode_protobuf(document, *message));
}

http::Response document_response(int status, const Value& document, const AcceptedForm& form) {
  if (form.body == BodyForm::kYaml) return http::Response::text(status, object::to_yaml(document), "application/yaml");
  if (form.body == BodyForm::kProtobuf) {
    if (auto text = document_protobuf(document)) return http::Response::text(status, std::move(*text), kProtobufType);
  }
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
  if (form.body == BodyForm::kProtobuf) {
    return http::Response::text(status, encoded_protobuf(resource, version, *response.object), kProtobufType);
  }
  if (form.body == BodyForm::kYaml)
    return document_response(status, to_version(resource, version, response.object->document()), form);
  http::Response answer;
  answer.status = status;
  answer.headers.emplace_back("Content-Type", "application/json");
  static const object::Bytes kNewline = bytes("\n");
  answer.body = {encoded(resource, version, *response.object), kNewline};
  return answer;
}

namespace {

// The envelope around a list whose members are spliced in from their memos.
http::Response list_as_protobuf(const kinds::Resource& resource, const kinds::Version& version,
                                const client::Response& response) {
  std::string metadata;
  object::append_bytes_field(
      1, object::encode_protobuf(list_metadata(response), *kinds::find_message("meta.v1", "ListMeta")), metadata);
  size_t size = metadata.size();
  http::Response answer;
  answer.headers.emplace_back("Content-Type", kProtobufType);
  answer.body.reserve(response.items.size() + 2);
  answer.body.emplace_back();
  for (const object::ObjectPtr& item : response.items) {
    answer.body.push_back(encoded_item(resource, version, *item));
    size += answer.body.back()->size();
  }
  std::string type;
  object::append_bytes_field(1, version.api_version, type);
  object::append_bytes_field(2, std::string(resource.kind) + "List", type);
  std::string head("k8s\0", 4);
  object::append_bytes_field(1, type, head);
  object::append_tag(2, object::WireType::kBytes, head);
  object::append_varint(size, head);
  answer.body.front() = bytes(head + metadata);
  std::string tail;
  object::append_bytes_field(3, "", tail);
  object::append_bytes_field(4, "", tail);
  answer.body.push_back(bytes(std::move(tail)));
  return answer;
}

}  // namespace

http::Response list_response(const kinds::Resource& resource, const kinds::Version& version, const AcceptedForm& form,
                             const TableOptions& table, const client::Response& response) {
  if (form.body == BodyForm::kYaml || form.shape != AcceptedForm::Shape::kObject) {
    return list_as_document(resource, version, form, table, response);
  }
  if (form.body == BodyForm::kProtobuf) return list_as_protobuf(resource, version, response);
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
