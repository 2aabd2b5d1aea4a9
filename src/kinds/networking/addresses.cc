// Rules of IPAddress and ServiceCIDR.

#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "kinds/networking/networking_rules.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

void validate_address(const Value& address, FieldErrors& errors) {
  Path spec("spec");
  Path path = spec.child("parentRef");
  Path metadata("metadata");
  const Value& name = name_of(address);
  check(metadata.child("name"), name, object::check_ip(name.as_string()), errors);
  const Value* parent = address.find({"spec", "parentRef"});
  if (parent == nullptr) return errors.required(path);
  for (std::string_view field : {"resource", "name"}) {
    if (check_present(path.child(field), parent->at(field), errors)) {
      check(path.child(field), parent->at(field), object::check_path_segment(parent->at(field).as_string()), errors);
    }
  }
}

void validate_address_update(const Value& address, const Value& old, FieldErrors& errors) {
  Path spec("spec");
  check_unchanged(spec.child("parentRef"), address.at({"spec", "parentRef"}), old.at({"spec", "parentRef"}), errors);
}

std::vector<Value> address_cells(const Value& address, WallTime now) {
  const Value& parent = address.at({"spec", "parentRef"});
  // "services/default/web", with the group behind the resource where there is one.
  std::string text(parent.at("resource").as_string());
  if (!is_absent_or_empty(parent.at("group"))) text += "." + std::string(parent.at("group").as_string());
  for (std::string_view part : {"namespace", "name"}) {
    if (!is_absent_or_empty(parent.at(part))) text += "/" + std::string(parent.at(part).as_string());
  }
  return {name_of(address), parent.is_null() ? std::string(kNone) : text, age(address, now)};
}

void validate_ranges(const Value& ranges, FieldErrors& errors) {
  Path spec("spec");
  Path path = spec.child("cidrs");
  auto items = ranges.at({"spec", "cidrs"}).items();
  if (items.empty()) return errors.required(path, "at least one CIDR required");
  if (items.size() > 2) {
    errors.invalid(path, ranges.at({"spec", "cidrs"}), "may only hold up to 2 values");
    return;
  }
  for (size_t i = 0; i < items.size(); ++i) {
    check(path.index(i), items[i], object::check_cidr(items[i].as_string()), errors);
  }
  bool both_v6 = items.size() == 2 && (items[0].as_string().find(':') == std::string_view::npos) ==
                                          (items[1].as_string().find(':') == std::string_view::npos);
  if (both_v6) {
    errors.invalid(path, ranges.at({"spec", "cidrs"}), "may specify no more than one IP for each IP family");
  }
}

void validate_ranges_update(const Value& ranges, const Value& old, FieldErrors& errors) {
  Path spec("spec");
  check_unchanged(spec.child("cidrs"), ranges.at({"spec", "cidrs"}), old.at({"spec", "cidrs"}), errors);
}

std::vector<Value> range_cells(const Value& ranges, WallTime now) {
  return {name_of(ranges), join(ranges.at({"spec", "cidrs"})), age(ranges, now)};
}

}  // namespace

KindRules ip_address_rules() {
  KindRules made;
  made.rules = {.validate = validate_address, .validate_update = validate_address_update, .cells = address_cells};
  made.columns = {name_column(), {"ParentRef", "string", "", "The object that uses the address."}, age_column()};
  return made;
}

KindRules service_cidr_rules() {
  KindRules made;
  made.rules = {.validate = validate_ranges, .validate_update = validate_ranges_update, .cells = range_cells};
  made.columns = {name_column(), {"CIDRs", "string", "", "The ranges."}, age_column()};
  return made;
}

}  // namespace stead::kinds
