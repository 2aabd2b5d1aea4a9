#include "cli/command_line.h"

#include <arpa/inet.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <functional>

namespace stead::cli {
namespace {

// "50s", "5m", "1m30s", or plain seconds.
std::string parse_span(const std::string& text, std::chrono::seconds& out) {
  int64_t total = 0;
  int64_t number = 0;
  bool digits = false;
  for (char character : text) {
    if (character >= '0' && character <= '9' && number < 1'000'000) {
      number = number * 10 + (character - '0');
      digits = true;
    } else if (digits && (character == 's' || character == 'm' || character == 'h')) {
      total += number * (character == 's' ? 1 : character == 'm' ? 60 : 3600);
      number = 0;
      digits = false;
    } else {
      return "not a duration such as 50s, 5m or 1h";
    }
  }
  total += number;
  if (total <= 0) return "must be more than zero";
  out = std::chrono::seconds(total);
  return {};
}

// Checks that a text is a range of IPv4 addresses ("10.42.0.0/16") whose prefix has at most so many bits.
std::function<std::string(const std::string&)> address_range(int prefix_max) {
  return [prefix_max](const std::string& text) -> std::string {
    size_t slash = text.find('/');
    in_addr address{};
    int prefix = 0;
    const char* end = text.data() + text.size();
    bool parsed = slash != std::string::npos && inet_pton(AF_INET, text.substr(0, slash).c_str(), &address) == 1;
    if (parsed) {
      auto [stop, error] = std::from_chars(text.data() + slash + 1, end, prefix);
      parsed = error == std::errc() && stop == end;
    }
    if (parsed && prefix >= 1 && prefix <= prefix_max) return {};
    return text + " is no range of IPv4 addresses with a prefix of at most " + std::to_string(prefix_max) + " bits";
  };
}

// A node takes a /24 of the pod range. The tenth address of the service range must exist.
constexpr int kPodPrefixMax = 24;
constexpr int kServicePrefixMax = 28;

void add_data_dir(CLI::App& command, UpOptions& options) {
  command.add_option("--data-dir", options.data_dir, "Where all state lives")->capture_default_str();
}

void add_node(CLI::App& command, std::string& node_name, std::string& node_ip) {
  command.add_option("--node-name", node_name, "Name of this node (default: the host name)");
  command.add_option("--node-ip", node_ip, "Address of this node (default: the default route's)")
      ->check(CLI::ValidIPV4);
}

void add_audit(CLI::App& command, AuditOptions& options) {
  command.add_option("--audit-log-path", options.log_path, "Log who asked the API for what into this file");
  command
      .add_option("--audit-policy-file", options.policy_file,
                  "What to log (audit.k8s.io/v1 Policy; default: everything)")
      ->check(CLI::ExistingFile)
      ->needs("--audit-log-path");
  command.add_option("--audit-log-maxsize", options.log_megabytes_max, "Megabytes of the log before it is rotated")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  command.add_option("--audit-log-maxbackup", options.log_backups_max, "How many rotated logs are kept")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000));
}

// What `up` and `server` have in common.
void add_cluster(CLI::App& command, UpOptions& options) {
  add_data_dir(command, options);
  command.add_option("--bind", options.bind, "Address the API listens on")
      ->capture_default_str()
      ->check(CLI::ValidIPV4);
  command.add_option("--port", options.port, "Port the API listens on")->capture_default_str();
  command.add_option("--pod-cidr", options.pod_cidr, "Range of pod addresses")
      ->capture_default_str()
      ->check(address_range(kPodPrefixMax));
  command.add_option("--service-cidr", options.service_cidr, "Range of service addresses")
      ->capture_default_str()
      ->check(address_range(kServicePrefixMax));
  command
      .add_option("--pod-network", options.pod_network,
                  "How pods of different nodes reach each other: by routes, VXLAN, or what each pair of nodes needs")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "direct", "vxlan"}));
  command.add_option("--cluster-domain", options.cluster_domain, "DNS zone of the cluster")->capture_default_str();
  add_node(command, options.node_name, options.node_ip);
  command.add_option_function<std::string>(
      "--node-monitor-grace-period",
      [&options](const std::string& text) {
        std::string problem = parse_span(text, options.node_monitor_grace_period);
        if (!problem.empty()) throw CLI::ValidationError("--node-monitor-grace-period", text + ": " + problem);
      },
      "When a silent node counts as lost [50s]");
  command.add_option_function<std::string>(
      "--pod-eviction-timeout",
      [&options](const std::string& text) {
        std::string problem = parse_span(text, options.pod_eviction_timeout);
        if (!problem.empty()) throw CLI::ValidationError("--pod-eviction-timeout", text + ": " + problem);
      },
      "When the pods of a lost node are deleted [5m]");
  command
      .add_option(
          "--encryption-keys", options.encryption_keys,
          "File of the keys that Secrets are encrypted with at rest (default: pki/encryption.keys in the data dir)")
      ->check(CLI::ExistingFile);
  add_audit(command, options.audit);
  command.add_option_function<std::string>(
      "--cluster-signing-duration",
      [&options](const std::string& text) {
        std::string problem = parse_span(text, options.signing_duration);
        if (!problem.empty()) throw CLI::ValidationError("--cluster-signing-duration", text + ": " + problem);
      },
      "For how long certificates are signed at most [8760h]");
  command.add_flag("-v,--verbose", options.verbose, "Log more");
}

void add_up(CLI::App& command, UpOptions& options) {
  add_cluster(command, options);
  command.add_option("--ingress-http-port", options.ingress.http, "Port of this node for Ingresses (0: none)")
      ->capture_default_str();
  command.add_option("--ingress-https-port", options.ingress.https, "The same for TLS (0: none)")
      ->capture_default_str();
  command.add_option("--runtime", options.runtime, "What runs the containers")
      ->capture_default_str()
      ->check(CLI::IsMember({"containerd", "simulated"}));
  command.add_option("--simulated-nodes", options.simulated_nodes, "How many nodes to simulate")
      ->capture_default_str()
      ->check(CLI::Range(1, 5000));
  command.add_option("--containerd-socket", options.containerd_socket,
                     "Use this containerd (default: a private one under the data dir)");
}

void add_agent(CLI::App& command, AgentOptions& options) {
  command.add_option("--data-dir", options.data_dir, "Where all state lives")->capture_default_str();
  command.add_option("--server", options.server, "The server: https://192.0.2.10:6443")->required();
  command.add_option("--token", options.token, "A join token (stead token create); only for the first start");
  add_node(command, options.node_name, options.node_ip);
  command.add_option_function<std::vector<std::string>>(
      "--node-label",
      [&options](const std::vector<std::string>& labels) {
        for (const std::string& label : labels) {
          size_t equals = label.find('=');
          if (equals == 0 || equals == std::string::npos) {
            throw CLI::ValidationError("--node-label", label + ": must be KEY=VALUE");
          }
          options.node_labels.emplace_back(label.substr(0, equals), label.substr(equals + 1));
        }
      },
      "A label of this node, KEY=VALUE; may be repeated");
  command.add_option("--containerd-socket", options.containerd_socket,
                     "Use this containerd (default: a private one under the data dir)");
  command.add_flag("-v,--verbose", options.verbose, "Log more");
}

struct TokenCommands {
  CLI::App* create = nullptr;
  CLI::App* list = nullptr;
  CLI::App* remove = nullptr;
};

TokenCommands add_token(CLI::App& app, CommandLine& line) {
  auto* token = app.add_subcommand("token", "Join tokens, on the server's machine");
  token->require_subcommand(1);
  TokenCommands made;
  made.create = token->add_subcommand("create", "Make a token with which machines join, and print it");
  add_data_dir(*made.create, line.up);
  made.create->add_option_function<std::string>(
      "--ttl",
      [&line](const std::string& text) {
        if (text == "0") {
          line.token.ttl = std::chrono::seconds(0);
          return;
        }
        std::string problem = parse_span(text, line.token.ttl);
        if (!problem.empty()) throw CLI::ValidationError("--ttl", text + ": " + problem);
      },
      "For how long it holds, 0 for ever [24h]");
  made.create->add_option("--description", line.token.description, "What it is for");
  made.list = token->add_subcommand("list", "Tell which tokens there are");
  add_data_dir(*made.list, line.up);
  made.remove = token->add_subcommand("delete", "Delete a token");
  add_data_dir(*made.remove, line.up);
  made.remove->add_option("TOKEN", line.token_id, "The token, or its id")->required();
  return made;
}

}  // namespace

CommandLine parse_command_line(int argc, char** argv) {
  CommandLine line;
  CLI::App app{"Stead: stateful workloads on Kubernetes' API, in one program"};
  app.require_subcommand(1);
  auto* up = app.add_subcommand("up", "Run a cluster on this machine, in the foreground");
  add_up(*up, line.up);
  auto* server = app.add_subcommand("server", "Run a cluster's API and controllers, without pods; agents join it");
  UpOptions server_options;
  server_options.bind = "0.0.0.0";
  add_cluster(*server, server_options);
  auto* agent = app.add_subcommand("agent", "Run pods of a server's cluster on this machine");
  add_agent(*agent, line.agent);
  auto* down = app.add_subcommand("down", "End the cluster, its pods and its containerd; data stays");
  add_data_dir(*down, line.up);
  auto* status = app.add_subcommand("status", "Tell how the cluster is");
  add_data_dir(*status, line.up);
  auto* why = app.add_subcommand("why", "Tell why something is not as wanted, and what would mend it");
  add_data_dir(*why, line.up);
  why->add_option("-n,--namespace", line.ns, "Where it is")->capture_default_str();
  why->add_option("KIND/NAME", line.subject, "pod/web-0, pvc/data-web-0, sts/web …")->required();
  auto* kubeconfig = app.add_subcommand("kubeconfig", "Print the kubeconfig");
  add_data_dir(*kubeconfig, line.up);
  auto* image = app.add_subcommand("image", "Container images of this node");
  image->require_subcommand(1);
  auto* image_import = image->add_subcommand("import", "Load the images of a docker or OCI archive");
  add_data_dir(*image_import, line.up);
  image_import->add_option("--containerd-socket", line.up.containerd_socket, "The containerd to load them into");
  image_import->add_option("FILE", line.image_file, "The archive (tar)")->required();
  TokenCommands token = add_token(app, line);
  auto* version = app.add_subcommand("version", "Print the version");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    line.exit_code = app.exit(error);
    return line;
  }
  using Command = CommandLine::Command;
  if (up->parsed()) line.command = Command::kUp;
  if (server->parsed()) {
    line.command = Command::kServer;
    line.up = server_options;
  }
  if (agent->parsed()) line.command = Command::kAgent;
  if (down->parsed()) line.command = Command::kDown;
  if (status->parsed()) line.command = Command::kStatus;
  if (why->parsed()) line.command = Command::kWhy;
  if (kubeconfig->parsed()) line.command = Command::kKubeconfig;
  if (image_import->parsed()) line.command = Command::kImageImport;
  if (token.create->parsed()) line.command = Command::kTokenCreate;
  if (token.list->parsed()) line.command = Command::kTokenList;
  if (token.remove->parsed()) line.command = Command::kTokenDelete;
  if (version->parsed()) line.command = Command::kVersion;
  return line;
}

}  // namespace stead::cli
