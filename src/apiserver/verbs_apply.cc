// Server-side apply: a patch that also creates.

#include <fmt/format.h>

#include "apiserver/document.h"
#include "apiserver/field_owners.h"
#include "apiserver/verbs.h"

namespace stead::apiserver {
namespace {

constexpr int kAttemptsMax = 8;

}  // namespace

void Verbs::apply(Call call, const object::StrictErrors& strict, Callback done, const Narrow& narrow) {
  std::vector<std::string> warnings;
  if (!strict.empty() && call.request.field_validation == "Strict") {
    return done(make_error(Reason::kBadRequest, "error strict decoding YAML: " + strict[0]));
  }
  if (call.request.field_validation != "Ignore") warnings = strict;
  Result<void> prepared = prepare_configuration(call, call.request.body);
  if (!prepared.ok()) return done(prepared.error());
  apply_attempt(std::make_shared<Call>(std::move(call)), std::move(warnings), 1, std::move(done), narrow);
}

void Verbs::apply_attempt(std::shared_ptr<Call> call, std::vector<std::string> warnings, int attempt, Callback done,
                          const Narrow& narrow) {
  if (find(*call)) return apply_to_existing(*call, std::move(warnings), std::move(done), narrow);
  if (!call->request.subresource.empty()) return done(not_found_error(*call, call->request.name));
  const Value& configuration = call->request.body;
  std::string_view uid = configuration.at({"metadata", "uid"}).as_string();
  if (!uid.empty()) {
    return done(conflict_error(
        *call, call->request.name,
        fmt::format("uid mismatch: the provided object specified uid {}, and no existing object was found", uid)));
  }
  if (!configuration.at({"metadata", "resourceVersion"}).as_string().empty()) {
    return done(not_found_error(*call, call->request.name));
  }
  Result<void> allowed = admission_.may_create(*call);
  if (!allowed.ok()) return done(allowed.error());
  Result<AppliedConfiguration> applied = apply_to(*call, nullptr, configuration, loop_.wall_now());
  if (!applied.ok()) return done(applied.error());
  Value managed = applied->document.at({"metadata", "managedFields"});
  Result<Value> hub = to_hub(*call, std::move(applied->document), {}, warnings);
  if (!hub.ok()) return done(hub.error());
  NewDocument made{std::move(*hub), std::move(managed), warnings};
  store_new(call, std::move(made), 1,
            [this, call, warnings, attempt, narrow, done = std::move(done)](Result<Response> response) {
              const bool raced = !response.ok() && response.error().reason == Reason::kAlreadyExists;
              if (raced && attempt < kAttemptsMax && !call->request.dry_run) {
                return apply_attempt(call, warnings, attempt + 1, done, narrow);
              }
              done(std::move(response));
            });
}

void Verbs::apply_to_existing(const Call& call, std::vector<std::string> warnings, Callback done,
                              const Narrow& narrow) {
  auto context = std::make_shared<const Call>(call);
  change(
      call,
      [this, context, narrow, warnings = std::move(warnings)](const object::Object& current) -> Result<Change> {
        const Value& configuration = context->request.body;
        Change change;
        change.status_only = context->request.subresource == "status";
        change.owners_known = true;
        change.warnings = warnings;
        std::string_view revision = configuration.at({"metadata", "resourceVersion"}).as_string();
        if (!revision.empty() && revision != std::to_string(current.revision())) change.expected_revision = -1;
        if (change.expected_revision) return change;
        STEAD_TRY(applied, apply_to(*context, &current, configuration, loop_.wall_now()));
        if (!applied.changed) {
          change.document = current.document();
          return change;
        }
        STEAD_TRY(hub, to_hub(*context, std::move(applied.document), {}, change.warnings));
        STEAD_TRY_VOID(set_identity(*context, hub, random_));
        change.document = std::move(hub);
        if (narrow) narrow(change, current);
        return change;
      },
      std::move(done));
}

}  // namespace stead::apiserver
