#pragma once

// From a verb's answer to HTTP, in the form the client asked for. Encodings of whole objects are memoised on the
// object and spliced into lists; nothing is encoded twice.

#include "apiserver/call.h"
#include "apiserver/front_end/negotiation.h"
#include "apiserver/front_end/table.h"
#include "http/http.h"

namespace stead::apiserver {

// The object as JSON in the version, from its memo.
object::Bytes encoded(const kinds::Resource& resource, const kinds::Version& version, const object::Object& object);

// The same in protobuf, as a list's member: the tag of field 2, its length, and the message. From its memo.
object::Bytes encoded_item(const kinds::Resource& resource, const kinds::Version& version,
                           const object::Object& object);
// The object in protobuf's envelope.
std::string encoded_protobuf(const kinds::Resource& resource, const kinds::Version& version,
                             const object::Object& object);
// A document of meta/v1, or a Scale, in protobuf's envelope; nullopt for others.
std::optional<std::string> document_protobuf(const object::Value& document);

http::Response object_response(const kinds::Resource& resource, const kinds::Version& version, const AcceptedForm& form,
                               const TableOptions& table, const client::Response& response);
http::Response list_response(const kinds::Resource& resource, const kinds::Version& version, const AcceptedForm& form,
                             const TableOptions& table, const client::Response& response);
http::Response document_response(int status, const object::Value& document, const AcceptedForm& form);
void add_warnings(http::Response& response, const std::vector<std::string>& warnings);

}  // namespace stead::apiserver
