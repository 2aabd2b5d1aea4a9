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

// Whether what is stored would be stored otherwise now: in another version, or with defaults that it lacks.
bool is_stale(const Call& call, const object::Object& stored, const object::Object& shown) {
  if (!call.custom) return false;
  const Value& version = stored.document().at("apiVersion");
  return version.as_string() != call.custom->stored_version() ||
         (&stored != &shown && version == shown.document().at("apiVersion"));
}

}  // namespace

Verbs::Verbs(store::Store& store, cache::Cache& cache, loop::Loop& loop, Random& random, Admission& admission,
             WebhookAdmission& webhooks, Converter& converter)
    : store_(store),
      cache_(cache),
      loop_(loop),
      random_(random),
      admission_(admission),
      webhooks_(webhooks),
      converter_(converter) {}

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
  auto store_it = [this, done](store::Write made) {
    store_.write(std::move(made), [this, done](Result<store::WriteOutcome> outcome) {
      loop_.post([done, outcome = std::move(outcome)] { done(outcome); });
    });
  };
  auto document = std::static_pointer_cast<Value>(write.attachment);
  const bool converted = call.custom && document && !call.custom->conversion_webhook().is_null() &&
                         document->at("apiVersion").as_string() != call.custom->stored_version();
  if (!converted) return store_it(std::move(write));
  converter_.convert(call.custom, call.custom->stored_version(), std::move(*document),
                     [store_it, done, write = std::move(write)](Result<Value> stored) mutable {
                       if (!stored.ok()) return done(stored.error());
                       write.value = encode_for_store(*stored);
                       write.attachment = std::make_shared<Value>(std::move(*stored));
                       store_it(std::move(write));
                     });
}

Result<void> Verbs::validate_new(const Call& call, const Value& document) const {
  object::FieldErrors errors;
  kinds::validate_metadata(*call.resource, document, errors);
  if (call.custom) call.custom->validate(document, nullptr, *call.version, errors, nullptr);
  if (call.resource->rules.validate != nullptr) call.resource->rules.validate(document, errors);
  if (errors.empty()) return {};
  return errors.to_error(call.version->group, call.resource->kind, document.at({"metadata", "name"}).as_string());
}

Result<void> Verbs::validate_change(const Call& call, Change& change, const Value& old) const {
  const Value& document = change.document;
  object::FieldErrors errors;
  kinds::validate_metadata_update(*call.resource, document, old, errors);
  if (call.custom) call.custom->validate(document, &old, *call.version, errors, &change.warnings);
  const kinds::Rules& rules = call.resource->rules;
  if (change.status_only) {
    if (rules.validate_status_update != nullptr) rules.validate_status_update(document, old, errors);
  } else {
    if (rules.validate != nullptr) rules.validate(document, errors);
    auto validate_update = change.validate_update != nullptr ? change.validate_update : rules.validate_update;
    if (validate_update != nullptr) validate_update(document, old, errors);
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

struct Verbs::Creation {
  std::shared_ptr<Call> call;
  NewDocument made;
  int attempt = 1;
  bool generated = false;  // the name
  Value document;
  std::vector<std::string> warnings;
  Callback done;
};

void Verbs::store_new(std::shared_ptr<Call> call, NewDocument made, int attempt, Callback done) {
  auto creation = std::make_shared<Creation>();
  creation->call = call;
  creation->attempt = attempt;
  creation->warnings = made.warnings;
  creation->done = std::move(done);
  // A generated name that is taken is tried again with another.
  creation->generated = made.document.at({"metadata", "name"}).as_string().empty();
  Value& document = creation->document;
  document = creation->generated ? made.document : std::move(made.document);
  creation->made = std::move(made);
  Result<void> identity = set_identity(*call, document, random_);
  if (!identity.ok()) return creation->done(identity.error());
  const Value sent_managed = document.at({"metadata", "managedFields"});
  prepare_new(*call->resource, document, random_, loop_.wall_now());
  if (creation->made.managed_fields.is_null()) {
    own_new_fields(*call, document, sent_managed, loop_.wall_now());
  } else {
    document["metadata"].set("managedFields", creation->made.managed_fields);
  }
  if (call->resource->rules.prepare_create != nullptr) call->resource->rules.prepare_create(document);
  show_status(*call->resource, document);
  Result<void> admitted = admission_.admit_create(*call, document);
  if (!admitted.ok()) return creation->done(admitted.error());
  if (webhooks_.concerned(*call, Operation::kCreate)) return review_new(creation);
  Result<void> valid = validate_new(*call, document);
  if (!valid.ok()) return creation->done(valid.error());
  write_new(creation);
}

void Verbs::review_new(const CreationPtr& creation) {
  webhooks_.mutate({creation->call, Operation::kCreate, creation->document, {}},
                   [this, creation](Result<WebhookAdmission::Outcome> outcome) {
                     if (!outcome.ok()) return creation->done(outcome.error());
                     const Call& call = *creation->call;
                     Value& document = creation->document;
                     auto add_warnings = [creation](std::vector<std::string>& more) {
                       creation->warnings.insert(creation->warnings.end(), more.begin(), more.end());
                     };
                     add_warnings(outcome->warnings);
                     if (outcome->changed) {
                       // The status is the server's, whatever a webhook thinks of it.
                       if (call.resource->status_subresource) {
                         Value status = document.at("status");
                         outcome->object.erase("status");
                         if (!status.is_null()) outcome->object.set("status", std::move(status));
                       }
                       document = std::move(outcome->object);
                       Result<void> admitted = admission_.admit_create(call, document);
                       if (!admitted.ok()) return creation->done(admitted.error());
                     }
                     Result<void> valid = validate_new(call, document);
                     if (!valid.ok()) return creation->done(valid.error());
                     webhooks_.validate({creation->call, Operation::kCreate, document, {}},
                                        [this, creation, add_warnings](Result<std::vector<std::string>> warnings) {
                                          if (!warnings.ok()) return creation->done(warnings.error());
                                          add_warnings(*warnings);
                                          write_new(creation);
                                        });
                   });
}

void Verbs::write_new(const CreationPtr& creation) {
  const std::shared_ptr<Call>& call = creation->call;
  Value& document = creation->document;
  if (call->resource->rules.warn != nullptr) call->resource->rules.warn(document, nullptr, creation->warnings);
  Result<void> judged = admission_.judge(*call, document, nullptr, creation->warnings);
  if (!judged.ok()) return creation->done(judged.error());
  Result<QuotaLedger::ReservationPtr> charged = admission_.charge(*call, document, nullptr);
  if (!charged.ok()) return creation->done(charged.error());
  std::string name(document.at({"metadata", "name"}).as_string());
  Response response;
  response.created = true;
  response.warnings = std::move(creation->warnings);
  if (call->request.dry_run) {
    std::string key = call->resource->namespaced ? call->request.ns + "/" + name : name;
    if (cache_.get(call->resource_path(), key)) return creation->done(already_exists_error(*call, name));
    response.object = object::make_object(std::move(document), 0);
    return creation->done(std::move(response));
  }
  store::Write write = put(*call, name, std::move(document));
  write.expect = store::Write::Expect::kAbsent;
  this->write(*call, std::move(write),
              [this, creation, call, name, response = std::move(response),
               charged = std::move(*charged)](Result<store::WriteOutcome> outcome) mutable {
                charged.reset();
                const Callback& done = creation->done;
                if (!outcome.ok()) return done(outcome.error());
                if (!outcome->applied) {
                  if (creation->generated && creation->attempt < kAttemptsMax) {
                    return store_new(call, std::move(creation->made), creation->attempt + 1, done);
                  }
                  return done(already_exists_error(*call, name));
                }
                call->request.name = name;
                response.object = find(*call);
                response.revision = outcome->revision;
                // Deleted again before we could look: the caller still learns what was made.
                if (!response.object) return done(not_found_error(*call, name));
                present(*call, std::move(response), done);
              });
}

void Verbs::change(Call call, Changer changer, Callback done) {
  change_attempt(std::make_shared<Call>(std::move(call)), std::make_shared<Changer>(std::move(changer)), 1,
                 std::move(done));
}

struct Verbs::Alteration {
  std::shared_ptr<Call> call;
  std::shared_ptr<Changer> changer;
  int attempt = 1;
  ObjectPtr current;   // in the caller's version
  bool stale = false;  // what is stored is not as it would be stored now
  Change change;
  QuotaLedger::ReservationPtr charged;
  Callback done;
};

void Verbs::change_attempt(std::shared_ptr<Call> call, std::shared_ptr<Changer> changer, int attempt, Callback done) {
  auto alteration = std::make_shared<Alteration>();
  alteration->call = std::move(call);
  alteration->changer = std::move(changer);
  alteration->attempt = attempt;
  alteration->done = std::move(done);
  const Call& about = *alteration->call;
  ObjectPtr stored = find(about);
  if (!stored) return alteration->done(not_found_error(about, about.request.name));
  load(about, [this, alteration, stored](Result<ObjectPtr> current) {
    if (!current.ok()) return alteration->done(current.error());
    alteration->current = std::move(*current);
    alteration->stale = is_stale(*alteration->call, *stored, *alteration->current);
    change_loaded(alteration);
  });
}

void Verbs::change_loaded(const AlterationPtr& alteration) {
  const std::shared_ptr<Call>& call = alteration->call;
  const Callback& done = alteration->done;
  const ObjectPtr& current = alteration->current;
  Result<Change> changed = (*alteration->changer)(*current);
  if (!changed.ok()) return done(changed.error());
  if (changed->expected_revision && *changed->expected_revision != current->revision()) {
    return done(modified_error(*call, current->name()));
  }
  alteration->change = std::move(*changed);
  const Change& change = alteration->change;
  Value& document = alteration->change.document;
  const Value& old = current->document();
  std::string wanted_uid(document.at({"metadata", "uid"}).as_string());
  if (!wanted_uid.empty() && wanted_uid != current->uid()) {
    return done(conflict_error(*call, current->name(),
                               fmt::format("Precondition failed: UID in precondition: {}, UID in object meta: {}",
                                           wanted_uid, current->uid())));
  }
  if (change.keep_spec_rules) carry_over(*call->resource, document, old, change.status_only);
  if (change.skip_validation) return write_change(alteration);
  if (!change.owners_known) own_changed_fields(*call, document, old, loop_.wall_now());
  Result<void> admitted = admission_.admit_update(*call, document, old);
  if (!admitted.ok()) return alteration->done(admitted.error());
  if (webhooks_.concerned(*call, Operation::kUpdate)) return review_change(alteration);
  Result<void> checked = check_change(*alteration);
  if (!checked.ok()) return alteration->done(checked.error());
  write_change(alteration);
}

void Verbs::review_change(const AlterationPtr& alteration) {
  auto attributes = [alteration] {
    const Change& change = alteration->change;
    const Value& old = alteration->current->document();
    if (!change.show) return AdmissionAttributes{alteration->call, Operation::kUpdate, change.document, old};
    return AdmissionAttributes{alteration->call, Operation::kUpdate, change.show(change.document), change.show(old),
                               true};
  };
  auto add_warnings = [alteration](std::vector<std::string>& more) {
    alteration->change.warnings.insert(alteration->change.warnings.end(), more.begin(), more.end());
  };
  webhooks_.mutate(
      attributes(), [this, alteration, attributes, add_warnings](Result<WebhookAdmission::Outcome> outcome) {
        if (!outcome.ok()) return alteration->done(outcome.error());
        add_warnings(outcome->warnings);
        Change& change = alteration->change;
        if (outcome->changed) {
          const Value& old = alteration->current->document();
          if (change.take) {
            change.take(change.document, outcome->object);
          } else {
            change.document = std::move(outcome->object);
          }
          if (change.keep_spec_rules) carry_over(*alteration->call->resource, change.document, old, change.status_only);
          Result<void> admitted = admission_.admit_update(*alteration->call, change.document, old);
          if (!admitted.ok()) return alteration->done(admitted.error());
        }
        Result<void> checked = check_change(*alteration);
        if (!checked.ok()) return alteration->done(checked.error());
        webhooks_.validate(attributes(), [this, alteration, add_warnings](Result<std::vector<std::string>> warnings) {
          if (!warnings.ok()) return alteration->done(warnings.error());
          add_warnings(*warnings);
          write_change(alteration);
        });
      });
}

Result<void> Verbs::check_change(Alteration& alteration) {
  Change& change = alteration.change;
  const Value& old = alteration.current->document();
  STEAD_TRY_VOID(validate_change(*alteration.call, change, old));
  if (change.status_only) return {};
  auto warn = alteration.call->resource->rules.warn;
  if (warn != nullptr && alteration.call->request.subresource.empty()) warn(change.document, &old, change.warnings);
  STEAD_TRY_VOID(admission_.judge(*alteration.call, change.document, &old, change.warnings));
  STEAD_TRY(charged, admission_.charge(*alteration.call, change.document, &old));
  alteration.charged = std::move(charged);
  return {};
}

void Verbs::write_change(const AlterationPtr& alteration) {
  const Call& call = *alteration->call;
  const ObjectPtr& current = alteration->current;
  Value& document = alteration->change.document;
  document["metadata"].set("resourceVersion", std::to_string(current->revision()));
  Response response;
  response.warnings = std::move(alteration->change.warnings);
  bool remove = deletion_is_complete(*call.resource, document);
  const bool same = document == current->document() && !alteration->stale;
  if ((same && !remove) || call.request.dry_run) {
    response.object =
        document == current->document() ? current : object::make_object(std::move(document), current->revision());
    response.revision = response.object->revision();
    return alteration->done(std::move(response));
  }
  store::Write write = put(call, std::string(current->name()), document);
  if (remove) {
    write.value.reset();
    write.attachment.reset();
  }
  write.expect = store::Write::Expect::kRevision;
  write.revision = current->revision();
  this->write(call, std::move(write),
              [this, alteration, remove, response = std::move(response)](Result<store::WriteOutcome> outcome) mutable {
                alteration->charged.reset();
                const std::shared_ptr<Call>& call = alteration->call;
                const Callback& done = alteration->done;
                if (!outcome.ok()) return done(outcome.error());
                if (!outcome->applied) {
                  if (alteration->attempt < kAttemptsMax) {
                    return change_attempt(call, alteration->changer, alteration->attempt + 1, done);
                  }
                  return done(modified_error(*call, call->request.name));
                }
                response.revision = outcome->revision;
                response.deleted = remove;
                Value& document = alteration->change.document;
                document["metadata"].set("resourceVersion", std::to_string(outcome->revision));
                ObjectPtr now = find(*call);
                bool same = now && now->revision() == outcome->revision;
                response.object = same ? now : object::make_object(std::move(document), outcome->revision);
                present(*call, std::move(response), done);
              });
}

void Verbs::update(Call call, object::StrictErrors strict, Callback done, Narrow narrow) {
  if (call.request.name.empty()) call.request.name = call.request.body.at({"metadata", "name"}).as_string();
  std::vector<std::string> warnings;
  std::string revision(call.request.body.at({"metadata", "resourceVersion"}).as_string());
  bool status_only = call.request.subresource == "status";
  // Who replaces a custom object must have seen it.
  if (call.custom && (revision.empty() || revision == "0") && find(call)) {
    object::FieldErrors errors;
    const object::Path metadata("metadata");
    errors.invalid(metadata.child("resourceVersion"), 0, "must be specified for an update");
    return done(errors.to_error(call.version->group, call.resource->kind, call.request.name));
  }
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
      [hub = std::move(*hub), warnings = std::move(warnings), status_only, expected,
       narrow = std::move(narrow)](const object::Object& current) {
        Change change;
        change.document = hub;
        change.status_only = status_only;
        change.warnings = warnings;
        change.expected_revision = expected;
        if (narrow) narrow(change, current);
        return Result<Change>(std::move(change));
      },
      std::move(done));
}

void Verbs::patch(Call call, object::StrictErrors strict, Callback done, Narrow narrow) {
  if (call.request.patch_type == client::PatchType::kApply)
    return apply(std::move(call), strict, std::move(done), narrow);
  Call context = call;
  Value patch = std::move(context.request.body);
  context.request.body = Value();
  bool status_only = call.request.subresource == "status";
  change(
      std::move(call),
      [this, context = std::move(context), patch = std::move(patch), strict = std::move(strict), status_only,
       narrow = std::move(narrow)](const object::Object& current) -> Result<Change> {
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
        if (narrow) narrow(change, current);
        return change;
      },
      std::move(done));
}

}  // namespace stead::apiserver
