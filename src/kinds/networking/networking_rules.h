#pragma once

// Rules of networking.k8s.io: Ingress, IngressClass, NetworkPolicy, IPAddress, ServiceCIDR.

#include "kinds/rules.h"

namespace stead::kinds {

KindRules ingress_rules();
KindRules ingress_class_rules();
KindRules network_policy_rules();
KindRules ip_address_rules();
KindRules service_cidr_rules();

void set_network_policy_defaults(Value& policy);

// extensions/v1beta1 and networking.k8s.io/v1beta1 have `backend` for `defaultBackend`, and in a backend serviceName
// and servicePort for `service`.
void ingress_from_v1beta1(Value& ingress);
void ingress_to_v1beta1(Value& ingress);

}  // namespace stead::kinds
