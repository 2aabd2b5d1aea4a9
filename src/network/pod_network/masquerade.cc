#include "network/pod_network/masquerade.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <nftables/libnftables.h>

#include <charconv>
#include <memory>

namespace stead::network {

namespace {

constexpr char kTable[] = R"({"table":{"family":"ip","name":"stead-pods"}})";

// {"prefix":{"addr":"10.42.0.0","len":16}}
Result<std::string> prefix_json(const std::string& cidr) {
  const size_t slash = cidr.find('/');
  const std::string address = cidr.substr(0, slash);
  in_addr parsed{};
  int length = -1;
  if (slash != std::string::npos) {
    const char* end = cidr.data() + cidr.size();
    if (std::from_chars(cidr.data() + slash + 1, end, length).ptr != end) length = -1;
  }
  if (inet_pton(AF_INET, address.c_str(), &parsed) != 1 || length < 0 || length > 32) {
    return make_error(Reason::kBadRequest, fmt::format("\"{}\" is no IPv4 range", cidr));
  }
  return fmt::format(R"({{"prefix":{{"addr":"{}","len":{}}}}})", address, length);
}

Result<std::string> set_json(const std::vector<std::string>& cidrs) {
  std::string items;
  for (const std::string& cidr : cidrs) {
    STEAD_TRY(item, prefix_json(cidr));
    items += (items.empty() ? "" : ",") + item;
  }
  return R"({"set":[)" + items + "]}";
}

std::string match_json(const char* operation, const char* field, const std::string& right) {
  return fmt::format(R"({{"match":{{"op":"{}","left":{{"payload":{{"protocol":"ip","field":"{}"}}}},"right":{}}}}})",
                     operation, field, right);
}

Result<void> run(const std::string& commands) {
  std::unique_ptr<nft_ctx, decltype(&nft_ctx_free)> context(nft_ctx_new(NFT_CTX_DEFAULT), nft_ctx_free);
  if (!context) return make_error(Reason::kInternal, "out of memory");
  nft_ctx_output_set_flags(context.get(), NFT_CTX_OUTPUT_JSON);
  nft_ctx_buffer_output(context.get());
  nft_ctx_buffer_error(context.get());
  if (nft_run_cmd_from_buffer(context.get(), commands.c_str()) != 0) {
    return make_error(Reason::kInternal, fmt::format("nftables: {}", nft_ctx_get_error_buffer(context.get())));
  }
  return {};
}

}  // namespace

Result<std::string> masquerade_rules(const MasqueradeOptions& options) {
  STEAD_TRY(pods, set_json(options.pod_cidrs));
  std::vector<std::string> inside = options.pod_cidrs;
  inside.insert(inside.end(), options.service_cidrs.begin(), options.service_cidrs.end());
  STEAD_TRY(cluster, set_json(inside));
  // Adding before deleting makes the deletion succeed whether the table was there or not.
  return fmt::format(
      R"({{"nftables":[{{"add":{table}}},{{"delete":{table}}},{{"add":{table}}},)"
      R"({{"add":{{"chain":{{"family":"ip","table":"stead-pods","name":"leaving","type":"nat","hook":"postrouting",)"
      R"("prio":100,"policy":"accept"}}}}}},)"
      R"({{"add":{{"rule":{{"family":"ip","table":"stead-pods","chain":"leaving",)"
      R"("expr":[{from},{to},{{"masquerade":null}}]}}}}}}]}})",
      fmt::arg("table", kTable), fmt::arg("from", match_json("==", "saddr", pods)),
      fmt::arg("to", match_json("!=", "daddr", cluster)));
}

Result<void> ensure_masquerade(const MasqueradeOptions& options) {
  STEAD_TRY(rules, masquerade_rules(options));
  return run(rules);
}

Result<void> remove_masquerade() {
  return run(fmt::format(R"({{"nftables":[{{"add":{0}}},{{"delete":{0}}}]}})", kTable));
}

}  // namespace stead::network
