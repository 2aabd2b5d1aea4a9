#include <gtest/gtest.h>

#include "kinds/pod_security/violations.h"
#include "object/codec.h"

namespace stead::kinds {
namespace {

using object::FieldErrors;
using object::Value;

Value json(std::string_view text) { return *object::parse_json(text); }

std::string found(SecurityLevel level, std::string_view spec, int minor = LevelVersion::kLatest,
                  std::string_view metadata = "{}") {
  return violations_text(security_violations({level, minor}, json(metadata), json(spec)));
}
std::string baseline(std::string_view spec, int minor = LevelVersion::kLatest) {
  return found(SecurityLevel::kBaseline, spec, minor);
}
std::string restricted(std::string_view spec, int minor = LevelVersion::kLatest) {
  return found(SecurityLevel::kRestricted, spec, minor);
}

constexpr std::string_view kStrict =
    R"({"securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},"containers":[{"name":"c",
    "securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]})";

TEST(PodSecurity, LevelsAllowWhatTheyShould) {
  EXPECT_EQ(baseline(R"({"containers":[{"name":"c"}]})"), "");
  EXPECT_EQ(restricted(kStrict), "");
  EXPECT_EQ(found(SecurityLevel::kPrivileged, R"({"hostNetwork":true,"containers":[{"name":"c"}]})"), "");
}

TEST(PodSecurity, RestrictedTellsAllThatIsMissing) {
  EXPECT_EQ(restricted(R"({"containers":[{"name":"c"}]})"),
            "allowPrivilegeEscalation != false (container \"c\" must set "
            "securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \"c\" must set "
            "securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or container \"c\" must set "
            "securityContext.runAsNonRoot=true), seccompProfile (pod or container \"c\" must set "
            "securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")");
}

struct Case {
  std::string_view spec;
  std::string_view text;
};

TEST(PodSecurity, BaselineNamesWhoDoesWhat) {
  const Case cases[] = {
      {R"({"hostNetwork":true,"hostPID":true,"hostIPC":true})",
       "host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)"},
      {R"({"volumes":[{"name":"a","hostPath":{"path":"/"}},{"name":"b","hostPath":{"path":"/"}}]})",
       "hostPath volumes (volumes \"a\", \"b\")"},
      {R"({"containers":[{"name":"c","ports":[{"hostPort":80},{"hostPort":443}]}],"initContainers":[{"name":"i",
       "ports":[{"hostPort":80}]}]})",
       "hostPort (containers \"i\", \"c\" use hostPorts 443, 80)"},
      {R"({"containers":[{"name":"c","securityContext":{"privileged":true}}]})",
       "privileged (container \"c\" must not set securityContext.privileged=true)"},
      {R"({"containers":[{"name":"c","securityContext":{"capabilities":{"add":["NET_RAW","CHOWN","SYS_ADMIN"]}}}]})",
       "non-default capabilities (container \"c\" must not include \"NET_RAW\", \"SYS_ADMIN\" in "
       "securityContext.capabilities.add)"},
      {R"({"securityContext":{"seccompProfile":{"type":"Unconfined"}},"containers":[{"name":"c","securityContext":
       {"seccompProfile":{"type":"Unconfined"}}}]})",
       "seccompProfile (pod and container \"c\" must not set securityContext.seccompProfile.type to \"Unconfined\")"},
      {R"({"securityContext":{"appArmorProfile":{"type":"Unconfined"}}})",
       "forbidden AppArmor profile (pod must not set AppArmor profile type to \"Unconfined\")"},
      {R"({"securityContext":{"seLinuxOptions":{"type":"foo","user":"u","role":"r"}}})",
       "seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type \"foo\"; user may not be set; role may "
       "not be set)"},
      {R"({"securityContext":{"sysctls":[{"name":"kernel.msgmax"},{"name":"net.ipv4.tcp_rmem"}]}})",
       "forbidden sysctls (kernel.msgmax)"},
      {R"({"containers":[{"name":"c","securityContext":{"procMount":"Unmasked"}}]})",
       "procMount (container \"c\" must not set securityContext.procMount to \"Unmasked\")"},
      {R"({"hostUsers":false,"containers":[{"name":"c","securityContext":{"procMount":"Unmasked"}}]})", ""},
      {R"({"containers":[{"name":"c","livenessProbe":{"httpGet":{"host":"10.0.0.1"}}}]})",
       "probe or lifecycle host (container \"c\" uses probe or lifecycle host \"10.0.0.1\")"},
      {R"({"securityContext":{"windowsOptions":{"hostProcess":true}}})",
       "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)"},
  };
  for (const Case& each : cases) EXPECT_EQ(baseline(each.spec), each.text) << each.spec;
}

TEST(PodSecurity, RestrictedReplacesTheWeakerCheck) {
  Value spec = json(kStrict);
  spec["volumes"].append(json(R"({"name":"v","hostPath":{"path":"/"}})"));
  spec["volumes"].append(json(R"({"name":"w","nfs":{"path":"/","server":"s"}})"));
  spec["volumes"].append(json(R"({"name":"ok","emptyDir":{}})"));
  EXPECT_EQ(restricted(object::to_json(spec)),
            "restricted volume types (volumes \"v\", \"w\" use restricted volume types \"hostPath\", \"nfs\")");
  EXPECT_EQ(restricted(R"({"securityContext":{"runAsNonRoot":false,"runAsUser":0,"seccompProfile":
                       {"type":"Localhost"}}})"),
            "runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false), runAsUser=0 (pod must not set "
            "runAsUser=0)");
}

TEST(PodSecurity, VersionsDiffer) {
  constexpr std::string_view sysctl = R"({"securityContext":{"sysctls":[{"name":"net.ipv4.tcp_rmem"}]}})";
  EXPECT_EQ(baseline(sysctl, 31), "forbidden sysctls (net.ipv4.tcp_rmem)");
  EXPECT_EQ(baseline(sysctl, 32), "");
  constexpr std::string_view windows =
      R"({"os":{"name":"windows"},"securityContext":{"runAsNonRoot":true},"containers":[{"name":"c"}]})";
  EXPECT_EQ(restricted(windows, 25), "");
  EXPECT_NE(restricted(windows, 24), "");
  constexpr std::string_view metadata = R"({"annotations":{"seccomp.security.alpha.kubernetes.io/pod":"unconfined"}})";
  EXPECT_EQ(found(SecurityLevel::kBaseline, "{}", 18, metadata),
            "seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod=\"unconfined\")");
  EXPECT_EQ(found(SecurityLevel::kBaseline, "{}", 19, metadata), "");
}

TEST(PodSecurity, LabelsMakeThePolicy) {
  FieldErrors errors;
  SecurityPolicy policy = security_policy(
      json(R"({"pod-security.kubernetes.io/enforce":"baseline","pod-security.kubernetes.io/enforce-version":"v1.30"})"),
      errors);
  EXPECT_TRUE(errors.empty());
  EXPECT_EQ(policy.enforce.str(), "baseline:v1.30");
  EXPECT_EQ(policy.warn.str(), "baseline:v1.30");
  EXPECT_EQ(policy.audit.str(), "privileged:latest");
  policy = security_policy(
      json(R"({"pod-security.kubernetes.io/enforce":"strict","pod-security.kubernetes.io/warn-version":"1.2",
            "pod-security.kubernetes.io/audit":""})"),
      errors);
  EXPECT_EQ(policy.enforce.str(), "restricted:latest");
  ASSERT_EQ(errors.size(), 3u);
  EXPECT_EQ(errors.causes()[0].field, "metadata.labels[pod-security.kubernetes.io/enforce]");
  EXPECT_EQ(errors.causes()[0].message, "Invalid value: \"strict\": must be one of privileged, baseline, restricted");
  EXPECT_EQ(errors.causes()[2].message, "Invalid value: \"1.2\": must be \"latest\" or \"v1.x\"");
}

}  // namespace
}  // namespace stead::kinds
