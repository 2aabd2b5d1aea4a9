#include "controllers/service_accounts/token_secret_controller.h"

#include "controllers/service_accounts/token_secret_policy.h"

namespace stead::controllers {
namespace {

constexpr std::string_view kByAccount = "token-account";

}  // namespace

TokenSecretController::TokenSecretController(client::ApiTransport& transport, loop::Loop& loop,
                                             client::EventRecorder& events, client::InformerSet& informers)
    : transport_(transport),
      loop_(loop),
      events_(events),
      informers_(informers),
      secrets_(informers.get({"", "secrets"}, std::string(kByAccount),
                             [](const object::Object& secret) -> std::vector<std::string> {
                               std::string_view account = service_accounts::account_of(secret);
                               if (account.empty()) return {};
                               return {client::object_key(secret.ns(), account)};
                             })),
      accounts_(informers.get(kServiceAccounts)),
      queue_(loop, "tokensecrets", 2, [this](auto& key, auto finish) { work(key, std::move(finish)); }) {
  secrets_.on_change([this](const client::ObjectPtr&, const client::ObjectPtr& after) {
    if (after && !service_accounts::account_of(*after).empty()) queue_.add(client::object_key(*after));
  });
  accounts_.on_change([this](const client::ObjectPtr& before, const client::ObjectPtr& after) {
    if (after && before && before->uid() == after->uid()) return;
    for (const auto& secret :
         secrets_.by_index(std::string(kByAccount), client::object_key(after ? *after : *before))) {
      queue_.add(client::object_key(*secret));
    }
  });
}

void TokenSecretController::start() {
  informers_.when_synced([this] { queue_.start(); });
}

void TokenSecretController::work(const std::string& key, client::WorkQueue::Finish finish) {
  client::ObjectPtr secret = secrets_.get(key);
  if (!secret) return finish(client::Outcome::done());
  client::ObjectPtr account = accounts_.get(secret->ns(), service_accounts::account_of(*secret));
  client::Plan plan = service_accounts::decide(*secret, account, loop_.wall_now());
  client::apply_plan(transport_, events_, std::move(plan), std::move(finish));
}

}  // namespace stead::controllers
