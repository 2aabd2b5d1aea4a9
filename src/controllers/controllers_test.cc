// All controllers at once, with a node and a scheduler of a few lines: a set with claims comes up, and goes.

#include "controllers/controllers.h"

#include <gtest/gtest.h>

#include "client/fake_api.h"
#include "controllers/requests.h"
#include "loop/simulated_loop.h"

namespace stead::controllers {
namespace {

using namespace std::chrono_literals;

struct Directories final : VolumeDirectories {
  explicit Directories(loop::Loop& the_loop) : loop(the_loop) {}
  void create(const std::string& volume, const std::string&, std::function<void(Result<std::string>)> done) override {
    ++count;
    loop.post([done, volume] { done("/v/" + volume); });
  }
  void remove(const std::string&, const std::string&, const std::string&,
              std::function<void(Result<void>)> done) override {
    --count;
    loop.post([done] { done({}); });
  }
  loop::Loop& loop;
  int count = 0;
};

TEST(Controllers, ASetComesUpAndGoes) {
  loop::Simulation simulation(11);
  loop::Loop& loop = simulation.make_loop();
  client::FakeApi api(loop);
  client::InformerSet informers(api, loop);
  Directories directories(loop);
  Controllers controllers(api, loop, informers, directories,
                          {{{kPods, "Pod", true},
                            {kClaims, "PersistentVolumeClaim", true},
                            {kStatefulSets, "StatefulSet", true},
                            {kRevisions, "ControllerRevision", true}},
                           "CA"});
  informers.start();
  controllers.start();
  api.put(kNodes, Value::object({{"metadata", Value::object({{"name", "node1"}})}}));
  Value labels = Value::object({{"app", "web"}});
  Value claim = Value::object(
      {{"metadata", Value::object({{"name", "data"}})},
       {"spec", Value::object({{"accessModes", Value::array({"ReadWriteOnce"})},
                               {"resources", Value::object({{"requests", Value::object({{"storage", "1Gi"}})}})}})}});
  api.put(kStatefulSets,
          Value::object(
              {{"apiVersion", "apps/v1"},
               {"kind", "StatefulSet"},
               {"metadata", Value::object({{"name", "web"}, {"namespace", "default"}})},
               {"spec", Value::object({{"replicas", 3},
                                       {"selector", Value::object({{"matchLabels", labels}})},
                                       {"template", Value::object({{"metadata", Value::object({{"labels", labels}})},
                                                                   {"spec", Value::object()}})},
                                       {"volumeClaimTemplates", Value::array({claim})}})}}));
  auto run_nodes = [&] {
    simulation.run_for(1ms);
    for (const ObjectPtr& pod : api.list(kPods)) {
      std::string key = client::object_key(*pod);
      if (pod->deleting()) {
        api.remove(kPods, key);
      } else if (pod->status().at("phase").as_string() == "Pending") {
        api.change(kPods, key, [](Value& document) {
          document.set({"spec", "nodeName"}, "node1");
          document.set({"status", "phase"}, "Running");
          document.set({"status", "conditions"},
                       Value::array({Value::object({{"type", "Ready"}, {"status", "True"}})}));
        });
      }
    }
    simulation.run_for(1ms);
  };
  for (int i = 0; i < 4; ++i) run_nodes();
  EXPECT_EQ(api.get(kStatefulSets, "default/web")->status().at("readyReplicas").as_int(), 3);
  ASSERT_EQ(api.list(kClaims).size(), 3U);
  for (const ObjectPtr& bound : api.list(kClaims)) EXPECT_EQ(bound->status().at("phase").as_string(), "Bound");
  EXPECT_EQ(directories.count, 3);

  api.call(delete_request(kStatefulSets, *api.get(kStatefulSets, "default/web")), [](auto) {});
  for (int i = 0; i < 4; ++i) run_nodes();
  EXPECT_TRUE(api.list(kPods).empty());
  EXPECT_TRUE(api.list(kRevisions).empty());
  EXPECT_EQ(api.list(kClaims).size(), 3U) << "nothing says that claims go with their set";
}

}  // namespace
}  // namespace stead::controllers
