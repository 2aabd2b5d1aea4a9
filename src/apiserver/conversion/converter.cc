#include "apiserver/conversion/converter.h"

#include <fmt/format.h>

#include "apiserver/webhooks/webhook_target.h"
#include "kinds/custom/schema_walk.h"
#include "object/codec.h"

namespace stead::apiserver {
namespace {

using object::ObjectPtr;
using object::Value;

constexpr std::chrono::seconds kTimeout{30};
constexpr size_t kBatchObjectsMax = 200;
constexpr size_t kBatchBytesMax = 2 << 20;
constexpr size_t kCallsMax = 16;
constexpr size_t kMadeBytesMax = 64 << 20;

}  // namespace

void Converter::Waiting::finish_one() {
  if (--left > 0) return;
  if (error) return done(std::move(*error));
  done(std::move(objects));
}

bool Converter::concerns(const kinds::CustomKind& kind, std::string_view api_version, const object::Object& object) {
  if (kind.lacks_defaults(object.revision())) return true;
  return !kind.conversion_webhook().is_null() && object.document().at("apiVersion").as_string() != api_version;
}

ObjectPtr Converter::completed(const kinds::CustomKind& kind, const ObjectPtr& object) {
  // What is not stored yet has its defaults.
  if (object->revision() == 0 || !kind.lacks_defaults(object->revision())) return object;
  Value document = object->document();
  kind.complete(document);
  if (document == object->document()) return object;
  return object::make_object(std::move(document), object->revision());
}

void Converter::convert(const KindPtr& kind, std::string_view api_version, std::vector<ObjectPtr> objects,
                        ObjectsDone done) {
  auto waiting = std::make_shared<Waiting>();
  waiting->left = 1;  // for this function
  waiting->objects = std::move(objects);
  waiting->done = std::move(done);
  const std::string version(api_version);
  const bool converted = !kind->conversion_webhook().is_null();
  for (size_t i = 0; i < waiting->objects.size(); ++i) {
    ObjectPtr& object = waiting->objects[i];
    if (!object || !concerns(*kind, version, *object)) continue;
    if (ObjectPtr known = remembered({object.get(), kind.get(), version})) {
      object = std::move(known);
      continue;
    }
    if (!converted || object->document().at("apiVersion").as_string() == version) {
      ObjectPtr made = completed(*kind, object);
      remember({object.get(), kind.get(), version}, kind, object, made);
      object = std::move(made);
      continue;
    }
    auto [asked, is_new] = asked_.try_emplace({object.get(), kind.get(), version});
    asked->second.kind = kind;
    asked->second.waiting.emplace_back(waiting, i);
    ++waiting->left;
    if (is_new) ask(kind, version, object);
  }
  waiting->finish_one();
  send_next();
}

void Converter::convert(const KindPtr& kind, std::string_view api_version, Value document, DocumentDone done) {
  convert(kind, api_version, {object::make_object(std::move(document), 0)},
          [done = std::move(done)](Result<std::vector<ObjectPtr>> objects) {
            if (!objects.ok()) return done(objects.error());
            done(objects->front()->document());
          });
}

ObjectPtr Converter::remembered(const Key& key) {
  auto found = made_.find(key);
  if (found == made_.end()) return nullptr;
  ages_.splice(ages_.end(), ages_, found->second.age);
  return found->second.to;
}

void Converter::remember(Key key, const KindPtr& kind, const ObjectPtr& from, const ObjectPtr& to) {
  if (from->revision() == 0) return;  // nobody asks for it again
  const size_t bytes = sizeof(Made) + from->document().heap_bytes() + (to == from ? 0 : to->document().heap_bytes());
  auto [at, is_new] = made_.try_emplace(key);
  if (!is_new) return;
  at->second = {from, kind, to, bytes, ages_.insert(ages_.end(), std::move(key))};
  made_bytes_ += bytes;
  while (made_bytes_ > kMadeBytesMax && ages_.size() > 1) {
    auto oldest = made_.find(ages_.front());
    made_bytes_ -= oldest->second.bytes;
    made_.erase(oldest);
    ages_.pop_front();
  }
}

// Objects of one batch lie in one version, which errors name.
void Converter::ask(const KindPtr& kind, const std::string& api_version, const ObjectPtr& object) {
  const size_t bytes = object->document().heap_bytes();
  const Value& lies_in = object->document().at("apiVersion");
  if (!batches_.empty()) {
    Batch& last = batches_.back();
    const bool fits = last.kind == kind && last.question.desired_version == api_version &&
                      last.question.objects.front()->document().at("apiVersion") == lies_in &&
                      last.question.objects.size() < kBatchObjectsMax && last.bytes + bytes <= kBatchBytesMax;
    if (fits) {
      last.question.objects.push_back(completed(*kind, object));
      last.asked_for.push_back(object);
      last.bytes += bytes;
      return;
    }
  }
  std::string review = known_review_version(kind->conversion_webhook().at("conversionReviewVersions"));
  batches_.push_back(
      {kind, {std::move(review), random_.uuid(), api_version, {completed(*kind, object)}}, {object}, bytes});
}

void Converter::send_next() {
  // What is answered at once comes back here.
  if (sending_) return;
  sending_ = true;
  while (!batches_.empty() && calls_ < kCallsMax) {
    Batch batch = std::move(batches_.front());
    batches_.pop_front();
    send(std::move(batch));
  }
  sending_ = false;
}

void Converter::send(Batch batch) {
  if (batch.question.review_version.empty()) {
    return answered(batch, make_error(Reason::kInternal, "no supported conversion review versions"));
  }
  const WebhookTarget target = WebhookTarget::make(batch.kind->conversion_webhook().at("clientConfig"));
  const std::string query = fmt::format("?timeout={}s", kTimeout.count());
  auto unreachable = [url = target.url() + query](const ConversionQuestion& question, std::string_view why) {
    return conversion_failed(question, fmt::format("failed: Post \"{}\": {}", url, why));
  };
  if (caller_ == nullptr) {
    return answered(batch, unreachable(batch.question, "this server calls no webhooks"));
  }
  Result<HttpsTarget> where = find_webhook(cache_, target, query);
  if (!where.ok()) return answered(batch, unreachable(batch.question, where.error().message));
  std::string body = object::to_json(make_conversion_review(batch.question));
  ++calls_;
  caller_->post(*where, std::move(body), kTimeout,
                [weak = std::weak_ptr<Converter*>(self_), batch = std::move(batch),
                 unreachable](const Result<std::string>& text) {
                  auto self = weak.lock();
                  if (!self) return;
                  Converter& converter = **self;
                  --converter.calls_;
                  if (text.ok()) {
                    converter.answered(batch, read_conversion(*text, batch.question));
                  } else {
                    converter.answered(batch, unreachable(batch.question, text.error().message));
                  }
                  // Whoever was answered may have ended the server.
                  if (auto still = weak.lock()) converter.send_next();
                });
}

void Converter::answered(const Batch& batch, const Result<std::vector<Value>>& documents) {
  const kinds::CustomKind& kind = *batch.kind;
  const kinds::Version* version = nullptr;
  for (const kinds::Version& one : kind.resource().versions) {
    if (one.api_version == batch.question.desired_version) version = &one;
  }
  for (size_t i = 0; i < batch.asked_for.size(); ++i) {
    const ObjectPtr& from = batch.asked_for[i];
    Key key{from.get(), &kind, batch.question.desired_version};
    auto found = asked_.find(key);
    if (found == asked_.end()) continue;
    Asked asked = std::move(found->second);
    asked_.erase(found);
    ObjectPtr made;
    if (documents.ok()) {
      Value document = (*documents)[i];
      if (version != nullptr) kinds::prune(document, kind.schema(*version), nullptr);
      made = object::make_object(std::move(document), from->revision());
      remember(std::move(key), batch.kind, from, made);
    }
    for (const auto& [waiting, index] : asked.waiting) {
      if (made) {
        waiting->objects[index] = made;
      } else if (!waiting->error) {
        waiting->error = documents.error();
      }
      waiting->finish_one();
    }
  }
}

}  // namespace stead::apiserver
