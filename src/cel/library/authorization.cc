#include "cel/authorizer.h"
#include "cel/library/library.h"
#include "cel/library/opaque.h"
#include "object/names.h"

namespace stead::cel {

namespace {

// A question as far as it is built up: every step makes a new value of it.
struct Question {
  const Authorizer* authorizer;
  AuthorizationQuestion question;
};
struct HeldAuthorizer : Question {
  static constexpr std::string_view kTypeName = "kubernetes.authorization.Authorizer";
};
struct PathCheck : Question {
  static constexpr std::string_view kTypeName = "kubernetes.authorization.PathCheck";
};
struct GroupCheck : Question {
  static constexpr std::string_view kTypeName = "kubernetes.authorization.GroupCheck";
};
struct ResourceCheck : Question {
  static constexpr std::string_view kTypeName = "kubernetes.authorization.ResourceCheck";
};
struct Decision {
  static constexpr std::string_view kTypeName = "kubernetes.authorization.Decision";
  AuthorizationAnswer answer;
};

std::string text(const Call& call) { return std::string(call[1].as_string()); }
bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos; }

Value path(const Call& call) {
  if (is_blank(call[1].as_string())) return Value::error("path must not be empty");
  PathCheck check{held<HeldAuthorizer>(call[0])};
  check.question.path = text(call);
  return hold(std::move(check));
}

Value group(const Call& call) {
  GroupCheck check{held<HeldAuthorizer>(call[0])};
  check.question.group = text(call);
  return hold(std::move(check));
}

Value service_account(const Call& call) {
  if (!object::check_dns1123_subdomain(call[2].as_string()).empty())
    return Value::error("Invalid service account name");
  if (!object::check_dns1123_label(call[1].as_string()).empty()) {
    return Value::error("Invalid service account namespace");
  }
  HeldAuthorizer of = held<HeldAuthorizer>(call[0]);
  of.question.service_account_namespace = text(call);
  of.question.service_account_name = call[2].as_string();
  return hold(std::move(of));
}

Value resource(const Call& call) {
  if (is_blank(call[1].as_string())) return Value::error("resource must not be empty");
  ResourceCheck check{held<GroupCheck>(call[0])};
  check.question.resource = text(call);
  return hold(std::move(check));
}

template <auto kField>
Value with(const Call& call) {
  ResourceCheck check = held<ResourceCheck>(call[0]);
  check.question.*kField = text(call);
  return hold(std::move(check));
}

Value ask(const Question& built, const Call& call) {
  AuthorizationQuestion question = built.question;
  question.verb = text(call);
  return hold(Decision{built.authorizer->check(question)});
}
Value check_path(const Call& call) { return ask(held<PathCheck>(call[0]), call); }
Value check_resource(const Call& call) { return ask(held<ResourceCheck>(call[0]), call); }

const AuthorizationAnswer& answer(const Call& call) { return held<Decision>(call[0]).answer; }
Value allowed(const Call& call) { return Value::boolean(answer(call).allowed); }
Value reason(const Call& call) { return Value::string(answer(call).reason); }
Value errored(const Call& call) { return Value::boolean(!answer(call).error.empty()); }
Value error(const Call& call) { return Value::string(answer(call).error); }

constexpr Overload kAuthorization[] = {
    {"path", "authorizer.string:path_check", path},
    {"group", "authorizer.string:group_check", group},
    {"serviceAccount", "authorizer.string,string:authorizer", service_account},
    {"resource", "group_check.string:resource_check", resource},
    {"subresource", "resource_check.string:resource_check", with<&AuthorizationQuestion::subresource>},
    {"namespace", "resource_check.string:resource_check", with<&AuthorizationQuestion::ns>},
    {"name", "resource_check.string:resource_check", with<&AuthorizationQuestion::name>},
    {"fieldSelector", "resource_check.string:resource_check", with<&AuthorizationQuestion::field_selector>},
    {"labelSelector", "resource_check.string:resource_check", with<&AuthorizationQuestion::label_selector>},
    {"check", "path_check.string:decision", check_path, CostRule::kAuthorization},
    {"check", "resource_check.string:decision", check_resource, CostRule::kAuthorization},
    {"allowed", "decision.:bool", allowed},
    {"reason", "decision.:string", reason},
    {"errored", "decision.:bool", errored},
    {"error", "decision.:string", error},
};

}  // namespace

Value authorizer_value(const Authorizer& authorizer) { return hold(HeldAuthorizer{{&authorizer, {}}}); }

Value resource_check_value(const Authorizer& authorizer, AuthorizationQuestion prefilled) {
  return hold(ResourceCheck{{&authorizer, std::move(prefilled)}});
}

std::span<const Overload> authorization_functions() { return kAuthorization; }

}  // namespace stead::cel
