// Binding, protection and the local provisioner together, on an API of a few lines.

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "client/fake_api.h"
#include "controllers/requests.h"
#include "controllers/volumes/binding_controller.h"
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
  void remove(const std::string& volume, const std::string&, std::function<void(Result<void>)> done) override {
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
        provisioner(api, loop, events, informers, directories) {
    api.put(kNodes, Value::object({{"metadata", Value::object({{"name", "node1"}})}}));
  }
  void start() {
    informers.start();
    binding.start();
    protection.start();
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
