#include "apiserver/custom/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "kinds/custom/definition_rules.h"

namespace stead::apiserver {
namespace {

using object::Value;

constexpr std::string_view kDefinitions = "apiextensions.k8s.io/customresourcedefinitions";

// Plural, singular and short names are looked up in one space, kinds in another.
std::set<std::string, std::less<>> resource_names(const Value& names) {
  std::set<std::string, std::less<>> all;
  for (std::string_view name : {"plural", "singular"}) all.emplace(names.at(name).as_string());
  for (const Value& name : names.at("shortNames").items()) all.emplace(name.as_string());
  all.erase("");
  return all;
}

std::string taken(std::string_view what) { return fmt::format("\"{}\" is already in use", what); }

}  // namespace

Catalogue::Catalogue(cache::Cache& cache, loop::Loop& loop)
    : loop_(loop), follower_(cache, loop, std::string(kDefinitions), [this](const auto& before, const auto& after) {
        changed(before, after);
      }) {}

void Catalogue::changed(const object::ObjectPtr& before, const object::ObjectPtr& after) {
  const object::ObjectPtr& any = after ? after : before;
  std::string name(any->name());
  if (!after) {
    entries_.erase(name);
  } else {
    Entry& entry = entries_[name];
    const bool established = kinds::has_definition_condition(after->document(), "Established");
    const bool same = entry.kind && entry.definition && entry.definition->uid() == after->uid() &&
                      entry.definition->spec() == after->spec();
    if (!established) {
      entry.kind.reset();
    } else if (!same) {
      entry.kind = kinds::CustomKind::make(after->document(), after->revision());
    }
    entry.definition = after;
  }
  state_ = fmt::format("-{}", any->revision());
  if (listener_) listener_(after);
}

Catalogue::Served Catalogue::find(std::string_view group, std::string_view name) const {
  if (const kinds::Resource* built_in = kinds::registry().find(group, name)) return {built_in, nullptr};
  auto found = entries_.find(fmt::format("{}.{}", name, group));
  if (found == entries_.end() || !found->second.kind) return {};
  return {&found->second.kind->resource(), found->second.kind};
}

Catalogue::Served Catalogue::find_kind(std::string_view api_version, std::string_view kind) const {
  auto serves = [&](const kinds::Resource& resource) {
    if (resource.kind != kind) return false;
    return std::any_of(resource.versions.begin(), resource.versions.end(),
                       [&](const kinds::Version& version) { return version.api_version == api_version; });
  };
  for (const kinds::Resource& resource : kinds::registry().resources()) {
    if (serves(resource)) return {&resource, nullptr};
  }
  for (const auto& [name, entry] : entries_) {
    if (entry.kind && serves(entry.kind->resource())) return {&entry.kind->resource(), entry.kind};
  }
  return {};
}

std::vector<const kinds::Resource*> Catalogue::resources() const {
  std::vector<const kinds::Resource*> all;
  for (const kinds::Resource& resource : kinds::registry().resources()) all.push_back(&resource);
  for (const auto& [name, entry] : entries_) {
    if (entry.kind) all.push_back(&entry.kind->resource());
  }
  return all;
}

std::vector<object::ObjectPtr> Catalogue::definitions() const {
  std::vector<object::ObjectPtr> all;
  for (const auto& [name, entry] : entries_) all.push_back(entry.definition);
  return all;
}

bool Catalogue::is_terminating(const kinds::Resource& resource) const {
  auto found = entries_.find(fmt::format("{}.{}", resource.name, resource.group));
  return found != entries_.end() && found->second.definition->deleting();
}

std::string Catalogue::conflict(const Value& definition) const {
  std::string_view own = definition.at({"metadata", "name"}).as_string();
  std::string_view group = definition.at({"spec", "group"}).as_string();
  const Value& names = definition.at({"spec", "names"});
  const auto wanted = resource_names(names);
  for (const kinds::Resource& resource : kinds::registry().resources()) {
    if (resource.group != group) continue;
    if (wanted.contains(resource.name)) return taken(resource.name);
    if (resource.kind == names.at("kind").as_string()) return taken(resource.kind);
  }
  for (const auto& [name, entry] : entries_) {
    const Value& other = entry.definition->spec();
    if (name == own || !entry.kind || other.at("group").as_string() != group) continue;
    for (const std::string& text : resource_names(other.at("names"))) {
      if (wanted.contains(text)) return taken(text);
    }
    for (std::string_view kind : {"kind", "listKind"}) {
      if (names.at(kind) == other.at({"names", kind})) return taken(names.at(kind).as_string());
    }
  }
  return {};
}

void Catalogue::settle(Value& definition) const {
  const WallTime now = loop_.wall_now();
  const std::string why_not = conflict(definition);
  auto set = [&](std::string_view type, bool status, std::string_view reason, std::string_view message) {
    kinds::set_definition_condition(definition, type, status, reason, message, now);
  };
  // Once established a definition stays so, whatever names it tries to take later.
  const bool was_established = kinds::has_definition_condition(definition, "Established");
  if (why_not.empty()) {
    set("NamesAccepted", true, "NoConflicts", "no conflicts found");
    set("Established", true, "InitialNamesAccepted", "the initial names have been accepted");
    definition["status"].set("acceptedNames", definition.at({"spec", "names"}));
  } else {
    set("NamesAccepted", false, "NamesConflict", why_not);
    if (!was_established) set("Established", false, "NotAccepted", "not all names are accepted");
  }
  for (const Value& version : definition.at({"spec", "versions"}).items()) {
    if (!version.at("storage").as_bool()) continue;
    Value& stored = definition["status"]["storedVersions"];
    auto items = stored.items();
    if (std::find(items.begin(), items.end(), version.at("name")) == items.end()) stored.append(version.at("name"));
  }
}

}  // namespace stead::apiserver
