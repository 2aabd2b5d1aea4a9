#include "cache/persistent_map.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/random.h"

namespace stead::cache {
namespace {

using Map = PersistentMap<int>;
using Plain = std::map<std::string, int, std::less<>>;

Plain contents(const Map& map) {
  Plain found;
  std::string last;
  map.visit_from("", [&](const std::string& key, int value) {
    EXPECT_TRUE(found.empty() || last < key) << "out of order";
    last = key;
    found[key] = value;
    return true;
  });
  EXPECT_EQ(found.size(), map.size());
  return found;
}

std::string any_key(Random& random) {
  return "ns" + std::to_string(random.below(4)) + "/" + std::to_string(random.below(60));
}

TEST(PersistentMap, MatchesAPlainMapAndOldVersionsStay) {
  auto random = seeded_random(7);
  Map map;
  Plain plain;
  std::vector<std::pair<Map, Plain>> versions;
  for (int step = 0; step < 5000; ++step) {
    std::string key = any_key(*random);
    if (random->below(5) < 3) {
      int value = static_cast<int>(random->below(1000));
      map = map.insert(key, value);
      plain[key] = value;
    } else {
      map = map.erase(key);
      plain.erase(key);
    }
    const int* found = map.find(key);
    ASSERT_EQ(found != nullptr, plain.contains(key));
    ASSERT_EQ(map.size(), plain.size());
    if (step % 100 == 0) versions.emplace_back(map, plain);
  }
  for (const auto& [version, expected] : versions) ASSERT_EQ(contents(version), expected);
}

TEST(PersistentMap, EqualContentsHaveEqualShapes) {
  auto random = seeded_random(8);
  for (int round = 0; round < 200; ++round) {
    Map map;
    Plain plain;
    for (uint64_t step = random->below(200); step > 0; --step) {
      std::string key = any_key(*random);
      bool erases = random->below(3) == 0;
      map = erases ? map.erase(key) : map.insert(key, 1);
      erases ? (void)plain.erase(key) : (void)(plain[key] = 1);
    }
    ASSERT_TRUE(Map::from_sorted({plain.begin(), plain.end()}) == map);
  }
}

TEST(PersistentMap, ErasingWhatIsAbsentSharesEverything) {
  Map map = Map().insert("a", 1).insert("c", 2);
  EXPECT_TRUE(map.erase("b") == map);
  EXPECT_EQ(map.erase("a").erase("c").size(), 0u);
}

TEST(PersistentMap, VisitsFromAKeyAndByPrefix) {
  Map map;
  for (const char* key : {"a/1", "b/1", "b/2", "b0", "c/1"}) map = map.insert(key, 1);
  std::vector<std::string> seen;
  auto note = [&](const std::string& key, int) { return seen.push_back(key), true; };
  map.visit_prefix("b/", note);
  EXPECT_EQ(seen, (std::vector<std::string>{"b/1", "b/2"}));
  seen.clear();
  map.visit_from("b/2", note);
  EXPECT_EQ(seen, (std::vector<std::string>{"b/2", "b0", "c/1"}));
  seen.clear();
  map.visit_from("", [&](const std::string& key, int) { return seen.push_back(key), seen.size() < 2; });
  EXPECT_EQ(seen.size(), 2u);
}

}  // namespace
}  // namespace stead::cache
