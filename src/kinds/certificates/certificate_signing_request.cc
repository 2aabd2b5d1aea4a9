#include <algorithm>
#include <set>

#include "kinds/certificates/certificates_rules.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "kinds/meta/conditions.h"
#include "object/base64.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr int64_t kExpirationSecondsMin = 600;

const std::vector<std::string>& known_usages() {
  static const std::vector<std::string> kUsages = {"any",
                                                   "cert sign",
                                                   "client auth",
                                                   "code signing",
                                                   "content commitment",
                                                   "crl sign",
                                                   "data encipherment",
                                                   "decipher only",
                                                   "digital signature",
                                                   "email protection",
                                                   "encipher only",
                                                   "ipsec end system",
                                                   "ipsec tunnel",
                                                   "ipsec user",
                                                   "key agreement",
                                                   "key encipherment",
                                                   "microsoft sgc",
                                                   "netscape sgc",
                                                   "ocsp signing",
                                                   "s/mime",
                                                   "server auth",
                                                   "signing",
                                                   "timestamping"};
  return kUsages;
}

void validate_signer_name(const Path& path, const Value& value, FieldErrors& errors) {
  if (!check_present(path, value, errors)) return;
  std::string_view name = value.as_string();
  size_t slash = name.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == name.size()) {
    errors.invalid(path, value, "must be a fully qualified domain and path of the form 'example.com/signer-name'");
    return;
  }
  std::string_view domain = name.substr(0, slash);
  check(path, value, object::check_dns1123_subdomain(domain), errors);
  if (domain.find('.') == std::string_view::npos) {
    errors.invalid(path, value, "should be a domain with at least two segments separated by dots");
  }
  if (name == "kubernetes.io/legacy-unknown") {
    errors.invalid(path, value, "the legacy signerName is not allowed via this API version");
  }
}

void validate_usages(const Path& path, const Value& usages, FieldErrors& errors) {
  auto items = usages.items();
  if (items.empty()) errors.required(path, "usages must be specified");
  std::set<std::string_view> seen;
  for (size_t at = 0; at < items.size(); ++at) {
    std::string_view usage = items[at].as_string();
    const auto& known = known_usages();
    if (std::find(known.begin(), known.end(), usage) == known.end()) {
      std::vector<std::string_view> views(known.begin(), known.end());
      errors.not_supported(path.index(at), items[at], views);
    } else if (!seen.insert(usage).second) {
      errors.duplicate(path.index(at), items[at]);
    }
  }
}

void validate_conditions(const Value& document, FieldErrors& errors) {
  Path status("status");
  Path path = status.child("conditions");
  std::set<std::string_view> seen;
  auto items = document.at({"status", "conditions"}).items();
  for (size_t at = 0; at < items.size(); ++at) {
    Path item = path.index(at);
    std::string_view type = items[at].at("type").as_string();
    std::string_view state = items[at].at("status").as_string();
    if (type.empty()) errors.required(item.child("type"));
    bool final = type == "Approved" || type == "Denied" || type == "Failed";
    if (state.empty()) {
      errors.required(item.child("status"));
    } else if (final && state != "True") {
      static constexpr std::string_view kTrue[] = {"True"};
      errors.not_supported(item.child("status"), items[at].at("status"), kTrue);
    }
    if (!seen.insert(type).second) errors.duplicate(item.child("type"), items[at].at("type"));
  }
  if (seen.contains("Approved") && seen.contains("Denied")) {
    errors.invalid(path, Value("Denied"), "Approved and Denied conditions are mutually exclusive");
  }
}

void validate(const Value& document, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = document.at("spec");
  if (check_present(path.child("request"), spec.at("request"), errors)) {
    auto bytes = object::decode_base64(spec.at("request").as_string());
    if (!bytes.ok() || bytes->find("-----BEGIN CERTIFICATE REQUEST-----") == std::string::npos) {
      errors.invalid(path.child("request"), spec.at("request"), "PEM block type must be CERTIFICATE REQUEST");
    }
  }
  validate_usages(path.child("usages"), spec.at("usages"), errors);
  validate_signer_name(path.child("signerName"), spec.at("signerName"), errors);
  const Value* expiration = spec.find("expirationSeconds");
  if (expiration != nullptr && expiration->as_int() < kExpirationSecondsMin) {
    errors.invalid(path.child("expirationSeconds"), *expiration,
                   "may not specify a duration less than 600 seconds (10 minutes)");
  }
  validate_conditions(document, errors);
}

// What was asked for stays as it was; only metadata changes through the main path.
void prepare_update(Value& document, const Value& old) { document.set("spec", old.at("spec")); }

void validate_status_update(const Value& document, const Value& old, FieldErrors& errors) {
  validate_conditions(document, errors);
  Path status("status");
  const Value& certificate = old.at({"status", "certificate"});
  if (!certificate.is_null() && !(document.at({"status", "certificate"}) == certificate)) {
    Path path = status.child("certificate");
    errors.invalid(path, Value("<certificate>"), "field is immutable once set");
  }
  Path path = status.child("conditions");
  for (std::string_view type : {"Approved", "Denied", "Failed"}) {
    bool was = find_condition(old.at("status"), type) != nullptr;
    bool is = find_condition(document.at("status"), type) != nullptr;
    if (was && !is) errors.forbidden(path, "updates may not remove a condition of type \"" + std::string(type) + "\"");
    if (!was && is && type != "Failed") {
      errors.forbidden(path, "updates may not add a condition of type \"" + std::string(type) + "\"");
    }
  }
}

std::vector<Value> cells(const Value& csr, WallTime now) {
  const Value& duration = csr.at({"spec", "expirationSeconds"});
  std::string requested(kNone);
  if (!duration.is_null()) {
    int64_t seconds = duration.as_int();
    requested = seconds % 86400 == 0  ? std::to_string(seconds / 86400) + "d"
                : seconds % 3600 == 0 ? std::to_string(seconds / 3600) + "h"
                : seconds % 60 == 0   ? std::to_string(seconds / 60) + "m"
                                      : std::to_string(seconds) + "s";
  }
  std::string state = find_condition(csr.at("status"), "Denied") != nullptr     ? "Denied"
                      : find_condition(csr.at("status"), "Approved") != nullptr ? "Approved"
                                                                                : "Pending";
  if (find_condition(csr.at("status"), "Failed") != nullptr) state += ",Failed";
  if (!csr.at({"status", "certificate"}).as_string().empty()) state += ",Issued";
  return {name_of(csr),
          age(csr, now),
          text_or(csr.at({"spec", "signerName"}), kNone),
          text_or(csr.at({"spec", "username"}), ""),
          requested,
          state};
}

std::optional<std::string> field(const Value& csr, std::string_view path) {
  if (path == "spec.signerName") return std::string(csr.at({"spec", "signerName"}).as_string());
  return std::nullopt;
}

}  // namespace

KindRules certificate_signing_request_rules() {
  KindRules made;
  made.rules = {.prepare_update = prepare_update,
                .validate = validate,
                .validate_status_update = validate_status_update,
                .cells = cells,
                .field = field};
  made.columns = {name_column(),
                  age_column(),
                  {"SignerName", "string", "", "Who is to sign."},
                  {"Requestor", "string", "", "Who asks."},
                  {"RequestedDuration", "string", "", "For how long."},
                  {"Condition", "string", "", "What became of it."}};
  made.selectable_fields = {"spec.signerName"};
  return made;
}

}  // namespace stead::kinds
