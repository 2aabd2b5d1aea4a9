#pragma once

#include <string_view>

namespace stead::apiserver {

// The bootstrap policy as text, a line each, read by bootstrap_policy():
//
//   role NAME [LABEL…]                    a cluster role; the words after its name are aggregate-to-… labels
//   aggregates WORD                       of the role above: it takes over roles labelled aggregate-to-WORD
//   role NAME in NAMESPACE                a role
//   VERBS | GROUPS | RESOURCES [| NAMES]  a rule of the role above; `core` is the group ""
//   VERBS | urls | PATHS                  the same for paths
//   events                                the rule to write events
//   bind NAME [in NAMESPACE] to ROLE: SUBJECTS
//                                         subjects are user:NAME, group:NAME and NAMESPACE/ACCOUNT
//   controller NAME                       cluster role system:controller:NAME, bound to account kube-system/NAME
//
// READ stands for get list watch, WRITE for create delete deletecollection patch update.
extern const std::string_view kBootstrapTable;

}  // namespace stead::apiserver
