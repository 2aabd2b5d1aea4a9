#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/why/explain.h"
#include "object/codec.h"

namespace stead::cli::why {
namespace {

using object::make_object;
using testing::HasSubstr;
using testing::Not;

class WhyTest : public testing::Test {
 protected:
  ObjectPtr add(const std::string& plural, std::string_view yaml) {
    auto parsed = object::parse_yaml(yaml);
    EXPECT_TRUE(parsed.ok()) << yaml;
    view_.lists[plural].push_back(make_object(parsed.ok() ? std::move(*parsed) : Value(), 1));
    return view_.lists[plural].back();
  }
  void add_warning(std::string_view uid, std::string_view reason, std::string_view message) {
    add("events", "{metadata: {namespace: default, name: e" + std::to_string(view_.list("events").size()) +
                      "}, type: Warning, reason: " + std::string(reason) + ", message: \"" + std::string(message) +
                      "\", lastTimestamp: \"2026-01-01T00:00:00Z\", involvedObject: {uid: " + std::string(uid) + "}}");
  }
  void add_node() { add("nodes", "{metadata: {name: node1}, status: {conditions: [{type: Ready, status: 'True'}]}}"); }
  // A pod on the node with one container in a state; `more` of its spec.
  ObjectPtr add_pod(const std::string& name, const std::string& container, const std::string& state,
                    const std::string& more = "volumes: []", const std::string& metadata = "uid: u") {
    return add("pods", "{metadata: {namespace: default, name: " + name + ", " + metadata +
                           "}, spec: {nodeName: node1, containers: [{name: c, " + container + "}], " + more +
                           "}, status: {phase: Running, containerStatuses: [{name: c, restartCount: 3, " + state +
                           "}]}}");
  }
  std::string why(const std::string& plural, const ObjectPtr& object) const {
    return screen_text(explain(view_, plural, *object));
  }
  std::string why_pod(const ObjectPtr& pod) const { return why("pods", pod); }

  ClusterView view_;
};

TEST_F(WhyTest, KindsAreKnownByTheirShortNames) {
  for (std::string_view name : {"pod", "Pods", "po"}) EXPECT_EQ(plural_of(name), "pods");
  EXPECT_EQ(plural_of("sts"), "statefulsets");
  EXPECT_EQ(plural_of("statefulset.apps"), "statefulsets");
  EXPECT_EQ(plural_of("claim"), "persistentvolumeclaims");
  EXPECT_EQ(plural_of("widget"), std::nullopt);
}

TEST_F(WhyTest, WhatIsWellHasNoCauses) {
  auto pod =
      add("pods",
          "{metadata: {namespace: default, name: p}, spec: {nodeName: node1}, status: {conditions: [{type: Ready, "
          "status: 'True'}]}}");
  EXPECT_EQ(why_pod(pod), "pod default/p is Ready\n");
}

TEST_F(WhyTest, AVolumeOnALostNode) {
  add("persistentvolumeclaims",
      "{metadata: {namespace: default, name: data}, spec: {volumeName: v}, status: {phase: Bound}}");
  add("persistentvolumes",
      "{metadata: {name: v}, spec: {nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: "
      "kubernetes.io/hostname, operator: In, values: [far]}]}]}}}}");
  auto pod = add("pods",
                 "{metadata: {namespace: default, name: p}, spec: {volumes: [{name: d, persistentVolumeClaim: "
                 "{claimName: data}}]}, status: {phase: Pending}}");
  EXPECT_THAT(why_pod(pod), HasSubstr("the data of the claim data is on the volume v"));
  EXPECT_THAT(why_pod(pod), HasSubstr("the node far is gone"));
  EXPECT_THAT(why_pod(pod), HasSubstr("kubectl delete pvc data"));
  add("nodes", "{metadata: {name: far}, status: {conditions: [{type: Ready, status: Unknown, message: silent}]}}");
  EXPECT_THAT(why_pod(pod), HasSubstr("node far is not Ready"));
  EXPECT_THAT(why_pod(pod), HasSubstr("start stead on far again"));
  view_.lists["nodes"].clear();
  add("nodes", "{metadata: {name: far}, status: {conditions: [{type: Ready, status: 'True'}]}}");
  EXPECT_THAT(why_pod(pod), Not(HasSubstr("far")));
}

TEST_F(WhyTest, AnImageThatIsNotThere) {
  add_node();
  auto pod = add_pod("p", "image: \"nope:1\"", "state: {waiting: {reason: ImagePullBackOff, message: no such host}}");
  EXPECT_THAT(why_pod(pod), HasSubstr("container c: the image nope:1 cannot be had (ImagePullBackOff)"));
  EXPECT_THAT(why_pod(pod), HasSubstr("no such host"));
  EXPECT_THAT(why_pod(pod), HasSubstr("stead image import FILE.tar   # with nope:1"));
}

TEST_F(WhyTest, ACrashLoopTellsCodeAndLastWords) {
  add_node();
  view_.last_log_line = [](auto, auto pod, auto container, bool previous) {
    return std::string(pod) + "/" + std::string(container) + (previous ? " before" : "") + ": cannot open /data\n";
  };
  auto pod =
      add_pod("p", "image: i",
              "state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 7, reason: Error}}");
  EXPECT_THAT(why_pod(pod), HasSubstr("container c ended with exit code 7, 3 restarts so far"));
  EXPECT_THAT(why_pod(pod), HasSubstr("its last words: p/c before: cannot open /data\n"));
  EXPECT_THAT(why_pod(pod), HasSubstr("kubectl logs p -c c --previous"));
  pod = add_pod(
      "q", "image: i",
      "state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 137, reason: OOMKilled}}");
  EXPECT_THAT(why_pod(pod), HasSubstr("exit code 137 (OOMKilled)"));
  EXPECT_THAT(why_pod(pod), HasSubstr("raise resources.limits.memory"));
}

TEST_F(WhyTest, AProbeTellsItsOutput) {
  add_node();
  auto pod = add_pod("p", "readinessProbe: {}", "ready: false, state: {running: {}}");
  EXPECT_THAT(why_pod(pod), HasSubstr("waits for its first success"));
  add_warning("u", "Unhealthy", "Readiness probe failed: no leader");
  EXPECT_THAT(why_pod(pod), HasSubstr("its readiness probe does not succeed"));
  EXPECT_THAT(why_pod(pod), HasSubstr("Readiness probe failed: no leader"));
}

TEST_F(WhyTest, WhatAPodNamesAndDoesNotFind) {
  add_node();
  add("configmaps", "{metadata: {namespace: default, name: there}, data: {a: b}}");
  auto pod =
      add_pod("p",
              "env: [{name: A, valueFrom: {secretKeyRef: {name: gone, key: k}}}, {name: B, valueFrom: "
              "{configMapKeyRef: {name: there, key: z}}}, {name: C, valueFrom: {secretKeyRef: {name: maybe, key: k, "
              "optional: true}}}]",
              "state: {waiting: {reason: ContainerCreating}}", "volumes: [{name: v, configMap: {name: missing}}]");
  std::string text = why_pod(pod);
  EXPECT_THAT(text, HasSubstr("the configMap missing does not exist"));
  EXPECT_THAT(text, HasSubstr("kubectl create configmap missing --from-literal=KEY=VALUE"));
  EXPECT_THAT(text, HasSubstr("the secret gone does not exist"));
  EXPECT_THAT(text, HasSubstr("the configMap there has no key z"));
  EXPECT_THAT(text, Not(HasSubstr("maybe")));
}

TEST_F(WhyTest, NodesRefuseEachForItsReason) {
  auto pod =
      add("pods",
          "{metadata: {namespace: default, name: p, ownerReferences: [{kind: StatefulSet, name: s, uid: x, controller: "
          "true}]}, spec: {containers: []}, status: {phase: Pending, conditions: [{type: PodScheduled, status: "
          "'False', reason: Unschedulable, message: \"0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't "
          "match pod anti-affinity rules. preemption: 0/3 nodes are available: 3 No preemption victims\"}]}}");
  std::string text = why_pod(pod);
  EXPECT_THAT(text, HasSubstr("├─ 1 Insufficient cpu\n"));
  EXPECT_THAT(text, HasSubstr("└─ 2 node(s) didn't match pod anti-affinity rules\n"));
  EXPECT_THAT(text, HasSubstr("kubectl edit statefulset/s   # ask for less in resources.requests"));
  EXPECT_THAT(text, HasSubstr("preferredDuringScheduling"));
}

constexpr std::string_view kClaim =
    "{metadata: {namespace: default, name: d, uid: cl}, spec: {accessModes: [ReadWriteOnce], resources: {requests: "
    "{storage: "
    "2Gi}}, CLASS}, status: {phase: Pending}}";

std::string claim(std::string_view class_field) {
  std::string text(kClaim);
  return text.replace(text.find("CLASS"), 5, class_field);
}

TEST_F(WhyTest, ClaimsTellWhyNoVolumeIsTheirs) {
  auto none = add("persistentvolumeclaims", claim("volumeMode: Filesystem"));
  EXPECT_THAT(why("persistentvolumeclaims", none), HasSubstr("names no storage class, and none is the default"));
  add("storageclasses", "{metadata: {name: fast}, provisioner: outside.example/disk, volumeBindingMode: Immediate}");
  EXPECT_THAT(why("persistentvolumeclaims", none),
              HasSubstr("kubectl annotate storageclass fast storageclass.kubernetes.io/"));

  auto unknown = add("persistentvolumeclaims", claim("storageClassName: slow"));
  EXPECT_THAT(why("persistentvolumeclaims", unknown), HasSubstr("its storage class slow does not exist"));
  EXPECT_THAT(why("persistentvolumeclaims", unknown), HasSubstr("there are: fast"));

  auto outside = add("persistentvolumeclaims", claim("storageClassName: fast"));
  EXPECT_THAT(why("persistentvolumeclaims", outside), HasSubstr("it waits for the provisioner outside.example/disk"));
  add_warning("cl", "ProvisioningFailed", "disk full");
  EXPECT_THAT(why("persistentvolumeclaims", outside),
              HasSubstr("the provisioner outside.example/disk failed: disk full"));

  add("storageclasses",
      "{metadata: {name: late}, provisioner: stead.dev/local, volumeBindingMode: WaitForFirstConsumer}");
  view_.lists["events"].clear();
  auto late = add("persistentvolumeclaims", claim("storageClassName: late"));
  EXPECT_THAT(why("persistentvolumeclaims", late), HasSubstr("its class late waits for a pod that uses the claim"));
}

TEST_F(WhyTest, VolumesTellWhyTheyDoNotFit) {
  auto by_hand = add("persistentvolumeclaims", claim("storageClassName: \"\""));
  add("persistentvolumes",
      "{metadata: {name: small}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce]}, status: "
      "{phase: Available}}");
  add("persistentvolumes",
      "{metadata: {name: shared}, spec: {capacity: {storage: 5Gi}, accessModes: [ReadOnlyMany]}, status: "
      "{phase: Available}}");
  add("persistentvolumes",
      "{metadata: {name: taken}, spec: {capacity: {storage: 5Gi}, accessModes: [ReadWriteOnce], claimRef: "
      "{namespace: a, name: b}}, status: {phase: Bound}}");
  std::string text = why("persistentvolumeclaims", by_hand);
  EXPECT_THAT(text, HasSubstr("volume small is too small: 1Gi"));
  EXPECT_THAT(text, HasSubstr("volume shared lacks ReadWriteOnce"));
  EXPECT_THAT(text, HasSubstr("volume taken is for the claim a/b"));
  EXPECT_THAT(text, HasSubstr("a PersistentVolume of no class with at least 2Gi"));
}

constexpr std::string_view kSet =
    "{metadata: {namespace: default, name: web, uid: set}, spec: {replicas: 3, serviceName: web}, status: {replicas: "
    "1}}";
constexpr std::string_view kOwned =
    "uid: p0, ownerReferences: [{kind: StatefulSet, name: web, uid: set, controller: true}]";

TEST_F(WhyTest, SetsWaitForTheFirstInLine) {
  add_node();
  auto set = add("statefulsets", kSet);
  add("services", "{metadata: {namespace: default, name: web}, spec: {}}");
  add_pod("web-0", "readinessProbe: {}", "ready: false, state: {running: {}}", "volumes: []", std::string(kOwned));
  add_warning("p0", "Unhealthy", "Readiness probe failed: 503");
  std::string text = why("statefulsets", set);
  EXPECT_THAT(text, HasSubstr("statefulset default/web: 0 of 3 pods are Ready\n└─ pod default/web-0 is not Ready"));
  EXPECT_THAT(text, HasSubstr("web-1 and those behind it wait for it"));
  EXPECT_THAT(text, HasSubstr("Readiness probe failed: 503"));
}

TEST_F(WhyTest, PodsThatAreNotThereYetWaitForTheOnesBeforeThem) {
  add_node();
  add("statefulsets", kSet);
  add_pod("web-0", "readinessProbe: {}", "ready: false, state: {running: {}}", "volumes: []", std::string(kOwned));
  auto absent = explain_absent_pod(view_, "default", "web-2");
  ASSERT_TRUE(absent);
  EXPECT_THAT(screen_text(*absent), HasSubstr("pod default/web-2 does not exist yet"));
  EXPECT_THAT(screen_text(*absent), HasSubstr("pod default/web-0 is not Ready"));
  for (const char* nobodys : {"web-3", "web-", "web", "web-x", "other-0", "web-99999999999999999999"}) {
    EXPECT_FALSE(explain_absent_pod(view_, "default", nobodys)) << nobodys;
  }
}

TEST_F(WhyTest, SetsTellOfQuotaAndMissingService) {
  auto set = add("statefulsets", kSet);
  add_warning("set", "FailedCreate", "create Pod web-0 failed: exceeded quota: small");
  std::string text = why("statefulsets", set);
  EXPECT_THAT(text, HasSubstr("its pods cannot be made: create Pod web-0 failed: exceeded quota: small"));
  EXPECT_THAT(text, HasSubstr("kubectl edit resourcequota"));
  EXPECT_THAT(text, HasSubstr("its service web does not exist"));
}

TEST_F(WhyTest, ServicesAndIngressesLeadToTheirPods) {
  add_node();
  auto service =
      add("services", "{metadata: {namespace: default, name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}");
  EXPECT_THAT(why("services", service), HasSubstr("no pod has the labels app=web"));
  add_pod("p", "image: gone", "state: {waiting: {reason: ErrImagePull, message: m}}", "volumes: []",
          "uid: u, labels: {app: web}");
  EXPECT_THAT(why("services", service), HasSubstr("the image gone cannot be had"));
  auto ingress =
      add("ingresses",
          "{metadata: {namespace: default, name: i}, spec: {ingressClassName: stead, rules: [{http: {paths: [{backend: "
          "{service: {name: web, port: {number: 80}}}}, {backend: {service: {name: none, port: {number: 80}}}}]}}]}}");
  std::string text = why("ingresses", ingress);
  EXPECT_THAT(text, HasSubstr("its ingress class stead does not exist"));
  EXPECT_THAT(text, HasSubstr("the image gone cannot be had"));
  EXPECT_THAT(text, HasSubstr("its service none does not exist"));
}

TEST_F(WhyTest, TheScreenIsBounded) {
  Cause cause{"top\nwith a second line", {}, {}};
  for (int i = 0; i < 100; ++i) cause.causes.push_back({std::string(1000, 'x'), "mend " + std::to_string(i), {}});
  std::string text = screen_text(cause);
  EXPECT_THAT(text, HasSubstr("top with a second line\n"));
  EXPECT_THAT(text, HasSubstr("and 95 more like these"));
  EXPECT_LT(text.size(), 5000u);
}

}  // namespace
}  // namespace stead::cli::why
