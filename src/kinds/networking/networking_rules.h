#pragma once

// Rules of networking.k8s.io: Ingress, IngressClass.

#include "kinds/rules.h"

namespace stead::kinds {

KindRules ingress_rules();
KindRules ingress_class_rules();

// extensions/v1beta1 and networking.k8s.io/v1beta1 have `backend` for `defaultBackend`, and in a backend serviceName
// and servicePort for `service`.
void ingress_from_v1beta1(Value& ingress);
void ingress_to_v1beta1(Value& ingress);

}  // namespace stead::kinds
