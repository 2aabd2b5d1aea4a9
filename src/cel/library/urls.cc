#include <algorithm>

#include "cel/library/library.h"
#include "cel/library/opaque.h"
#include "cel/library/texts.h"
#include "cel/library/url.h"

namespace stead::cel {

namespace {

struct HeldUrl {
  static constexpr std::string_view kTypeName = "kubernetes.URL";
  Url url;
  friend bool operator==(const HeldUrl& a, const HeldUrl& b) { return a.url.text == b.url.text; }
};

const Url& of(const Call& call) { return held<HeldUrl>(call[0]).url; }

Value parse(const Call& call) {
  auto url = parse_url(call[0].as_string());
  if (url.ok()) return hold(HeldUrl{std::move(url).value()});
  return Value::error("URL parse error during conversion from string: " + url.error().message);
}
Value is_url(const Call& call) { return Value::boolean(parse_url(call[0].as_string()).ok()); }
Value scheme(const Call& call) { return Value::string(of(call).scheme); }
Value host(const Call& call) { return Value::string(of(call).host); }
Value hostname(const Call& call) { return Value::string(url_hostname(of(call))); }
Value port(const Call& call) { return Value::string(url_port(of(call))); }
Value escaped_path(const Call& call) { return Value::string(of(call).escaped_path); }

Value query(const Call& call) {
  std::vector<std::pair<std::string, std::vector<std::string>>> gathered;
  for (auto& parameter : url_query(of(call))) {
    auto found = std::ranges::find_if(gathered, [&](const auto& entry) { return entry.first == parameter.first; });
    if (found == gathered.end()) found = gathered.insert(found, {parameter.first, {}});
    found->second.push_back(std::move(parameter.second));
  }
  std::vector<std::pair<Value, Value>> entries;
  for (auto& [name, values] : gathered) entries.emplace_back(Value::string(name), string_list(values));
  return Value::map(std::move(entries));
}

constexpr Overload kUrls[] = {
    {"url", "string:url", parse, CostRule::kTraverse},
    {"isURL", "string:bool", is_url},
    {"getScheme", "url.:string", scheme},
    {"getHost", "url.:string", host},
    {"getHostname", "url.:string", hostname},
    {"getPort", "url.:string", port},
    {"getEscapedPath", "url.:string", escaped_path},
    {"getQuery", "url.:map<string,list<string>>", query},
};

}  // namespace

std::span<const Overload> url_functions() { return kUrls; }

}  // namespace stead::cel
