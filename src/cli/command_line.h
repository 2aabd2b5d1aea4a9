#pragma once

// The command line as data.

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stead::cli {

struct AuditOptions {
  std::string log_path;     // empty: nothing is logged
  std::string policy_file;  // empty: everything, at level Metadata
  int log_megabytes_max = 100;
  int log_backups_max = 10;
};

// Ports of the node where Ingresses are served; 0: not there.
struct IngressPorts {
  uint16_t http = 80;
  uint16_t https = 443;
  bool any() const { return http != 0 || https != 0; }
};

struct UpOptions {
  std::string data_dir = "/var/lib/stead";
  std::string bind = "127.0.0.1";
  uint16_t port = 6443;
  std::string pod_cidr = "10.42.0.0/16";
  std::string service_cidr = "10.43.0.0/16";
  std::string cluster_domain = "cluster.local";
  std::string pod_network = "auto";
  std::string node_name;  // empty: the host name
  std::string node_ip;    // empty: the default route's link, then any global address
  std::string runtime = "containerd";
  IngressPorts ingress;
  int simulated_nodes = 1;
  std::string containerd_socket;  // empty: a private containerd
  std::chrono::seconds signing_duration{std::chrono::hours(24 * 365)};
  std::chrono::seconds node_monitor_grace_period{50};
  std::chrono::seconds pod_eviction_timeout{300};
  std::string encryption_keys;  // empty: under the data dir
  AuditOptions audit;
  bool verbose = false;
};

struct AgentOptions {
  std::string data_dir = "/var/lib/stead";
  std::string server;     // "https://192.0.2.10:6443"
  std::string token;      // only for the first start
  std::string node_name;  // empty: the host name
  std::string node_ip;    // empty: the default route's link, then any global address
  std::vector<std::pair<std::string, std::string>> node_labels;
  std::string containerd_socket;  // empty: a private containerd
  bool verbose = false;
};

struct TokenOptions {
  std::chrono::seconds ttl{std::chrono::hours(24)};  // 0: for ever
  std::string description;
};

struct CommandLine {
  enum class Command : uint8_t {
    kNone,
    kUp,
    kServer,
    kAgent,
    kDown,
    kStatus,
    kWhy,
    kKubeconfig,
    kImageImport,
    kTokenCreate,
    kTokenList,
    kTokenDelete,
    kVersion
  } command = Command::kNone;
  UpOptions up;  // data_dir also for the other commands
  AgentOptions agent;
  std::string image_file;      // image import
  std::string subject;         // why: KIND/NAME
  std::string ns = "default";  // why
  TokenOptions token;
  std::string token_id;  // token delete
  int exit_code = 0;     // kNone: end with this, help or error text has been printed
};

// Prints help and errors of usage itself (they name the option and the value).
CommandLine parse_command_line(int argc, char** argv);

}  // namespace stead::cli
