#include "apiserver/front_end/write_gate.h"

#include <gtest/gtest.h>

namespace stead::apiserver {
namespace {

TEST(WriteGate, UsersTakeTurns) {
  WriteGate gate({2, 100, 1000});
  std::string order;
  auto enter = [&](const std::string& user) { return gate.enter(user, [&order, user] { order += user; }); };
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(enter("a"));
  EXPECT_TRUE(enter("b"));
  EXPECT_TRUE(enter("c"));
  EXPECT_TRUE(enter("b"));
  EXPECT_EQ(order, "aa");
  EXPECT_EQ(gate.waiting(), 7u);
  for (int i = 0; i < 9; ++i) gate.leave();
  EXPECT_EQ(order, "aaabcabaa");
  EXPECT_EQ(gate.under_way(), 0u);
  EXPECT_EQ(gate.waiting(), 0u);
}

TEST(WriteGate, WhoHasTooManyWaitingIsRefusedAndNobodyElse) {
  WriteGate gate({1, 2, 3});
  auto nothing = [] {};
  EXPECT_TRUE(gate.enter("a", nothing));
  EXPECT_TRUE(gate.enter("a", nothing));
  EXPECT_TRUE(gate.enter("a", nothing));
  EXPECT_FALSE(gate.enter("a", nothing));
  EXPECT_TRUE(gate.enter("b", nothing));
  EXPECT_FALSE(gate.enter("c", nothing));  // everybody together
  gate.leave();
  EXPECT_TRUE(gate.enter("c", nothing));
}

TEST(WriteGate, WhatEndsAtOnceLetsTheNextIn) {
  WriteGate gate({1, 10, 10});
  int ran = 0;
  std::function<void()> at_once = [&] {
    ++ran;
    gate.leave();
  };
  EXPECT_TRUE(gate.enter("a", [&] { ++ran; }));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(gate.enter("a", at_once));
  gate.leave();
  EXPECT_EQ(ran, 6);
  EXPECT_EQ(gate.under_way(), 0u);
}

}  // namespace
}  // namespace stead::apiserver
