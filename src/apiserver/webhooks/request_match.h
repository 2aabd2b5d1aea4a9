#pragma once

// Whether a write is one that rules and selectors mean: webhooks and admission policies ask alike. Pure.

#include <optional>
#include <string_view>

#include "apiserver/webhooks/webhook.h"

namespace stead::apiserver {

// The version of the resource that one of `rules` (RuleWithOperations) is about: the caller's, or where `equivalent`
// another; nullptr: none. Rules that name objects mean those; nullopt as `name`: whichever they name.
const kinds::Version* matching_version(const object::Value& rules, bool equivalent, const Call& call,
                                       Operation operation, std::optional<std::string_view> name);

// Whether both selectors choose it. `namespace_labels` is null where no namespace has a say.
bool selectors_choose(const object::LabelSelector& namespaces, const object::LabelSelector& objects,
                      const AdmissionAttributes& attributes, const object::Value* namespace_labels);

// Of a document: what is absent selects everything.
object::LabelSelector selector_of(const object::Value& document);

// The name of what is written; empty where it is not known yet.
std::string_view object_name(const AdmissionAttributes& attributes);

}  // namespace stead::apiserver
