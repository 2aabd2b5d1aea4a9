// Rules of ConfigMap, Secret and ServiceAccount.

#include <string>

#include "kinds/core/core_rules.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "object/base64.h"
#include "object/codec.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr size_t kBytesMax = 1024 * 1024;

void check_immutable(const Value& document, const Value& old, std::initializer_list<std::string_view> fields,
                     FieldErrors& errors) {
  if (!old.at("immutable").as_bool()) return;
  constexpr std::string_view kWhy = "field is immutable when `immutable` is set";
  if (!document.at("immutable").as_bool()) errors.forbidden(Path("immutable"), kWhy);
  for (std::string_view field : fields) {
    if (!(document.at(field) == old.at(field))) errors.forbidden(Path(field), kWhy);
  }
}

size_t decoded_size(std::string_view base64) {
  auto bytes = object::decode_base64(base64);
  return bytes.ok() ? bytes->size() : base64.size();
}

bool holds_json_object(std::string_view base64) {
  auto bytes = object::decode_base64(base64);
  if (!bytes.ok()) return false;
  auto parsed = object::parse_json(*bytes);
  return parsed.ok() && (parsed->is_object() || parsed->is_null());
}

// Returns the bytes of all values; base64 ones count as what they decode to.
size_t check_keys(std::string_view field, const Value& data, FieldErrors& errors) {
  Path path(field);
  size_t bytes = 0;
  for (const object::Member& entry : data.members()) {
    check(path.key(entry.name()), Value(entry.name()), object::check_config_map_key(entry.name()), errors);
    std::string_view text = entry.value.as_string();
    bytes += field == "data" ? text.size() : decoded_size(text);
  }
  return bytes;
}

void validate_config_map(const Value& config_map, FieldErrors& errors) {
  const Value& binary = config_map.at("binaryData");
  size_t bytes = check_keys("data", config_map.at("data"), errors);
  Path data_path("data");
  for (const object::Member& entry : config_map.at("data").members()) {
    if (binary.find(entry.name()) != nullptr) {
      errors.invalid(data_path.key(entry.name()), Value(entry.name()), "duplicate of key present in binaryData");
    }
  }
  bytes += check_keys("binaryData", binary, errors);
  if (bytes > kBytesMax) errors.too_long(Path(), Value(""), kBytesMax);
}

void validate_config_map_update(const Value& config_map, const Value& old, FieldErrors& errors) {
  check_immutable(config_map, old, {"data", "binaryData"}, errors);
}

std::vector<Value> config_map_cells(const Value& config_map, WallTime now) {
  auto count = static_cast<int64_t>(config_map.at("data").size() + config_map.at("binaryData").size());
  return {name_of(config_map), count, age(config_map, now)};
}

// What clients may write as plain text is kept as data only; it wins over data's own entries.
void merge_string_data(Value& secret) {
  const Value* plain = secret.find("stringData");
  if (plain == nullptr) return;
  Value entries = *plain;
  for (const object::Member& entry : entries.members()) {
    secret.set({"data", entry.name()}, object::encode_base64(entry.value.as_string()));
  }
  secret.erase("stringData");
}

void prepare_secret(Value& secret) { set_secret_defaults(secret); }

void prepare_secret_update(Value& secret, const Value& old) {
  merge_string_data(secret);
  // Clients that knew no types left it out; what it was stays.
  if (is_absent_or_empty(secret.at("type"))) secret.set("type", old.at("type"));
}

void require_data(const Value& secret, std::string_view key, FieldErrors& errors) {
  Path path("data");
  if (secret.find({"data", key}) == nullptr) errors.required(path.key(key));
}

void validate_typed_secret(const Value& secret, std::string_view type, FieldErrors& errors) {
  Path path("data");
  if (type == "kubernetes.io/service-account-token") {
    constexpr std::string_view kAccount = "kubernetes.io/service-account.name";
    if (is_absent_or_empty(secret.at({"metadata", "annotations", kAccount}))) {
      Path metadata("metadata");
      Path annotations = metadata.child("annotations");
      errors.required(annotations.key(kAccount));
    }
  } else if (type == "kubernetes.io/dockercfg" || type == "kubernetes.io/dockerconfigjson") {
    std::string_view key = type == "kubernetes.io/dockercfg" ? ".dockercfg" : ".dockerconfigjson";
    const Value* config = secret.find({"data", key});
    if (config == nullptr) {
      errors.required(path.key(key));
    } else if (!holds_json_object(config->as_string())) {
      errors.invalid(path.key(key), Value("<secret contents redacted>"), "invalid character in JSON");
    }
  } else if (type == "kubernetes.io/basic-auth") {
    if (secret.find({"data", "username"}) == nullptr && secret.find({"data", "password"}) == nullptr) {
      errors.required(path.key("username"));
      errors.required(path.key("password"));
    }
  } else if (type == "kubernetes.io/ssh-auth") {
    if (is_absent_or_empty(secret.at({"data", "ssh-privatekey"}))) errors.required(path.key("ssh-privatekey"));
  } else if (type == "kubernetes.io/tls") {
    require_data(secret, "tls.crt", errors);
    require_data(secret, "tls.key", errors);
  }
}

void validate_secret(const Value& secret, FieldErrors& errors) {
  size_t bytes = 0;
  Path path("data");
  for (const object::Member& entry : secret.at("data").members()) {
    check(path.key(entry.name()), Value(entry.name()), object::check_config_map_key(entry.name()), errors);
    bytes += decoded_size(entry.value.as_string());
  }
  if (bytes > kBytesMax) errors.too_long(path, Value(""), kBytesMax);
  validate_typed_secret(secret, secret.at("type").as_string(), errors);
}

void validate_secret_update(const Value& secret, const Value& old, FieldErrors& errors) {
  check_unchanged(Path("type"), secret.at("type"), old.at("type"), errors);
  check_immutable(secret, old, {"data"}, errors);
}

std::vector<Value> secret_cells(const Value& secret, WallTime now) {
  return {name_of(secret), text_or(secret.at("type"), ""), static_cast<int64_t>(secret.at("data").size()),
          age(secret, now)};
}

bool holds_pem(const Value& secret, std::string_view key) {
  auto bytes = object::decode_base64(secret.at({"data", key}).as_string());
  return bytes.ok() && bytes->find("-----BEGIN ") != std::string::npos;
}

void warn_of_secret(const Value& secret, const Value*, std::vector<std::string>& warnings) {
  if (secret.at("type").as_string() != "kubernetes.io/tls") return;
  if (!holds_pem(secret, "tls.crt")) {
    warnings.emplace_back("tls: failed to find any PEM data in certificate input");
  } else if (!holds_pem(secret, "tls.key")) {
    warnings.emplace_back("tls: failed to find any PEM data in key input");
  }
}

std::optional<std::string> secret_field(const Value& secret, std::string_view path) {
  if (path == "type") return std::string(secret.at("type").as_string());
  return std::nullopt;
}

void warn_of_account(const Value& account, const Value*, std::vector<std::string>& warnings) {
  constexpr std::string_view kEnforce = "kubernetes.io/enforce-mountable-secrets";
  if (account.find({"metadata", "annotations", kEnforce}) == nullptr) return;
  warnings.push_back("metadata.annotations[" + std::string(kEnforce) +
                     "]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets");
}

}  // namespace

void set_secret_defaults(Value& secret) {
  merge_string_data(secret);
  if (is_absent_or_empty(secret.at("type"))) secret.set("type", "Opaque");
}

KindRules config_map_rules() {
  KindRules made;
  made.rules = {
      .validate = validate_config_map, .validate_update = validate_config_map_update, .cells = config_map_cells};
  made.columns = {name_column(), {"Data", "string", "", "How many entries it has."}, age_column()};
  return made;
}

KindRules secret_rules() {
  KindRules made;
  made.rules = {.prepare_create = prepare_secret,
                .prepare_update = prepare_secret_update,
                .validate = validate_secret,
                .validate_update = validate_secret_update,
                .warn = warn_of_secret,
                .cells = secret_cells,
                .field = secret_field};
  made.columns = {name_column(),
                  {"Type", "string", "", "What kind of secret it is."},
                  {"Data", "string", "", "How many entries it has."},
                  age_column()};
  made.selectable_fields = {"type"};
  return made;
}

// Name and age, since v1.35: nothing has filled its list of secrets for long, so their count left the table.
KindRules service_account_rules() {
  KindRules made;
  made.rules = {.warn = warn_of_account};
  return made;
}

}  // namespace stead::kinds
