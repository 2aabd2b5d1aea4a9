#include "node/machine.h"

#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace stead::node {
namespace {

std::string first_line(const char* path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

std::string os_image() {
  std::ifstream in("/etc/os-release");
  constexpr std::string_view kKey = "PRETTY_NAME=";
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(kKey)) continue;
    std::string name = line.substr(kKey.size());
    if (name.size() >= 2 && name.front() == '"') name = name.substr(1, name.size() - 2);
    return name;
  }
  return "Linux";
}

// GOARCH for uname's machine.
std::string architecture(const std::string& machine) {
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  if (machine == "armv7l") return "arm";
  if (machine == "ppc64le" || machine == "s390x" || machine == "riscv64") return machine;
  return machine;
}

bool on_loopback(const std::string& line) {
  std::istringstream words(line);
  std::string key, address;
  words >> key >> address;
  return key == "nameserver" && (address.starts_with("127.") || address == "::1");
}

}  // namespace

MachineFacts read_machine_facts(const std::string& data_dir) {
  MachineFacts facts;
  facts.cpus = std::max<long>(1, sysconf(_SC_NPROCESSORS_ONLN));
  facts.memory_bytes = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  struct statvfs storage {};
  if (statvfs(data_dir.c_str(), &storage) == 0) {
    facts.storage_bytes = static_cast<int64_t>(storage.f_blocks) * static_cast<int64_t>(storage.f_frsize);
  }
  utsname names{};
  if (uname(&names) == 0) {
    facts.kernel_version = names.release;
    facts.architecture = architecture(names.machine);
  }
  facts.os_image = os_image();
  facts.machine_id = first_line("/etc/machine-id");
  facts.system_uuid = first_line("/sys/class/dmi/id/product_uuid");
  if (facts.system_uuid.empty()) facts.system_uuid = facts.machine_id;
  facts.boot_id = first_line("/proc/sys/kernel/random/boot_id");
  return facts;
}

std::string read_machine_resolv_conf() {
  auto read = [](const char* path) {
    std::ifstream in(path);
    std::string text;
    bool loopback = false;
    for (std::string line; std::getline(in, line);) {
      if (on_loopback(line)) {
        loopback = true;
      } else {
        text += line + "\n";
      }
    }
    return std::pair(text, loopback);
  };
  auto [text, loopback] = read("/etc/resolv.conf");
  if (!loopback) return text;
  auto [resolved, again] = read("/run/systemd/resolve/resolv.conf");
  return resolved.empty() ? text : resolved;
}

}  // namespace stead::node
