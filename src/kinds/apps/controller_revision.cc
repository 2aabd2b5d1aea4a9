#include "kinds/apps/apps_rules.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "object/selector.h"

namespace stead::kinds {
namespace {

void validate(const Value& revision, FieldErrors& errors) {
  if (revision.find("data") == nullptr) errors.required(Path("data"), "data is mandatory");
  check_not_negative(Path("revision"), revision.at("revision"), errors);
}

void validate_update(const Value& revision, const Value& old, FieldErrors& errors) {
  check_unchanged(Path("data"), revision.at("data"), old.at("data"), errors);
}

std::vector<Value> cells(const Value& revision, WallTime now) {
  std::string controller(kNone);
  for (const Value& owner : revision.at({"metadata", "ownerReferences"}).items()) {
    if (!owner.at("controller").as_bool()) continue;
    // "statefulset.apps/web"
    std::string_view api_version = owner.at("apiVersion").as_string();
    size_t slash = api_version.find('/');
    controller = lower(owner.at("kind").as_string());
    if (slash != std::string_view::npos) controller += "." + std::string(api_version.substr(0, slash));
    controller += "/" + std::string(owner.at("name").as_string());
  }
  return {name_of(revision), controller, revision.at("revision").as_int(), age(revision, now)};
}

}  // namespace

KindRules controller_revision_rules() {
  KindRules made;
  made.rules = {.validate = validate, .validate_update = validate_update, .cells = cells};
  made.columns = {name_column(),
                  {"Controller", "string", "", "The object whose history this belongs to."},
                  {"Revision", "string", "", "Its place in that history."},
                  age_column()};
  return made;
}

}  // namespace stead::kinds
