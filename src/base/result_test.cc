#include "base/result.h"

#include <gtest/gtest.h>

namespace stead {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return make_error(Reason::kBadRequest, "odd");
  return number / 2;
}

Result<int> quarter(int number) {
  STEAD_TRY(once, half(number));
  STEAD_TRY(twice, half(once));
  return twice;
}

TEST(Result, TryReturnsTheFirstError) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().message, "odd");
  EXPECT_EQ(quarter(6).error().with_context("quarter").message, "quarter: odd");
}

TEST(Result, ReadingTheWrongSideAborts) { EXPECT_DEATH((void)half(1).value(), "odd"); }

}  // namespace
}  // namespace stead
