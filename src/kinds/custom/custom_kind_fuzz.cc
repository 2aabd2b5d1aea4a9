// {"definition": CustomResourceDefinition, "object": …}: a definition that passes its validation compiles, and what it
// makes of a document it makes of it once.

#include "base/check.h"
#include "kinds/custom/custom_kind.h"
#include "kinds/registry.h"
#include "object/apply/managed_fields.h"
#include "object/apply/merge.h"

namespace {

using namespace stead;
using namespace stead::kinds;

void check_document(const CustomKind& kind, const Version& version, Value document) {
  if (!document.is_object()) return;
  object::StrictErrors strict;
  if (!kind.shape(document, version, &strict).ok()) return;
  Value again = document;
  strict.clear();
  STEAD_CHECK(kind.shape(again, version, &strict).ok());
  STEAD_CHECK(again == document, object::to_json(document));
  STEAD_CHECK(strict.empty(), strict.empty() ? "" : strict[0]);
  FieldErrors errors;
  kind.validate(document, nullptr, version, errors, nullptr);
  for (const Cause& cause : errors.causes()) STEAD_CHECK(!cause.message.empty() && !cause.field.empty());
  STEAD_CHECK(kind.cells(document, version, WallTime()).size() == kind.columns(version).size());
  if (const auto& scale = kind.scale(version)) {
    (void)scale->status_replicas.find(document);
    scale->spec_replicas.set(again, 3);
    auto found = scale->spec_replicas.find(again);
    STEAD_CHECK(found.size() == 1 && found[0]->as_int() == 3);
  }
  if (!errors.empty() || !object::check_configuration(document, *version.message).empty()) return;
  (void)object::fields_of(document, *version.message);
  STEAD_CHECK(object::compare_fields(document, document, *version.message).changed.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto input = object::parse_json({reinterpret_cast<const char*>(data), size});
  if (!input.ok()) return 0;
  static const Resource& definitions = *registry().find_kind("apiextensions.k8s.io", "CustomResourceDefinition");
  const Version& hub = definitions.hub();
  Value definition = input->at("definition");
  if (!definition.is_object() || !object::shape(definition, *hub.message).ok()) return 0;
  object::apply_defaults(definition, *hub.message);
  if (hub.set_defaults != nullptr) hub.set_defaults(definition);
  FieldErrors errors;
  definitions.rules.validate(definition, errors);
  if (!errors.empty()) return 0;
  auto kind = CustomKind::make(definition);
  for (const Version& version : kind->resource().versions) check_document(*kind, version, input->at("object"));
  for (std::string_view path : kind->resource().selectable_fields) {
    STEAD_CHECK(kind->field(input->at("object"), path).has_value(), path);
  }
  return 0;
}
