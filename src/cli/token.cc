// `stead token`: join tokens, on the server's machine.

#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "cli/api_access.h"
#include "cli/commands.h"
#include "cli/data_dir.h"
#include "cli/join_token.h"
#include "client/https_messages.h"
#include "http/x509.h"
#include "object/base64.h"
#include "object/codec.h"
#include "object/time.h"

namespace stead::cli {
namespace {

using object::Value;

constexpr char kSecrets[] = "/api/v1/namespaces/kube-system/secrets";
constexpr char kPrefix[] = "bootstrap-token-";

Result<Value> ask(const std::string& data_dir, const std::string& method, const std::string& path,
                  const std::string& body) {
  STEAD_TRY(server, api_of(data_dir));
  http::Headers headers = {{"Accept", "application/json"}};
  if (!body.empty()) headers.emplace_back("Content-Type", "application/json");
  STEAD_TRY(answer, http::fetch(server, method, path, headers, body));
  if (answer.status < 200 || answer.status > 299) {
    return client::error_of(answer.status, answer.headers, answer.body);
  }
  return object::parse_json(answer.body);
}

std::string random_text(size_t length) {
  static constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::string text;
  while (text.size() < length) text += kAlphabet[system_random().below(kAlphabet.size())];
  return text;
}

Result<std::string> ca_fingerprint(const std::string& data_dir) {
  STEAD_TRY(ca, read_file(data_dir + "/pki/ca.crt"));
  return http::fingerprint(ca);
}

Value secret_of(const JoinToken& token, const TokenOptions& options, WallTime now) {
  Value data = Value::object({{"token-id", token.id},
                              {"token-secret", token.secret},
                              {"usage-bootstrap-authentication", "true"},
                              {"usage-bootstrap-signing", "true"},
                              {"auth-extra-groups", "system:bootstrappers:stead:nodes"}});
  if (options.ttl.count() > 0) data.set("expiration", object::format_time(now + options.ttl));
  if (!options.description.empty()) data.set("description", options.description);
  return Value::object({{"apiVersion", "v1"},
                        {"kind", "Secret"},
                        {"type", "bootstrap.kubernetes.io/token"},
                        {"metadata", Value::object({{"name", kPrefix + token.id}, {"namespace", "kube-system"}})},
                        {"stringData", std::move(data)}});
}

std::string field(const Value& secret, std::string_view name) {
  Result<std::string> text = object::decode_base64(secret.at({"data", name}).as_string());
  return text.ok() ? *text : std::string();
}

std::string left(const std::string& expiration, WallTime now) {
  std::optional<WallTime> end = object::parse_time(expiration);
  if (!end) return "<forever>";
  int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(*end - now).count();
  if (seconds <= 0) return "<expired>";
  if (seconds < 120) return fmt::format("{}s", seconds);
  return seconds < 7200 ? fmt::format("{}m", seconds / 60) : fmt::format("{}h", seconds / 3600);
}

}  // namespace

int run_token_create(const std::string& data_dir, const TokenOptions& options) {
  Result<std::string> fingerprint = ca_fingerprint(data_dir);
  if (!fingerprint.ok()) return fail(data_dir + " has no CA: tokens are made on the server's machine");
  JoinToken token{random_text(6), random_text(16), *fingerprint};
  Value secret = secret_of(token, options, system_clock().wall_now());
  Result<Value> made = ask(data_dir, "POST", kSecrets, object::to_json(secret));
  if (!made.ok()) return fail(made.error().message);
  fmt::print("{}\n", token.text());
  return 0;
}

int run_token_list(const std::string& data_dir) {
  Result<Value> list = ask(data_dir, "GET", kSecrets, "");
  if (!list.ok()) return fail(list.error().message);
  WallTime now = system_clock().wall_now();
  fmt::print("{:<8}{:<12}{:<24}{}\n", "ID", "TTL", "EXPIRES", "DESCRIPTION");
  for (const Value& secret : list->at("items").items()) {
    if (secret.at("type").as_string() != "bootstrap.kubernetes.io/token") continue;
    std::string expiration = field(secret, "expiration");
    fmt::print("{:<8}{:<12}{:<24}{}\n", field(secret, "token-id"), left(expiration, now),
               expiration.empty() ? "<never>" : expiration, field(secret, "description"));
  }
  return 0;
}

int run_token_delete(const std::string& data_dir, const std::string& token) {
  // A whole token, or its id.
  std::string id = token.substr(0, token.find('.'));
  bool fine = id.size() == 6 && std::all_of(id.begin(), id.end(), [](unsigned char c) { return std::isalnum(c); });
  if (!fine) return fail("\"" + id + "\" is no token's id: it has 6 letters and digits (stead token list)");
  Result<Value> gone = ask(data_dir, "DELETE", std::string(kSecrets) + "/" + kPrefix + id, "");
  if (!gone.ok() && gone.error().reason == Reason::kNotFound) return fail("there is no token " + id);
  if (!gone.ok()) return fail(gone.error().message);
  fmt::print("token {} deleted\n", id);
  return 0;
}

}  // namespace stead::cli
