// create, update and patch.

#include <fmt/format.h>

#include "apiserver/document.h"
#include "apiserver/field_owners.h"
#include "apiserver/patching.h"
#include "apiserver/verbs.h"
#include "kinds/meta/metadata.h"

namespace stead::apiserver {
namespace {

constexpr int kAttemptsMax = 8;
constexpr Duration kEventLife = std::chrono::hours(1);

object::Bytes encode_for_store(const Value& document) {
  return std::make_shared<const std::string>(object::to_json(document));
}

}  // namespace

Verbs::Verbs(store::Store& store, cache::Cache& cache, loop::Loop& loop, Random& random, Admission& admission)
    : store_(store), cache_(cache), loop_(loop), random_(random), admission_(admission) {}

store::Write Verbs::put(const Call& call, const std::string& name, Value document) const {
  store::Write write;
  std::string key = call.resource->namespaced ? call.request.ns + "/" + name : name;
  write.key = cache_.store_key(call.resource_path(), key);
  document["metadata"].erase("resourceVersion");
  write.value = encode_for_store(document);
  bool is_event = call.resource->name == "events";
  if (is_event) write.expires_at = loop_.wall_now() + kEventLife;
  write.attachment = std::make_shared<Value>(std::move(document));
  return write;
}

// The store calls back on its own thread, after it has handed the events to the cache, which posted them to this
// loop: so `done` runs when the cache is up to date.
void Verbs::write(const Call& call, store::Write write, std::function<void(Result<store::WriteOutcome>)> done) {
  (void)call;
  store_.write(std::move(write), [this, done = std::move(done)](Result<store::WriteOutcome> outcome) {
    loop_.post([done, outcome = std::move(outcome)] { done(outcome); });
  });
}

Result<void> Verbs::validate_new(const Call& call, const Value& document) const {
  object::FieldErrors errors;
  kinds::validate_metadata(*call.resource, document, errors);
  if (call.resource->rules.validate != nullptr) call.resource->rules.validate(document, errors);
  if (errors.empty()) return {};
  return errors.to_error(call.version->group, call.resource->kind, document.at({"metadata", "name"}).as_string());
}

Result<void> Verbs::validate_change(const Call& call, const Value& document, const Value& old, bool status_only) const {
  object::FieldErrors errors;
  kinds::validate_metadata_update(*call.resource, document, old, errors);
  const kinds::Rules& rules = call.resource->rules;
  if (status_only) {
    if (rules.validate_status_update != nullptr) rules.validate_status_update(document, old, errors);
  } else {
    if (rules.validate != nullptr) rules.validate(document, errors);
    if (rules.validate_update != nullptr) rules.validate_update(document, old, errors);
  }
  if (errors.empty()) return {};
  return errors.to_error(call.version->group, call.resource->kind, document.at({"metadata", "name"}).as_string());
}

void Verbs::create(Call call, object::StrictErrors strict, Callback done) {
  std::vector<std::string> warnings;
  Value body = std::move(call.request.body);
  if (!body.at({"metadata", "resourceVersion"}).as_string().empty() &&
      body.at({"metadata", "resourceVersion"}).as_string() != "0") {
    return done(make_error(Reason::kBadRequest, "resourceVersion should not be set on objects to be created"));
  }
  Result<Value> hub = to_hub(call, std::move(body), std::move(strict), warnings);
  if (!hub.ok()) return done(hub.error());
  store_new(std::make_shared<Call>(std::move(call)), {std::move(*hub), {}, std::move(warnings)}, 1, std::move(done));
}

void Verbs::store_new(std::shared_ptr<Call> call, NewDocument made, int attempt, Callback done) {
  // A generated name that is taken is tried again with another.
  bool generated = made.document.at({"metadata", "name"}).as_string().empty();
  Value document = generated ? made.document : std::move(made.document);
  Result<void> identity = set_identity(*call, document, random_);
  if (!identity.ok()) return done(identity.error());
  const Value sent_managed = document.at({"metadata", "managedFields"});
  prepare_new(*call->resource, document, random_, loop_.wall_now());
  if (made.managed_fields.is_null()) {
    own_new_fields(*call, document, sent_managed, loop_.wall_now());
  } else {
    document["metadata"].set("managedFields", made.managed_fields);
  }
  if (call->resource->rules.prepare_create != nullptr) call->resource->rules.prepare_create(document);
  Result<void> admitted = admission_.admit_create(*call, document);
  if (!admitted.ok()) return done(admitted.error());
  Result<void> valid = validate_new(*call, document);
  if (!valid.ok()) return done(valid.error());
  Result<QuotaLedger::ReservationPtr> charged = admission_.charge(*call, document, nullptr);
  if (!charged.ok()) return done(charged.error());
  std::string name(document.at({"metadata", "name"}).as_string());
  Response response;
  response.created = true;
  response.warnings = made.warnings;
  if (call->request.dry_run) {
    std::string key = call->resource->namespaced ? call->request.ns + "/" + name : name;
    if (cache_.get(call->resource_path(), key)) return done(already_exists_error(*call, name));
    response.object = object::make_object(std::move(document), 0);
    return done(std::move(response));
  }
  store::Write write = put(*call, name, std::move(document));
  write.expect = store::Write::Expect::kAbsent;
  this->write(*call, std::move(write),
              [this, call, name, generated, attempt, response = std::move(response), made = std::move(made), done,
               charged = std::move(*charged)](Result<store::WriteOutcome> outcome) mutable {
                charged.reset();
                if (!outcome.ok()) return done(outcome.error());
                if (!outcome->applied) {
                  if (generated && attempt < kAttemptsMax) {
                    return store_new(call, std::move(made), attempt + 1, done);
                  }
                  return done(already_exists_error(*call, name));
                }
                call->request.name = name;
                response.object = find(*call);
                response.revision = outcome->revision;
                // Deleted again before we could look: the caller still learns what was made.
                if (!response.object) return done(not_found_error(*call, name));
                done(std::move(response));
              });
}

void Verbs::change(Call call, Changer changer, Callback done) {
  change_attempt(std::make_shared<Call>(std::move(call)), std::make_shared<Changer>(std::move(changer)), 1,
                 std::move(done));
}

void Verbs::change_attempt(std::shared_ptr<Call> call, std::shared_ptr<Changer> changer, int attempt, Callback done) {
  ObjectPtr current = find(*call);
  if (!current) return done(not_found_error(*call, call->request.name));
  Result<Change> changed = (*changer)(*current);
  if (!changed.ok()) return done(changed.error());
  if (changed->expected_revision && *changed->expected_revision != current->revision()) {
    return done(modified_error(*call, current->name()));
  }
  Value document = std::move(changed->document);
  const Value& old = current->document();
  std::string wanted_uid(document.at({"metadata", "uid"}).as_string());
  if (!wanted_uid.empty() && wanted_uid != current->uid()) {
    return done(conflict_error(*call, current->name(),
                               fmt::format("Precondition failed: UID in precondition: {}, UID in object meta: {}",
                                           wanted_uid, current->uid())));
  }
  QuotaLedger::ReservationPtr charged;
  if (changed->keep_spec_rules) carry_over(*call->resource, document, old, changed->status_only);
  if (!changed->owners_known && !changed->skip_validation) {
    own_changed_fields(*call, document, old, loop_.wall_now());
  }
  if (!changed->skip_validation) {
    Result<void> admitted = admission_.admit_update(*call, document, old);
    if (!admitted.ok()) return done(admitted.error());
    Result<void> valid = validate_change(*call, document, old, changed->status_only);
    if (!valid.ok()) return done(valid.error());
    if (!changed->status_only) {
      Result<QuotaLedger::ReservationPtr> growth = admission_.charge(*call, document, &old);
      if (!growth.ok()) return done(growth.error());
      charged = std::move(*growth);
    }
  }
  document["metadata"].set("resourceVersion", std::to_string(current->revision()));
  Response response;
  response.warnings = std::move(changed->warnings);
  bool remove = deletion_is_complete(*call->resource, document);
  if ((document == old && !remove) || call->request.dry_run) {
    response.object = document == old ? current : object::make_object(std::move(document), current->revision());
    response.revision = response.object->revision();
    return done(std::move(response));
  }
  store::Write write = put(*call, std::string(current->name()), document);
  if (remove) {
    write.value.reset();
    write.attachment.reset();
  }
  write.expect = store::Write::Expect::kRevision;
  write.revision = current->revision();
  this->write(
      *call, std::move(write),
      [this, call, changer, attempt, remove, done, document = std::move(document), old = current,
       response = std::move(response), charged = std::move(charged)](Result<store::WriteOutcome> outcome) mutable {
        charged.reset();
        if (!outcome.ok()) return done(outcome.error());
        if (!outcome->applied) {
          if (attempt < kAttemptsMax) return change_attempt(call, changer, attempt + 1, done);
          return done(modified_error(*call, call->request.name));
        }
        response.revision = outcome->revision;
        response.deleted = remove;
        document["metadata"].set("resourceVersion", std::to_string(outcome->revision));
        ObjectPtr now = find(*call);
        bool same = now && now->revision() == outcome->revision;
        response.object = same ? now : object::make_object(std::move(document), outcome->revision);
        done(std::move(response));
      });
}

void Verbs::update(Call call, object::StrictErrors strict, Callback done) {
  if (call.request.name.empty()) call.request.name = call.request.body.at({"metadata", "name"}).as_string();
  std::vector<std::string> warnings;
  std::string revision(call.request.body.at({"metadata", "resourceVersion"}).as_string());
  bool status_only = call.request.subresource == "status";
  Result<Value> hub = to_hub(call, std::move(call.request.body), std::move(strict), warnings);
  if (!hub.ok()) return done(hub.error());
  Result<void> identity = set_identity(call, *hub, random_);
  if (!identity.ok()) return done(identity.error());
  std::optional<int64_t> expected;
  if (!revision.empty() && revision != "0") {
    if (revision.size() > 18 || revision.find_first_not_of("0123456789") != std::string::npos) {
      return done(
          make_error(Reason::kBadRequest, fmt::format("metadata.resourceVersion: Invalid value: \"{}\"", revision)));
    }
    expected = std::stoll(revision);
  }
  change(
      std::move(call),
      [hub = std::move(*hub), warnings = std::move(warnings), status_only, expected](const object::Object&) {
        Change change;
        change.document = hub;
        change.status_only = status_only;
        change.warnings = warnings;
        change.expected_revision = expected;
        return Result<Change>(std::move(change));
      },
      std::move(done));
}

void Verbs::patch(Call call, object::StrictErrors strict, Callback done) {
  if (call.request.patch_type == client::PatchType::kApply) return apply(std::move(call), strict, std::move(done));
  Call context = call;
  Value patch = std::move(context.request.body);
  context.request.body = Value();
  bool status_only = call.request.subresource == "status";
  change(
      std::move(call),
      [this, context = std::move(context), patch = std::move(patch), strict = std::move(strict),
       status_only](const object::Object& current) -> Result<Change> {
        Change change;
        change.status_only = status_only;
        Value document = to_version(*context.resource, *context.version, current.document());
        STEAD_TRY_VOID(apply_patch(context, patch, document));
        std::string revision(document.at({"metadata", "resourceVersion"}).as_string());
        STEAD_TRY(hub, to_hub(context, std::move(document), strict, change.warnings));
        STEAD_TRY_VOID(set_identity(context, hub, random_));
        // A patch that names a revision holds only for it.
        if (!revision.empty() && revision != std::to_string(current.revision())) change.expected_revision = -1;
        change.document = std::move(hub);
        return change;
      },
      std::move(done));
}

}  // namespace stead::apiserver
