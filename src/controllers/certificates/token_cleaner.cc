#include "controllers/certificates/token_cleaner.h"

#include "controllers/requests.h"
#include "object/base64.h"
#include "object/time.h"

namespace stead::controllers {
namespace {

const ResourceRef kSecrets{"", "secrets"};

}  // namespace

std::optional<WallTime> token_end(const object::Object& secret) {
  if (secret.document().at("type").as_string() != "bootstrap.kubernetes.io/token") return std::nullopt;
  Result<std::string> text = object::decode_base64(secret.document().at({"data", "expiration"}).as_string());
  return text.ok() ? object::parse_time(*text) : std::nullopt;
}

TokenCleaner::TokenCleaner(client::ApiTransport& transport, loop::Loop& loop, client::InformerSet& informers)
    : transport_(transport),
      loop_(loop),
      informers_(informers),
      secrets_(informers.get(kSecrets)),
      queue_(loop, "bootstrap-tokens", 1, [this](auto& key, auto finish) { work(key, std::move(finish)); }) {
  secrets_.on_change([this](const ObjectPtr&, const ObjectPtr& after) {
    if (after && after->ns() == "kube-system" && token_end(*after)) queue_.add(client::object_key(*after));
  });
}

void TokenCleaner::start() {
  informers_.when_synced([this] { queue_.start(); });
}

void TokenCleaner::work(const std::string& key, client::WorkQueue::Finish finish) {
  ObjectPtr secret = secrets_.get(key);
  std::optional<WallTime> end = secret ? token_end(*secret) : std::nullopt;
  if (!end) return finish(client::Outcome::done());
  WallTime now = loop_.wall_now();
  if (*end > now) return finish(client::Outcome::again_after(*end - now));
  transport_.call(delete_request(kSecrets, *secret), [finish](const Result<client::Response>& response) {
    bool gone =
        response.ok() || response.error().reason == Reason::kNotFound || response.error().reason == Reason::kConflict;
    finish(gone ? client::Outcome::done() : client::Outcome::failed(response.error()));
  });
}

}  // namespace stead::controllers
