#pragma once

// RuleSet: everything that should stand in the table `ip stead-services`, piece by piece, who wants each piece, and
// what the kernel has of it. From these comes the shortest transaction. Pure; one thread.
//
// A piece is a set or chain of one service's own, or an element of one of the table's maps and sets. Services may
// want the same piece (a chain that picks one of three; an address two of them claim): it stands while anyone wants
// it, with the content that the first of them in key order gives it.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stead::network::service_proxy {

enum class PieceKind : uint8_t { kSet, kChain, kElement };

struct PieceKey {
  PieceKind kind = PieceKind::kElement;
  std::string name;     // of the set or chain; for elements, of what they are in
  std::string element;  // "10.43.0.5 . tcp . 80"
  friend auto operator<=>(const PieceKey&, const PieceKey&) = default;
};

// Content: a set's declaration; a chain's rules, one a line; an element's value (empty in plain sets).
using Pieces = std::map<PieceKey, std::string>;

class RuleSet {
 public:
  // `frame`: the commands that make the table with its fixed maps and chains, in place of any table before.
  explicit RuleSet(std::string frame) : frame_(std::move(frame)) {}

  // Replaces what `owner` wants; empty: nothing.
  void put(const std::string& owner, Pieces pieces);

  // The commands that bring the kernel from what it has to what is wanted, and from now on that counts as what it
  // has. Empty: nothing to do. In nft's own language: the JSON of version 1.0.6 cannot declare a map whose values
  // are concatenations.
  std::string take_changes();
  // The kernel's table is unknown: take_changes() will build everything anew.
  void forget();

 private:
  struct Piece {
    std::map<std::string, std::string> wanted;  // by owner
    std::optional<std::string> applied;
  };

  std::string frame_;
  bool unknown_ = true;
  std::map<PieceKey, Piece> pieces_;
  std::set<PieceKey> changed_;
  std::map<std::string, Pieces> by_owner_;
};

constexpr char kTable[] = "ip stead-services";

}  // namespace stead::network::service_proxy
