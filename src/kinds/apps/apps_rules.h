#pragma once

// Rules of apps: StatefulSet, ControllerRevision, Deployment, ReplicaSet, DaemonSet.

#include "kinds/rules.h"

namespace stead::kinds {

KindRules stateful_set_rules();
KindRules controller_revision_rules();
KindRules deployment_rules();
KindRules replica_set_rules();
KindRules daemon_set_rules();

// apps/v1 and apps/v1beta2: rolling updates unless said otherwise.
void set_stateful_set_defaults(Value& set);
// apps/v1beta1: the selector comes from the template's labels and updates wait for deletion.
void set_stateful_set_defaults_v1beta1(Value& set);

// apps/v1 and apps/v1beta2.
void set_replica_set_defaults(Value& set);
void set_deployment_defaults(Value& deployment);
// apps/v1beta1: the selector comes from the template's labels, two old revisions are kept.
void set_deployment_defaults_v1beta1(Value& deployment);
// extensions/v1beta1: the selector comes from the template's labels; a rolling update moves one pod at a time, without
// a deadline; every old revision is kept.
void set_extensions_replica_set_defaults(Value& set);
void set_extensions_deployment_defaults(Value& deployment);
// apps/v1 and apps/v1beta2; extensions/v1beta1: selector from the template's labels, updates wait for deletion.
void set_daemon_set_defaults(Value& set);
void set_extensions_daemon_set_defaults(Value& set);
// spec.templateGeneration of extensions/v1beta1 is an annotation in apps/v1.
void drop_template_generation(Value& set);
void add_template_generation(Value& set);
// spec.rollbackTo of v1beta1 becomes the annotation that the deployment controller acts on.
void rollback_to_annotation(Value& deployment);
void rollback_from_annotation(Value& deployment);

}  // namespace stead::kinds
