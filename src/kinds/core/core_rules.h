#pragma once

// Rules of the core group, except volumes (storage/) and events (events/).

#include "kinds/rules.h"

namespace stead::kinds {

KindRules pod_rules();
KindRules node_rules();
KindRules namespace_rules();
KindRules service_rules();
KindRules endpoints_rules();
KindRules component_status_rules();
KindRules config_map_rules();
KindRules secret_rules();
KindRules service_account_rules();
KindRules replication_controller_rules();
KindRules pod_template_rules();
KindRules resource_quota_rules();
KindRules limit_range_rules();

void set_pod_defaults(Value& pod);
void set_node_defaults(Value& node);
void set_namespace_defaults(Value& ns);
void set_service_defaults(Value& service);
void set_endpoints_defaults(Value& endpoints);
void set_secret_defaults(Value& secret);
void set_replication_controller_defaults(Value& controller);
void set_pod_template_defaults(Value& pod_template);
void set_limit_range_defaults(Value& range);

}  // namespace stead::kinds
