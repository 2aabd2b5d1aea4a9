#include "node/pods/pod_admission.h"

#include <gtest/gtest.h>

#include "object/codec.h"

namespace stead::node {
namespace {

using object::ObjectPtr;

std::string refusal(const std::string& spec) {
  auto found = refuse_pod(read_pod_shape(object::make_object(
      *object::parse_json(R"({"metadata":{"name":"p","namespace":"n","uid":"u"},"spec":)" + spec + "}"), 1)));
  return found ? found->reason + ": " + found->message : "";
}

TEST(PodAdmission, RefusesWhatTheNodeCannotGive) {
  EXPECT_EQ(refusal(R"({"os":{"name":"linux"}})"), "");
  EXPECT_EQ(refusal(R"({"os":{"name":"windows"}})"),
            "PodOSNotSupported: Failed to admit pod as the OS field doesn't match node OS");
  EXPECT_EQ(refusal(R"({"securityContext":{"supplementalGroupsPolicy":"Merge"}})"), "");
  EXPECT_EQ(refusal(R"({"securityContext":{"supplementalGroupsPolicy":"Strict"}})"),
            "SupplementalGroupsPolicyNotSupported: SupplementalGroupsPolicy=Strict is not supported in this node");
}

TEST(PodAdmission, OnlySafeSysctls) {
  auto sysctl = [](const char* name, const char* more = "") {
    return refusal(std::string(R"({"securityContext":{"sysctls":[{"name":")") + name + R"(","value":"1"}]})" + more +
                   "}");
  };
  EXPECT_EQ(sysctl("kernel.shm_rmid_forced"), "");
  EXPECT_EQ(sysctl("net/ipv4/tcp_syncookies"), "");
  EXPECT_EQ(sysctl("kernel.msgmax"), "SysctlForbidden: forbidden sysctl: \"kernel.msgmax\" not allowlisted");
  EXPECT_EQ(sysctl("net.ipv4.tcp_syncookies", R"(,"hostNetwork":true)"),
            "SysctlForbidden: forbidden sysctl: \"net.ipv4.tcp_syncookies\" not allowed with host net enabled");
  EXPECT_EQ(sysctl("kernel.shm_rmid_forced", R"(,"hostIPC":true)"),
            "SysctlForbidden: forbidden sysctl: \"kernel.shm_rmid_forced\" not allowed with host ipc enabled");
}

ObjectPtr pod(const std::string& name, const std::string& container) {
  return object::make_object(*object::parse_json(R"({"metadata":{"namespace":"default","name":")" + name +
                                                 R"("},"spec":{"containers":[{"name":"a",)" + container + "}]}}"),
                             1);
}

std::string verdict(const ObjectPtr& asked, const std::vector<ObjectPtr>& others) {
  NodeOptions options;
  options.machine.cpus = 2;
  options.machine.memory_bytes = int64_t{1} << 30;
  options.pods_max = 3;
  auto refusal = refuse_for_room(*asked, others, options);
  return refusal ? refusal->reason : "taken";
}

TEST(PodAdmission, OnePodForAPortOfTheNode) {
  auto with_port = [](const std::string& name, const std::string& port) {
    return pod(name, R"("ports":[)" + port + "]");
  };
  ObjectPtr here = with_port("here", R"({"containerPort":1,"hostPort":8080})");
  EXPECT_EQ(verdict(with_port("b", R"({"containerPort":2,"hostPort":8080})"), {here}), "NodePorts");
  EXPECT_EQ(verdict(with_port("b", R"({"containerPort":2,"hostPort":8080,"protocol":"UDP"})"), {here}), "taken");
  EXPECT_EQ(verdict(with_port("b", R"({"containerPort":8080})"), {here}), "taken");
}

TEST(PodAdmission, NoMoreThanTheNodeHas) {
  auto asks = [](const std::string& name, const std::string& what) {
    return pod(name, R"("resources":{"requests":{)" + what + "}}");
  };
  ObjectPtr here = asks("here", R"("cpu":"1500m")");
  EXPECT_EQ(verdict(asks("b", R"("cpu":"500m")"), {here}), "taken");
  EXPECT_EQ(verdict(asks("b", R"("cpu":"501m")"), {here}), "OutOfcpu");
  EXPECT_EQ(verdict(asks("b", R"("memory":"2Gi")"), {}), "OutOfmemory");
  ObjectPtr small = asks("small", "");
  EXPECT_EQ(verdict(small, {here, here}), "taken");
  EXPECT_EQ(verdict(small, {here, here, here}), "OutOfpods");
}

}  // namespace
}  // namespace stead::node
