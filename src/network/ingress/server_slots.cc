#include "network/ingress/server_slots.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <set>

namespace stead::network::ingress {
namespace {

constexpr size_t kPlacesMin = 4;

std::vector<std::optional<Server>> places_for(const std::vector<Server>& servers,
                                              std::vector<std::optional<Server>> places) {
  std::set<Server> missing(servers.begin(), servers.end());
  for (auto& place : places) {
    if (place && missing.erase(*place) == 0) place.reset();
  }
  if (places.size() < servers.size() || places.empty()) {
    places.resize(std::max(kPlacesMin, std::bit_ceil(servers.size())));
  }
  auto place = places.begin();
  for (const Server& server : missing) {
    while (*place) ++place;
    *place = server;
  }
  return places;
}

}  // namespace

Slots assign_slots(const Balancer& balancer, const Slots& before) {
  Slots slots;
  for (const auto& [name, servers] : balancer.backends) {
    auto known = before.find(name);
    slots[name] = places_for(servers, known == before.end() ? std::vector<std::optional<Server>>() : known->second);
  }
  return slots;
}

std::optional<std::vector<std::string>> slot_commands(const Slots& before, const Slots& after) {
  if (before.size() != after.size()) return std::nullopt;
  std::vector<std::string> filling;
  std::vector<std::string> emptying;
  for (const auto& [name, places] : after) {
    auto known = before.find(name);
    if (known == before.end() || known->second.size() != places.size()) return std::nullopt;
    for (size_t i = 0; i < places.size(); ++i) {
      if (places[i] == known->second[i]) continue;
      std::string place = fmt::format("set server {}/s{}", name, i);
      if (!places[i]) {
        emptying.push_back(place + " state maint");
        continue;
      }
      filling.push_back(fmt::format("{} addr {} port {}", place, places[i]->address, places[i]->port));
      if (!known->second[i]) filling.push_back(place + " state ready");
    }
  }
  filling.insert(filling.end(), emptying.begin(), emptying.end());
  return filling;
}

bool same_but_for_servers(const Balancer& a, const Balancer& b) {
  auto same_name = [](const auto& left, const auto& right) { return left.first == right.first; };
  return a.exact == b.exact && a.prefixes == b.prefixes && a.host_defaults == b.host_defaults &&
         a.fallback == b.fallback && a.certificates == b.certificates &&
         std::equal(a.backends.begin(), a.backends.end(), b.backends.begin(), b.backends.end(), same_name);
}

}  // namespace stead::network::ingress
