#include "network/service_proxy/kernel_adapter.h"

#include <fmt/format.h>
#include <nftables/libnftables.h>

#include <string_view>

namespace stead::network::service_proxy {
namespace {

Result<void> run_commands(const std::string& commands) {
  std::unique_ptr<nft_ctx, decltype(&nft_ctx_free)> context(nft_ctx_new(NFT_CTX_DEFAULT), nft_ctx_free);
  if (!context) return make_error(Reason::kInternal, "out of memory");
  nft_ctx_buffer_output(context.get());
  nft_ctx_buffer_error(context.get());
  if (nft_run_cmd_from_buffer(context.get(), commands.c_str()) != 0) {
    // The first line says what; the rest repeats commands, which may be long.
    const std::string_view message = nft_ctx_get_error_buffer(context.get());
    return make_error(Reason::kInternal, fmt::format("nftables: {}", message.substr(0, message.find('\n'))));
  }
  return {};
}

class NetfilterAdapter final : public KernelAdapter {
 public:
  Result<void> apply(const Change& change) override {
    if (!change.commands.empty()) STEAD_TRY_VOID(run_commands(change.commands));
    return change.stale_flows.empty() ? Result<void>() : delete_stale_flows(change.stale_flows);
  }
};

}  // namespace

std::shared_ptr<KernelAdapter> make_kernel_adapter() { return std::make_shared<NetfilterAdapter>(); }

Result<void> remove_table() { return run_commands(fmt::format("add table {0}\ndelete table {0}\n", kTable)); }

}  // namespace stead::network::service_proxy
