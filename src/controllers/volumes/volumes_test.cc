// Binding, protection and the local provisioner together, on an API of a few lines.

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "client/fake_api.h"
#include "controllers/requests.h"
#include "controllers/volumes/binding_controller.h"
#include "controllers/volumes/ephemeral_controller.h"
#include "controllers/volumes/local_provisioner.h"
#include "controllers/volumes/local_provisioner_policy.h"
#include "controllers/volumes/names.h"
#include "controllers/volumes/protection_controller.h"
#include "loop/simulated_loop.h"

namespace stead::controllers {
namespace {

using namespace std::chrono_literals;

class FakeDirectories final : public VolumeDirectories {
 public:
  explicit FakeDirectories(loop::Loop& loop) : loop_(loop) {}
  void create(const std::string& volume, const std::string& node,
              std::function<void(Result<std::string>)> done) override {
    directories[volume] = node;
    loop_.post([done, volume] { done("/volumes/" + volume); });
  }
  void remove(const std::string& volume, const std::string&, const std::string&,
              std::function<void(Result<void>)> done) override {
    directories.erase(volume);
    loop_.post([done] { done({}); });
  }
  std::map<std::string, std::string> directories;

 private:
  loop::Loop& loop_;
};

Value claim(const std::string& name, const std::string& size = "1Gi") {
  return Value::object(
      {{"apiVersion", "v1"},
       {"kind", "PersistentVolumeClaim"},
       {"metadata", Value::object({{"name", name}, {"namespace", "default"}})},
       {"spec", Value::object({{"accessModes", Value::array({"ReadWriteOnce"})},
                               {"resources", Value::object({{"requests", Value::object({{"storage", size}})}})}})}});
}

Value volume(const std::string& name, const std::string& size, const std::string& storage_class = "") {
  Value document = Value::object({{"apiVersion", "v1"},
                                  {"kind", "PersistentVolume"},
                                  {"metadata", Value::object({{"name", name}})},
                                  {"spec", Value::object({{"accessModes", Value::array({"ReadWriteOnce"})},
                                                          {"persistentVolumeReclaimPolicy", "Retain"},
                                                          {"capacity", Value::object({{"storage", size}})}})}});
  if (!storage_class.empty()) document.set({"spec", "storageClassName"}, storage_class);
  return document;
}

class VolumesTest : public testing::Test {
 protected:
  VolumesTest()
      : simulation(3),
        loop(simulation.make_loop()),
        api(loop),
        directories(loop),
        events(api, loop, "volumes"),
        informers(api, loop),
        binding(api, loop, events, informers),
        protection(api, loop, events, informers),
        ephemeral(api, loop, events, informers),
        provisioner(api, loop, events, informers, directories) {
    api.put(kNodes, Value::object({{"metadata", Value::object({{"name", "node1"}})}}));
  }
  void start() {
    informers.start();
    binding.start();
    protection.start();
    ephemeral.start();
    provisioner.start();
    settle();
  }
  void settle() { simulation.run_for(100us); }
  void add(const client::ResourceRef& resource, Value document) {
    api.put(resource, std::move(document));
    settle();
  }
  void remove(const client::ResourceRef& resource, const std::string& key) {
    api.call(delete_request(resource, *api.get(resource, key)), [](auto) {});
    settle();
  }
  std::string phase(const client::ResourceRef& resource, const std::string& key) const {
    ObjectPtr found = api.get(resource, key);
    return found ? std::string(found->status().at("phase").as_string()) : "gone";
  }
  ObjectPtr get_claim(const std::string& name) const { return api.get(kClaims, "default/" + name); }
  std::string volume_of(const std::string& name) const {
    return std::string(get_claim(name)->spec().at("volumeName").as_string());
  }
  std::set<std::string> event_texts() const {
    std::set<std::string> all;
    for (const ObjectPtr& event : api.list({"", "events"})) {
      all.insert(std::string(event->document().at("reason").as_string()) + ": " +
                 std::string(event->document().at("message").as_string()));
    }
    return all;
  }

  loop::Simulation simulation;
  loop::Loop& loop;
  client::FakeApi api;
  FakeDirectories directories;
  client::EventRecorder events;
  client::InformerSet informers;
  VolumeBindingController binding;
  ProtectionController protection;
  EphemeralController ephemeral;
  LocalProvisioner provisioner;
};

TEST_F(VolumesTest, AClassThatIsDefaultServesAClaimWithoutOne) {
  start();
  add(kClaims, claim("data"));
  ASSERT_EQ(phase(kClaims, "default/data"), "Bound");
  std::string name = volume_of("data");
  EXPECT_EQ(name, "pvc-" + std::string(get_claim("data")->uid()));
  EXPECT_EQ(directories.directories[name], "node1");
  ObjectPtr made = api.get(kVolumes, name);
  EXPECT_EQ(made->status().at("phase").as_string(), "Bound");
  EXPECT_EQ(made->spec().at("storageClassName").as_string(), "standard");
  EXPECT_EQ(made->spec().at("persistentVolumeReclaimPolicy").as_string(), "Delete");
  EXPECT_EQ(get_claim("data")->status().at({"capacity", "storage"}).as_string(), "1Gi");
  EXPECT_TRUE(event_texts().contains("ProvisioningSucceeded: Successfully provisioned volume " + name));
}

TEST_F(VolumesTest, ADeletedClaimTakesItsDirectoryWithIt) {
  start();
  add(kClaims, claim("data"));
  std::string name = volume_of("data");
  remove(kClaims, "default/data");
  EXPECT_EQ(phase(kClaims, "default/data"), "gone");
  EXPECT_EQ(phase(kVolumes, name), "gone");
  EXPECT_TRUE(directories.directories.empty());
}

TEST_F(VolumesTest, RetainedVolumesStayReleased) {
  start();
  add(kClaims, claim("data"));
  std::string name = volume_of("data");
  api.change(kVolumes, name, [](Value& pv) { pv.set({"spec", "persistentVolumeReclaimPolicy"}, "Retain"); });
  remove(kClaims, "default/data");
  EXPECT_EQ(phase(kVolumes, name), "Released");
  EXPECT_TRUE(directories.directories.contains(name));
  add(kClaims, claim("data"));
  EXPECT_NE(volume_of("data"), name) << "another claim of that name must not get the data";
}

TEST_F(VolumesTest, AClaimInUseIsNotRemoved) {
  start();
  add(kClaims, claim("data"));
  Value pod = Value::object({{"metadata", Value::object({{"name", "p"}, {"namespace", "default"}})}});
  pod.set({"spec", "nodeName"}, "node1");
  pod["spec"]["volumes"].append(
      Value::object({{"name", "v"}, {"persistentVolumeClaim", Value::object({{"claimName", "data"}})}}));
  add(kPods, pod);
  remove(kClaims, "default/data");
  EXPECT_EQ(phase(kClaims, "default/data"), "Bound");
  api.remove(kPods, "default/p");
  settle();
  EXPECT_EQ(phase(kClaims, "default/data"), "gone");
}

TEST_F(VolumesTest, TheSmallestFittingVolumeIsTaken) {
  start();
  add(kVolumes, volume("big", "10Gi"));
  add(kVolumes, volume("small", "512Mi"));
  add(kVolumes, volume("right", "2Gi"));
  add(kVolumes, volume("other-class", "1Gi", "fast"));
  EXPECT_EQ(phase(kVolumes, "right"), "Available");
  Value document = claim("data");
  document.set({"spec", "storageClassName"}, "");
  add(kClaims, document);
  EXPECT_EQ(volume_of("data"), "right");
  EXPECT_EQ(phase(kVolumes, "right"), "Bound");
  EXPECT_EQ(phase(kVolumes, "big"), "Available");
}

TEST_F(VolumesTest, AVolumeReservedForAClaimGoesToNoOther) {
  start();
  Value reserved = volume("reserved", "1Gi");
  reserved.set({"spec", "claimRef"}, Value::object({{"namespace", "default"}, {"name", "wanted"}}));
  add(kVolumes, reserved);
  Value other = claim("other");
  other.set({"spec", "storageClassName"}, "");
  add(kClaims, other);
  EXPECT_EQ(phase(kClaims, "default/other"), "Pending");
  EXPECT_TRUE(event_texts().contains(
      "FailedBinding: no persistent volumes available for this claim and no storage class is set"));
  Value wanted = claim("wanted");
  wanted.set({"spec", "storageClassName"}, "");
  add(kClaims, wanted);
  EXPECT_EQ(volume_of("wanted"), "reserved");
}

TEST_F(VolumesTest, AClaimCanNameItsVolume) {
  start();
  Value document = claim("data");
  document.set({"spec", "storageClassName"}, "");
  document.set({"spec", "volumeName"}, "mine");
  add(kClaims, document);
  EXPECT_EQ(phase(kClaims, "default/data"), "Pending");
  add(kVolumes, volume("mine", "1Gi"));
  EXPECT_EQ(phase(kClaims, "default/data"), "Bound");
}

TEST_F(VolumesTest, AClaimWhoseVolumeVanishesIsLost) {
  start();
  add(kClaims, claim("data"));
  api.remove(kVolumes, volume_of("data"));
  settle();
  EXPECT_EQ(phase(kClaims, "default/data"), "Lost");
}

TEST_F(VolumesTest, ADelayedClaimWaitsForItsNode) {
  start();
  add(kStorageClasses, Value::object({{"metadata", Value::object({{"name", "late"}})},
                                      {"provisioner", "stead.dev/local"},
                                      {"reclaimPolicy", "Delete"},
                                      {"volumeBindingMode", "WaitForFirstConsumer"}}));
  Value document = claim("data");
  document.set({"spec", "storageClassName"}, "late");
  add(kClaims, document);
  EXPECT_EQ(phase(kClaims, "default/data"), "Pending");
  EXPECT_TRUE(event_texts().contains("WaitForFirstConsumer: waiting for first consumer to be created before binding"));
  api.change(kClaims, "default/data",
             [](Value& pvc) { pvc["metadata"]["annotations"].set(volumes::kSelectedNode, "node1"); });
  settle();
  EXPECT_EQ(phase(kClaims, "default/data"), "Bound");
}

TEST_F(VolumesTest, AForeignProvisionerIsAsked) {
  start();
  add(kStorageClasses,
      Value::object({{"metadata", Value::object({{"name", "nfs"}})}, {"provisioner", "example.com/nfs"}}));
  Value document = claim("data");
  document.set({"spec", "storageClassName"}, "nfs");
  add(kClaims, document);
  EXPECT_EQ(get_claim("data")->metadata().at({"annotations", volumes::kStorageProvisioner}).as_string(),
            "example.com/nfs");
  EXPECT_TRUE(directories.directories.empty());
}

// A claim without a class, on purpose.
Value classless(const std::string& name, const std::string& size = "1Gi") {
  Value document = claim(name, size);
  document.set({"spec", "storageClassName"}, "");
  return document;
}

Value with_modes(Value document, Value modes) {
  document["spec"].set("accessModes", std::move(modes));
  return document;
}

TEST_F(VolumesTest, TheClosestAccessModeCountsBeforeTheSize) {
  start();
  Value both = Value::array({"ReadWriteOnce", "ReadOnlyMany"});
  add(kVolumes,
      with_modes(volume("many-small", "1Gi"), Value::array({"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"})));
  add(kVolumes, with_modes(volume("once-big", "8Gi"), Value::array({"ReadWriteOnce"})));
  add(kVolumes, with_modes(volume("both", "2Gi"), both));
  add(kClaims, classless("data"));
  EXPECT_EQ(volume_of("data"), "once-big");
  add(kClaims, classless("next"));
  EXPECT_EQ(volume_of("next"), "both");
  add(kClaims, with_modes(classless("shared"), Value::array({"ReadWriteMany"})));
  EXPECT_EQ(volume_of("shared"), "many-small");
}

TEST_F(VolumesTest, AReservationDoesNotReplaceSizeOrModes) {
  start();
  auto reserve = [](Value document) {
    document.set({"spec", "claimRef"}, Value::object({{"namespace", "default"}, {"name", "data"}}));
    return document;
  };
  add(kVolumes, reserve(volume("too-small", "512Mi")));
  add(kVolumes, reserve(with_modes(volume("other-mode", "1Gi"), Value::array({"ReadOnlyMany"}))));
  add(kVolumes, volume("free", "4Gi"));
  add(kClaims, classless("data"));
  EXPECT_EQ(volume_of("data"), "free");
  EXPECT_EQ(phase(kVolumes, "too-small"), "Available");
}

TEST_F(VolumesTest, ASelectorNarrowsTheChoice) {
  start();
  for (const char* disk : {"ssd", "hdd"}) {
    Value labelled = volume(disk, std::string(disk) == "hdd" ? "1Gi" : "3Gi");
    labelled.set({"metadata", "labels"}, Value::object({{"disk", disk}}));
    add(kVolumes, labelled);
  }
  Value picky = classless("data");
  picky.set({"spec", "selector"}, Value::object({{"matchLabels", Value::object({{"disk", "ssd"}})}}));
  add(kClaims, picky);
  EXPECT_EQ(volume_of("data"), "ssd");
  Value impossible = classless("never");
  impossible.set({"spec", "selector"}, Value::object({{"matchLabels", Value::object({{"disk", "tape"}})}}));
  add(kClaims, impossible);
  EXPECT_EQ(phase(kClaims, "default/never"), "Pending");
  // Labels may come later.
  api.change(kVolumes, "hdd", [](Value& pv) { pv.set({"metadata", "labels", "disk"}, "tape"); });
  settle();
  EXPECT_EQ(volume_of("never"), "hdd");
}

TEST_F(VolumesTest, TheOldAnnotationNamesTheClass) {
  start();
  add(kVolumes, volume("fast", "1Gi", "fast"));
  Value old = claim("data");
  old.set({"metadata", "annotations"}, Value::object({{"volume.beta.kubernetes.io/storage-class", "fast"}}));
  add(kClaims, old);
  EXPECT_EQ(volume_of("data"), "fast");
  Value none = claim("none");
  none.set({"metadata", "annotations"}, Value::object({{"volume.beta.kubernetes.io/storage-class", ""}}));
  add(kClaims, none);
  EXPECT_EQ(phase(kClaims, "default/none"), "Pending") << "no class on purpose: the default class is not taken";
}

TEST_F(VolumesTest, AVolumeNamedFromBothSidesIsBoundUnseen) {
  start();
  Value reserved = volume("mine", "512Mi", "other");
  reserved.set({"spec", "claimRef"}, Value::object({{"namespace", "default"}, {"name", "data"}}));
  add(kVolumes, reserved);
  Value named = classless("data");
  named.set({"spec", "volumeName"}, "mine");
  add(kClaims, named);
  EXPECT_EQ(phase(kClaims, "default/data"), "Bound");
}

TEST_F(VolumesTest, ANamedVolumeThatDoesNotFitIsTold) {
  start();
  add(kVolumes, volume("small", "512Mi"));
  add(kVolumes, volume("classy", "2Gi", "fast"));
  for (const char* name : {"small", "classy"}) {
    Value named = classless(std::string("of-") + name);
    named.set({"spec", "volumeName"}, name);
    add(kClaims, named);
  }
  EXPECT_TRUE(
      event_texts().contains("VolumeMismatch: Cannot bind to requested volume \"small\": requested PV is too small"));
  EXPECT_TRUE(event_texts().contains(
      "VolumeMismatch: Cannot bind to requested volume \"classy\": storageClassName does not match"));
  Value second = classless("second");
  second.set({"spec", "volumeName"}, "taken");
  Value taken = volume("taken", "1Gi");
  taken.set({"spec", "claimRef"}, Value::object({{"namespace", "elsewhere"}, {"name", "second"}}));
  add(kVolumes, taken);
  add(kClaims, second);
  EXPECT_TRUE(event_texts().contains("FailedBinding: volume \"taken\" already bound to a different claim."));
  EXPECT_EQ(phase(kClaims, "default/second"), "Pending") << "a claim of another namespace has it";
}

TEST_F(VolumesTest, ClaimsAndVolumesOfDifferentModeAreTold) {
  start();
  Value block = volume("device", "1Gi");
  block.set({"spec", "volumeMode"}, "Block");
  block.set({"spec", "claimRef"}, Value::object({{"namespace", "default"}, {"name", "data"}, {"uid", "u1"}}));
  Value wanted = classless("data");
  wanted.set({"metadata", "uid"}, "u1");
  add(kClaims, wanted);
  add(kVolumes, block);
  EXPECT_EQ(phase(kClaims, "default/data"), "Pending");
  EXPECT_TRUE(event_texts().contains(
      "VolumeMismatch: Cannot bind PersistentVolume \"device\" to requested PersistentVolumeClaim due to incompatible "
      "volumeMode."));
}

TEST_F(VolumesTest, ManyClaimsAtOnceShareThePool) {
  // As the API server stores them, so that no protection controller touches them once more.
  auto stored = [](Value document, std::string_view finalizer) {
    document.set({"metadata", "finalizers"}, Value::array({finalizer}));
    document.set({"status", "phase"}, document.at("kind").as_string() == "PersistentVolume" ? "Available" : "Pending");
    return document;
  };
  api.put(kStorageClasses, volumes::standard_storage_class());
  for (int i = 0; i < 30; ++i) {
    api.put(kVolumes, stored(volume("pool-" + std::to_string(i), "1Gi"), volumes::kVolumeProtection));
    api.put(kClaims, stored(classless("c" + std::to_string(i)), volumes::kClaimProtection));
  }
  start();
  simulation.run_for(100ms);
  std::set<std::string> used;
  for (int i = 0; i < 30; ++i) used.insert(volume_of("c" + std::to_string(i)));
  EXPECT_EQ(used.size(), 30u) << "each has one, none is passed over";
  EXPECT_FALSE(used.contains(""));
}

TEST_F(VolumesTest, WhatNobodyCanReclaimFails) {
  start();
  for (const char* policy : {"Recycle", "Delete"}) {
    Value made = volume(policy, "1Gi");
    made.set({"spec", "persistentVolumeReclaimPolicy"}, policy);
    add(kVolumes, made);
    Value named = classless("data");
    named.set({"spec", "volumeName"}, policy);
    add(kClaims, named);
    EXPECT_EQ(phase(kVolumes, policy), "Bound");
    remove(kClaims, "default/data");
    EXPECT_EQ(phase(kVolumes, policy), "Failed");
  }
  EXPECT_TRUE(
      event_texts().contains("VolumeFailedDelete: error getting deleter volume plugin for volume \"Delete\": no "
                             "deletable volume plugin matched"));
  EXPECT_TRUE(
      event_texts().contains("VolumeFailedRecycle: No recycler plugin found for the volume! The Recycle policy is "
                             "deprecated: use Delete with a "
                             "dynamic provisioner, or Retain"));
}

TEST_F(VolumesTest, AReleasedVolumeIsFreeOnceItsClaimRefIsTakenOff) {
  start();
  add(kVolumes, volume("pool", "1Gi"));
  add(kClaims, classless("first"));
  remove(kClaims, "default/first");
  EXPECT_EQ(phase(kVolumes, "pool"), "Released");
  add(kClaims, classless("second"));
  EXPECT_EQ(phase(kClaims, "default/second"), "Pending");
  api.change(kVolumes, "pool", [](Value& pv) { pv["spec"].erase("claimRef"); });
  settle();
  EXPECT_EQ(volume_of("second"), "pool");
}

TEST_F(VolumesTest, ClassesThatNobodyServesAreTold) {
  start();
  auto storage_class = [](const char* name, const char* provisioner) {
    return Value::object({{"metadata", Value::object({{"name", name}})}, {"provisioner", provisioner}});
  };
  add(kStorageClasses, storage_class("by-hand", "kubernetes.io/no-provisioner"));
  add(kStorageClasses, storage_class("gp2", "kubernetes.io/aws-ebs"));
  for (const char* name : {"by-hand", "gp2", "nowhere"}) {
    Value document = claim(name);
    document.set({"spec", "storageClassName"}, name);
    add(kClaims, document);
    EXPECT_EQ(phase(kClaims, std::string("default/") + name), "Pending");
  }
  std::set<std::string> texts = event_texts();
  EXPECT_TRUE(texts.contains("ProvisioningFailed: no volume plugin matched name: kubernetes.io/no-provisioner"));
  EXPECT_TRUE(texts.contains("ProvisioningFailed: storageclass.storage.k8s.io \"nowhere\" not found"));
  EXPECT_EQ(get_claim("gp2")->metadata().at({"annotations", volumes::kStorageProvisionerBeta}).as_string(),
            "ebs.csi.aws.com");
}

TEST_F(VolumesTest, AClaimWithoutClassGetsTheOneThatBecomesDefaultLater) {
  api.put(kStorageClasses, Value::object({{"metadata", Value::object({{"name", "standard"}})},
                                          {"provisioner", "stead.dev/local"},
                                          {"volumeBindingMode", "Immediate"}}));
  start();
  add(kClaims, claim("data"));
  add(kClaims, classless("none"));
  EXPECT_EQ(phase(kClaims, "default/data"), "Pending");
  api.change(kStorageClasses, "standard",
             [](Value& one) { one["metadata"]["annotations"].set(volumes::kDefaultClassBeta, "true"); });
  settle();
  EXPECT_EQ(get_claim("data")->spec().at("storageClassName").as_string(), "standard");
  EXPECT_EQ(phase(kClaims, "default/data"), "Bound");
  EXPECT_EQ(phase(kClaims, "default/none"), "Pending");
}

Value pod_with_own_volume() {
  Value wanted = claim("ignored");
  wanted["metadata"] = Value::object({{"labels", Value::object({{"of", "scratch"}})}});
  Value source = Value::object({{"volumeClaimTemplate", std::move(wanted)}});
  Value volumes = Value::array({Value::object({{"name", "scratch"}, {"ephemeral", std::move(source)}})});
  return Value::object({{"apiVersion", "v1"},
                        {"kind", "Pod"},
                        {"metadata", Value::object({{"name", "web-0"}, {"namespace", "default"}})},
                        {"spec", Value::object({{"volumes", std::move(volumes)}})}});
}

TEST_F(VolumesTest, APodsOwnVolumeGetsAClaimThatItOwns) {
  start();
  add(kPods, pod_with_own_volume());
  ObjectPtr made = get_claim("web-0-scratch");
  ASSERT_NE(made, nullptr);
  const Value& owner = made->metadata().at("ownerReferences").items()[0];
  EXPECT_EQ(owner.at("kind").as_string(), "Pod");
  EXPECT_EQ(owner.at("uid").as_string(), api.get(kPods, "default/web-0")->uid());
  EXPECT_TRUE(owner.at("controller").as_bool());
  EXPECT_EQ(made->metadata().at({"labels", "of"}).as_string(), "scratch");
  EXPECT_EQ(made->spec().at({"resources", "requests", "storage"}).as_string(), "1Gi");
}

TEST_F(VolumesTest, AClaimOfThatNameThatIsNotThePodsIsLeftAlone) {
  start();
  add(kClaims, claim("web-0-scratch", "2Gi"));
  add(kPods, pod_with_own_volume());
  EXPECT_TRUE(
      event_texts().contains("FailedBinding: ephemeral volume scratch: PVC default/web-0-scratch was not created for "
                             "pod default/web-0 (pod is "
                             "not owner)"));
  EXPECT_EQ(get_claim("web-0-scratch")->spec().at({"resources", "requests", "storage"}).as_string(), "2Gi");
  // Out of the way, the pod gets its own.
  remove(kClaims, "default/web-0-scratch");
  ASSERT_NE(get_claim("web-0-scratch"), nullptr);
  EXPECT_EQ(get_claim("web-0-scratch")->spec().at({"resources", "requests", "storage"}).as_string(), "1Gi");
}

TEST_F(VolumesTest, ABoundClaimGrows) {
  start();
  add(kClaims, claim("data"));
  std::string name = volume_of("data");
  auto grow = [&](const char* size) {
    api.change(kClaims, "default/data", [size](Value& pvc) {
      pvc.set({"spec", "resources", "requests", "storage"}, size);
    });
    settle();
  };
  grow("2Gi");
  EXPECT_EQ(get_claim("data")->status().at({"capacity", "storage"}).as_string(), "2Gi");
  EXPECT_EQ(api.get(kVolumes, name)->spec().at({"capacity", "storage"}).as_string(), "2Gi");
  api.change(kVolumes, name,
             [](Value& pv) { pv["metadata"]["annotations"].set(volumes::kProvisionedBy, "example.com/nfs"); });
  grow("3Gi");
  EXPECT_EQ(get_claim("data")->status().at({"capacity", "storage"}).as_string(), "2Gi");
  EXPECT_TRUE(event_texts().contains("ExternalExpanding: waiting for an external controller to expand this PVC"));
}

ObjectPtr node(const std::string& name, const char* ready) {
  Value conditions = Value::array({Value::object({{"type", "Ready"}, {"status", ready}})});
  return object::make_object(Value::object({{"metadata", Value::object({{"name", name}})},
                                            {"status", Value::object({{"conditions", std::move(conditions)}})}}),
                             1);
}

TEST(ChooseVolumeNode, SpreadsPodsOfASetAndKeepsThePodsClaimsTogether) {
  std::vector<ObjectPtr> nodes = {node("a", "True"), node("b", "True"), node("c", "True"), node("lost", "Unknown")};
  std::set<std::string_view> used;
  for (const char* ordinal : {"10", "11", "12"}) {
    ObjectPtr chosen = volumes::choose_volume_node(std::string("data-web-") + ordinal, nodes);
    EXPECT_EQ(volumes::choose_volume_node(std::string("log-web-") + ordinal, nodes), chosen);
    used.insert(chosen->name());
  }
  EXPECT_EQ(used, (std::set<std::string_view>{"a", "b", "c"}));
  EXPECT_EQ(volumes::choose_volume_node("x", {nodes.back()}), nodes.back());
  EXPECT_EQ(volumes::choose_volume_node("x", {}), nullptr);
}

}  // namespace
}  // namespace stead::controllers
