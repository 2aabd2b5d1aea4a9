#include "kinds/meta/test_documents.h"

#include <gtest/gtest.h>

#include "kinds/meta/metadata.h"
#include "object/codec.h"

namespace stead::kinds {
namespace {

const Resource& resource_of(std::string_view group, std::string_view kind) {
  const Resource* found = registry().find_kind(group, kind);
  if (found == nullptr) ADD_FAILURE() << "no kind " << kind;
  return *found;
}

std::vector<std::string> texts(const FieldErrors& errors) {
  std::vector<std::string> all;
  for (const Cause& cause : errors.causes()) all.push_back(cause.field + ": " + cause.message);
  return all;
}

}  // namespace

Value load(std::string_view group, std::string_view kind, std::string_view version, std::string_view yaml) {
  const Resource& resource = resource_of(group, kind);
  const Version* form = resource.version(group, version);
  auto parsed = object::parse_yaml(yaml);
  if (!parsed.ok() || form == nullptr) {
    ADD_FAILURE() << (parsed.ok() ? "no such version" : parsed.error().message);
    return {};
  }
  Value document = std::move(*parsed);
  auto shaped = object::shape(document, *form->message);
  EXPECT_TRUE(shaped.ok()) << (shaped.ok() ? "" : shaped.error().message);
  object::apply_defaults(document, *form->message);
  if (form->set_defaults != nullptr) form->set_defaults(document);
  if (form->to_hub != nullptr) form->to_hub(document);
  return document;
}

std::vector<std::string> problems(std::string_view group, std::string_view kind, const Value& document) {
  const Resource& resource = resource_of(group, kind);
  FieldErrors errors;
  validate_metadata(resource, document, errors);
  if (resource.rules.validate != nullptr) resource.rules.validate(document, errors);
  return texts(errors);
}

std::vector<std::string> update_problems(std::string_view group, std::string_view kind, const Value& document,
                                         const Value& old) {
  const Resource& resource = resource_of(group, kind);
  FieldErrors errors;
  validate_metadata_update(resource, document, old, errors);
  if (resource.rules.validate_update != nullptr) resource.rules.validate_update(document, old, errors);
  return texts(errors);
}

std::vector<std::string> status_problems(std::string_view group, std::string_view kind, const Value& document,
                                         const Value& old) {
  FieldErrors errors;
  auto validate = resource_of(group, kind).rules.validate_status_update;
  if (validate != nullptr) validate(document, old, errors);
  return texts(errors);
}

std::vector<std::string> warnings_of(std::string_view group, std::string_view kind, const Value& document,
                                     const Value* old) {
  std::vector<std::string> warnings;
  auto warn = resource_of(group, kind).rules.warn;
  if (warn != nullptr) warn(document, old, warnings);
  return warnings;
}

Value prepared(std::string_view group, std::string_view kind, Value document) {
  auto prepare = resource_of(group, kind).rules.prepare_create;
  if (prepare != nullptr) prepare(document);
  return document;
}

std::vector<std::string> row(std::string_view group, std::string_view kind, const Value& document, WallTime now) {
  const Resource& resource = resource_of(group, kind);
  std::vector<std::string> all;
  for (const Value& cell : resource.rules.cells(document, now)) {
    all.push_back(cell.is_string() ? std::string(cell.as_string()) : object::to_json(cell));
  }
  EXPECT_EQ(all.size(), resource.columns.size());
  return all;
}

}  // namespace stead::kinds
