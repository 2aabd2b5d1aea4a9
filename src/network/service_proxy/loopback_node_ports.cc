// The kernel's switch that lets connections from loopback addresses be forwarded, and taking everything back.

#include <cerrno>
#include <cstdio>
#include <fstream>

#include "network/service_proxy/kernel_adapter.h"
#include "network/service_proxy/service_proxy.h"

namespace stead::network {
namespace {

constexpr char kSwitchPath[] = "/proc/sys/net/ipv4/conf/all/route_localnet";

std::string read_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

Result<void> write_line(const std::string& path, const std::string& line) {
  std::ofstream file(path, std::ios::trunc);
  file << line << '\n';
  file.close();
  if (!file) return errno_error("write " + path, errno);
  return {};
}

}  // namespace

Result<void> enable_loopback_node_ports(const std::string& state_path) {
  const std::string before = read_line(kSwitchPath);
  if (read_line(state_path).empty()) STEAD_TRY_VOID(write_line(state_path, before));
  return before == "1" ? Result<void>() : write_line(kSwitchPath, "1");
}

Result<void> remove_service_rules(const std::string& state_path) {
  // The switch first: the rules guard it.
  if (const std::string before = read_line(state_path); !before.empty()) {
    STEAD_TRY_VOID(write_line(kSwitchPath, before));
    std::remove(state_path.c_str());
  }
  return service_proxy::remove_table();
}

}  // namespace stead::network
