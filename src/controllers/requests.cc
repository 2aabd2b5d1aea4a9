#include "controllers/requests.h"

namespace stead::controllers {
namespace {

Request request_for(const ResourceRef& resource, client::Verb verb, const Value& metadata) {
  Request request;
  request.verb = verb;
  request.group = resource.group;
  request.resource = resource.resource;
  request.ns = metadata.at("namespace").as_string();
  request.name = metadata.at("name").as_string();
  return request;
}

}  // namespace

Request create_request(const ResourceRef& resource, Value body) {
  Request request = request_for(resource, client::Verb::kCreate, body.at("metadata"));
  request.name.clear();
  request.body = std::move(body);
  return request;
}

Request update_request(const ResourceRef& resource, Value body, std::string subresource) {
  Request request = request_for(resource, client::Verb::kUpdate, body.at("metadata"));
  request.subresource = std::move(subresource);
  request.body = std::move(body);
  return request;
}

Request patch_request(const ResourceRef& resource, const object::Object& object, Value patch, std::string subresource) {
  Request request = request_for(resource, client::Verb::kPatch, object.metadata());
  request.subresource = std::move(subresource);
  request.patch_type = client::PatchType::kMerge;
  request.body = std::move(patch);
  return request;
}

Request delete_request(const ResourceRef& resource, const object::Object& object) {
  Request request = request_for(resource, client::Verb::kDelete, object.metadata());
  request.body = Value::object({{"apiVersion", "v1"},
                                {"kind", "DeleteOptions"},
                                {"propagationPolicy", "Background"},
                                {"preconditions", Value::object({{"uid", object.uid()}})}});
  return request;
}

}  // namespace stead::controllers
