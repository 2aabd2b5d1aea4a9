#include "controllers/owner_references.h"

namespace stead::controllers {

const Value* controller_of(const Object& object) {
  for (const Value& owner : object.metadata().at("ownerReferences").items()) {
    if (owner.at("controller").as_bool()) return &owner;
  }
  return nullptr;
}

bool controlled_by(const Object& object, const Object& owner) {
  const Value* controller = controller_of(object);
  return controller != nullptr && controller->at("uid").as_string() == owner.uid();
}

const Value* reference_to(const Object& object, std::string_view uid) {
  for (const Value& owner : object.metadata().at("ownerReferences").items()) {
    if (owner.at("uid").as_string() == uid) return &owner;
  }
  return nullptr;
}

std::vector<std::string> index_orphans(const Object& object) {
  if (controller_of(object) != nullptr) return {};
  return {std::string(object.ns())};
}

Value controller_reference(const Object& owner) {
  return Value::object({{"apiVersion", owner.document().at("apiVersion")},
                        {"kind", owner.document().at("kind")},
                        {"name", owner.name()},
                        {"uid", owner.uid()},
                        {"controller", true},
                        {"blockOwnerDeletion", true}});
}

Value with_owner(const Object& object, Value reference) {
  Value document = object.document();
  document["metadata"]["ownerReferences"].append(std::move(reference));
  return document;
}

Value without_owner(const Object& object, std::string_view uid) {
  Value document = object.document();
  std::vector<Value>& owners = document["metadata"]["ownerReferences"].mutable_items();
  std::erase_if(owners, [&](const Value& owner) { return owner.at("uid").as_string() == uid; });
  if (owners.empty()) document["metadata"].erase("ownerReferences");
  return document;
}

}  // namespace stead::controllers
