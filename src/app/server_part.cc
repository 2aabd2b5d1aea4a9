#include "app/server_part.h"

#include <fmt/format.h>

#include "app/encryption_keys.h"
#include "http/tls.h"

namespace stead::app {
namespace {

constexpr uint32_t kApiServiceIndex = 1;
constexpr uint32_t kDnsServiceIndex = 10;

ServerNames server_names(const ServerPart::Options& options, const std::string& api_address) {
  ServerNames names;
  names.dns_names = {"localhost",
                     "kubernetes",
                     "kubernetes.default",
                     "kubernetes.default.svc",
                     "kubernetes.default.svc." + options.cluster.cluster_domain,
                     options.node_name};
  names.ip_addresses = {"127.0.0.1", options.node_ip, api_address};
  const std::string& bind = options.cluster.bind;
  if (bind != "0.0.0.0" && bind != "127.0.0.1" && bind != options.node_ip) names.ip_addresses.push_back(bind);
  return names;
}

}  // namespace

Result<ServiceAddresses> ServiceAddresses::of(const std::string& service_cidr) {
  STEAD_TRY(range, apiserver::ServiceRange::parse(service_cidr));
  return ServiceAddresses{range.address(kApiServiceIndex), range.address(kDnsServiceIndex)};
}

Result<std::unique_ptr<ServerPart>> ServerPart::start(const Options& options, const cli::DataDir& data_dir,
                                                      ClusterNodeGateway& gateway) {
  std::unique_ptr<ServerPart> part(new ServerPart());
  part->options_ = options;
  part->data_dir_ = data_dir.root();
  part->gateway_ = &gateway;
  const cli::UpOptions& cluster = options.cluster;
  STEAD_TRY(addresses, ServiceAddresses::of(cluster.service_cidr));
  part->addresses_ = std::move(addresses);
  STEAD_TRY(credentials,
            load_or_make_credentials(data_dir, server_names(options, part->addresses_.api), system_clock().wall_now()));
  part->credentials_ = std::move(credentials);
  STEAD_TRY(encryption_keys, find_encryption_keys(data_dir, cluster.encryption_keys));
  STEAD_TRY(plane, ControlPlane::start(
                       {data_dir.root(), cluster.bind, cluster.port, cluster.service_cidr, cluster.pod_eviction_timeout,
                        cluster.cluster_domain, std::move(encryption_keys), cluster.audit},
                       part->credentials_, gateway));
  part->plane_ = std::move(plane);
  if (options.many_nodes) {
    STEAD_TRY(tls, http::make_client_tls(part->credentials_.ca.certificate_pem,
                                         part->credentials_.kubelet_client.certificate_pem,
                                         part->credentials_.kubelet_client.key_pem));
    gateway.reach_others(part->plane_->api().cache(), std::move(tls));
  }
  std::string reachable = cluster.bind == "0.0.0.0" ? options.own_address : cluster.bind;
  part->url_ = fmt::format("https://{}:{}", reachable, part->plane_->port());
  STEAD_TRY_VOID(part->write_access_files(data_dir));
  return part;
}

Result<void> ServerPart::write_access_files(const cli::DataDir& data_dir) {
  STEAD_TRY_VOID(cli::write_file(data_dir.path("kubeconfig"), kubeconfig_text(credentials_, url_), 0600));
  return cli::write_file(data_dir.path("api-address"), url_.substr(url_.rfind('/') + 1) + "\n", 0600);
}

void ServerPart::start_controllers() {
  ControlLoop::Options control;
  control.data_dir = data_dir_;
  control.ca_pem = credentials_.ca.certificate_pem;
  if (options_.many_nodes) control.pod_cidr = options_.cluster.pod_cidr;
  control.control_plane = options_.node_name;
  control.node_monitor_grace_period = options_.cluster.node_monitor_grace_period;
  control.certificates = {credentials_.ca, options_.cluster.signing_duration};
  control.bootstrap = {addresses_.api, addresses_.dns, options_.node_ip, plane_->port()};
  control.bootstrap.pod_cidr = options_.cluster.pod_cidr;
  control.bootstrap.service_cidr = options_.cluster.service_cidr;
  control.bootstrap.cluster_domain = options_.cluster.cluster_domain;
  control.bootstrap.pod_network = options_.cluster.pod_network;
  control.bootstrap.ingress_class = options_.ingress_class;
  control_ = std::make_unique<ControlLoop>(plane_->api(), *gateway_, std::move(control));
}

}  // namespace stead::app
