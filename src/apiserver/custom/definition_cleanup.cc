#include "apiserver/custom/definition_cleanup.h"

#include "kinds/custom/definition_rules.h"

namespace stead::apiserver {
namespace {

constexpr std::string_view kGroup = "apiextensions.k8s.io";
constexpr std::string_view kResource = "customresourcedefinitions";

bool waits_for_cleanup(const object::Object& definition) {
  if (!definition.deleting()) return false;
  for (const Value& finalizer : definition.metadata().at("finalizers").items()) {
    if (finalizer.as_string() == kinds::kCleanupFinalizer) return true;
  }
  return false;
}

}  // namespace

DefinitionCleanup::DefinitionCleanup(Verbs& verbs, Catalogue& catalogue, cache::Cache& cache, loop::Loop& loop)
    : verbs_(verbs), catalogue_(catalogue), cache_(cache), loop_(loop) {
  catalogue_.listen([this](const object::ObjectPtr& definition) { changed(definition); });
  loop_.post([weak = std::weak_ptr<DefinitionCleanup*>(self_)] {
    auto self = weak.lock();
    if (!self) return;
    for (const object::ObjectPtr& definition : (*self)->catalogue_.definitions()) (*self)->changed(definition);
  });
}

DefinitionCleanup::~DefinitionCleanup() {
  catalogue_.listen({});
  self_.reset();
}

// Works in a turn of its own: it is told in the middle of a change.
void DefinitionCleanup::changed(const object::ObjectPtr& definition) {
  loop_.post([weak = std::weak_ptr<DefinitionCleanup*>(self_), definition] {
    auto self = weak.lock();
    if (!self) return;
    if (!definition) return (*self)->settle_others();
    if (waits_for_cleanup(*definition)) (*self)->clean(std::string(definition->name()));
  });
}

Call DefinitionCleanup::call_for(std::string group, std::string resource, client::Verb verb) const {
  Call call;
  call.identity = {"system:apiserver", "", {"system:masters"}};
  call.request.verb = verb;
  call.request.group = std::move(group);
  call.request.resource = std::move(resource);
  Catalogue::Served served = catalogue_.find(call.request.group, call.request.resource);
  call.resource = served.resource;
  call.custom = std::move(served.custom);
  if (call.resource != nullptr) call.version = &call.resource->hub();
  return call;
}

void DefinitionCleanup::clean(const std::string& name) {
  size_t dot = name.find('.');
  Call call = call_for(name.substr(dot + 1), name.substr(0, dot), client::Verb::kDelete);
  if (call.resource == nullptr) return finish(name);
  std::string path = call.resource_path();
  cache::Snapshot instances = cache_.snapshot(path);
  if (instances.objects.empty()) return finish(name);
  Cleaning& cleaning = cleaning_[name];
  if (!cleaning.instances) {
    cleaning.instances = std::make_unique<ObjectFollower>(
        cache_, loop_, path, [this, name](const object::ObjectPtr&, const object::ObjectPtr& after) {
          if (after) return;
          loop_.post([weak = std::weak_ptr<DefinitionCleanup*>(self_), name] {
            if (auto self = weak.lock()) (*self)->clean(name);
          });
        });
  }
  std::vector<std::pair<std::string, std::string>> wanted;
  instances.objects.visit_from("", [&](const std::string& key, const object::ObjectPtr& instance) {
    if (cleaning.asked.insert(key).second) wanted.emplace_back(instance->ns(), instance->name());
    return true;
  });
  for (const auto& [ns, instance] : wanted) {
    Call one = call;
    one.request.ns = ns;
    one.request.name = instance;
    one.request.body = Value::object();
    // One that is kept by a finalizer goes later, and is seen going.
    verbs_.remove(std::move(one), [](const Result<Response>&) {});
  }
}

void DefinitionCleanup::finish(const std::string& name) {
  cleaning_.erase(name);
  Call call = call_for(std::string(kGroup), std::string(kResource), client::Verb::kUpdate);
  if (call.resource == nullptr) return;
  call.request.name = name;
  verbs_.change(
      std::move(call),
      [](const object::Object& current) -> Result<Verbs::Change> {
        Verbs::Change change;
        change.skip_validation = true;
        change.keep_spec_rules = false;
        change.document = current.document();
        if (!waits_for_cleanup(current)) return change;
        auto& finalizers = change.document["metadata"]["finalizers"].mutable_items();
        std::erase_if(finalizers, [](const Value& one) { return one.as_string() == kinds::kCleanupFinalizer; });
        if (finalizers.empty()) change.document.erase({"metadata", "finalizers"});
        return change;
      },
      [](const Result<Response>&) {});
}

void DefinitionCleanup::settle_others() {
  for (const object::ObjectPtr& definition : catalogue_.definitions()) {
    if (kinds::has_definition_condition(definition->document(), "NamesAccepted")) continue;
    Call call = call_for(std::string(kGroup), std::string(kResource), client::Verb::kUpdate);
    if (call.resource == nullptr) return;
    call.request.name = definition->name();
    verbs_.change(
        std::move(call),
        [this](const object::Object& current) -> Result<Verbs::Change> {
          Verbs::Change change;
          change.skip_validation = true;
          change.keep_spec_rules = false;
          change.document = current.document();
          catalogue_.settle(change.document);
          return change;
        },
        [](const Result<Response>&) {});
  }
}

}  // namespace stead::apiserver
