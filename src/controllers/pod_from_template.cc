#include "controllers/pod_from_template.h"

#include "controllers/owner_references.h"

namespace stead::controllers {

Value pod_from_template(const Object& owner, const Value& pod_template) {
  Value metadata =
      Value::object({{"generateName", std::string(owner.name()) + "-"}, {"namespace", std::string(owner.ns())}});
  for (std::string_view name : {"labels", "annotations", "finalizers"}) {
    if (const Value* given = pod_template.find({"metadata", name})) metadata.set(name, *given);
  }
  metadata.set("ownerReferences", Value::array({controller_reference(owner)}));
  Value pod = Value::object({{"apiVersion", "v1"}, {"kind", "Pod"}});
  pod.set("metadata", std::move(metadata));
  pod.set("spec", pod_template.at("spec"));
  return pod;
}

}  // namespace stead::controllers
