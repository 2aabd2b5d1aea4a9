#include "network/service_proxy/rule_set.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace stead::network::service_proxy {
namespace {

// Commands in the order the kernel needs: what is referred to comes before and goes after what refers to it.
class Transaction {
 public:
  void remove(const PieceKey& key) {
    switch (key.kind) {
      case PieceKind::kSet:
        gone_sets_ += fmt::format("delete set {} {}\n", kTable, key.name);
        break;
      case PieceKind::kChain:
        emptied_ += fmt::format("flush chain {} {}\n", kTable, key.name);
        gone_chains_ += fmt::format("delete chain {} {}\n", kTable, key.name);
        break;
      case PieceKind::kElement:
        append(gone_elements_[key.name], key.element);
        break;
    }
  }

  void add(const PieceKey& key, const std::string& content, bool replaces) {
    switch (key.kind) {
      case PieceKind::kSet:
        sets_ += fmt::format("add set {} {} {{ {} }}\n", kTable, key.name, content);
        break;
      case PieceKind::kChain:
        chains_ += fmt::format("add chain {0} {1}\nflush chain {0} {1}\n", kTable, key.name);
        add_rules(key.name, content);
        break;
      case PieceKind::kElement:
        if (replaces) append(gone_elements_[key.name], key.element);
        append(elements_[key.name], content.empty() ? key.element : key.element + " : " + content);
        break;
    }
  }

  std::string text() const {
    std::string text = sets_ + chains_ + rules_;
    for (const auto& [name, items] : gone_elements_) {
      text += fmt::format("delete element {} {} {{ {} }}\n", kTable, name, items);
    }
    for (const auto& [name, items] : elements_) {
      text += fmt::format("add element {} {} {{ {} }}\n", kTable, name, items);
    }
    return text + emptied_ + gone_chains_ + gone_sets_;
  }

 private:
  static void append(std::string& list, const std::string& item) {
    if (!list.empty()) list += ", ";
    list += item;
  }

  void add_rules(const std::string& chain, std::string_view lines) {
    while (!lines.empty()) {
      const size_t end = lines.find('\n');
      rules_ += fmt::format("add rule {} {} {}\n", kTable, chain, lines.substr(0, end));
      lines = end == std::string_view::npos ? std::string_view() : lines.substr(end + 1);
    }
  }

  std::string sets_, chains_, rules_, emptied_, gone_chains_, gone_sets_;
  std::map<std::string, std::string> elements_;
  std::map<std::string, std::string> gone_elements_;
};

}  // namespace

void RuleSet::put(const std::string& owner, Pieces pieces) {
  Pieces& before = by_owner_[owner];
  for (const auto& [key, content] : before) {
    if (pieces.contains(key)) continue;
    pieces_[key].wanted.erase(owner);
    changed_.insert(key);
  }
  for (const auto& [key, content] : pieces) {
    auto known = before.find(key);
    if (known != before.end() && known->second == content) continue;
    pieces_[key].wanted[owner] = content;
    changed_.insert(key);
  }
  if (pieces.empty()) {
    by_owner_.erase(owner);
  } else {
    before = std::move(pieces);
  }
}

void RuleSet::forget() {
  unknown_ = true;
  for (auto& [key, piece] : pieces_) {
    piece.applied.reset();
    changed_.insert(key);
  }
}

std::string RuleSet::take_changes() {
  Transaction transaction;
  for (const PieceKey& key : changed_) {
    auto found = pieces_.find(key);
    if (found == pieces_.end()) continue;
    Piece& piece = found->second;
    if (piece.wanted.empty()) {
      if (piece.applied) transaction.remove(key);
      pieces_.erase(found);
      continue;
    }
    const std::string& content = piece.wanted.begin()->second;
    if (piece.applied == content) continue;
    transaction.add(key, content, piece.applied.has_value());
    piece.applied = content;
  }
  changed_.clear();
  const bool whole = std::exchange(unknown_, false);
  return (whole ? frame_ : std::string()) + transaction.text();
}

}  // namespace stead::network::service_proxy
