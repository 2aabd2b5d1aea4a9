#include "object/quantity.h"

#include <gtest/gtest.h>

#include <random>

namespace stead::object {
namespace {

TEST(Quantity, CanonicalForms) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"0", "0"},
      {"0Ki", "0"},
      {"1024Mi", "1Gi"},
      {"0.5", "500m"},
      {"1e3", "1e3"},
      {"1E3", "1E3"},
      {"1.5Gi", "1536Mi"},
      {"100m", "100m"},
      {"1000m", "1"},
      {"1000", "1k"},
      {"1000k", "1M"},
      {"1.5", "1500m"},
      {".5", "500m"},
      {"1e4", "10e3"},
      {"1000e3", "1e6"},
      {"1536Mi", "1536Mi"},
      {"0.1Gi", "107374182400m"},
      {"1023Ki", "1023Ki"},
      {"1024Ki", "1Mi"},
      {"512", "512"},
      {"0.5Ki", "512"},
      {"2048", "2048"},
      {"0.1m", "100u"},
      {"0.0000000001", "1n"},
      {"-1.5", "-1500m"},
      {"-1024Ki", "-1Mi"},
      {"1.234", "1.234"},
      {"1Ei", "1Ei"},
      {"9Ei", "9223372036854775807"},
      {"1n", "1n"},
      {"2E", "2E"},
      {"1000E", "1000E"},
      {"12e-3", "12e-3"},
      {"0.000001Ki", "1024u"},
      {"8Ki", "8Ki"},
      {"100Gi", "100Gi"},
      {"12345678901234567890", "12345678901234567890"},
  };
  for (const auto& [text, expected] : cases) {
    auto canonical = Quantity::canonical(text);
    ASSERT_TRUE(canonical.ok()) << text;
    EXPECT_EQ(*canonical, expected) << text;
    EXPECT_EQ(*Quantity::parse(*canonical), *Quantity::parse(text)) << text;
  }
  EXPECT_EQ(Quantity::parse("1.234")->str(), "1234m");
}

TEST(Quantity, ErrorsAreThoseOfKubernetes) {
  constexpr std::string_view kForm =
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  for (std::string_view text : {"", "1.1.M", "1+1.0M", "aoeu", " 1", "1 ", "+", "-", ".", "Mi", "0x10", "1MiB"}) {
    auto parsed = Quantity::parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().message, kForm) << text;
  }
  for (std::string_view text : {"0.1mi", "1i", ".5i", "-3.01i", "-3.01e-", "1K", "1e", "1KiKi"}) {
    auto parsed = Quantity::parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().message, "unable to parse quantity's suffix") << text;
  }
  EXPECT_FALSE(Quantity::parse("1e40").ok());
}

TEST(Quantity, ValuesRoundUp) {
  EXPECT_EQ(Quantity::parse("1m")->value(), 1);
  EXPECT_EQ(Quantity::parse("1.1")->value(), 2);
  EXPECT_EQ(Quantity::parse("-1.1")->value(), -2);
  EXPECT_EQ(Quantity::parse("1u")->milli_value(), 1);
  EXPECT_EQ(Quantity::parse("250m")->milli_value(), 250);
  EXPECT_EQ(Quantity::parse("9E")->milli_value(), INT64_MAX);
  EXPECT_EQ(Quantity::parse("1Gi")->value(), 1 << 30);
}

TEST(Quantity, SumsKeepTheFirstFormatThatHasOne) {
  EXPECT_EQ((*Quantity::parse("1Gi") + *Quantity::parse("512Mi")).str(), "1536Mi");
  EXPECT_EQ((Quantity() + *Quantity::parse("2Gi")).str(), "2Gi");
  EXPECT_EQ((*Quantity::parse("1") - *Quantity::parse("250m")).str(), "750m");
  EXPECT_LT(*Quantity::parse("999m"), *Quantity::parse("1"));
  EXPECT_EQ(*Quantity::parse("1Ki"), *Quantity::parse("1024"));
}

TEST(Quantity, SumsSaturate) {
  const Quantity large = *Quantity::parse("99999999999999999999999999999");
  const Quantity sum = large + large;
  EXPECT_GT(sum, large);
  EXPECT_EQ(*Quantity::parse(sum.str()), sum);
  EXPECT_EQ(Quantity() - sum - large, Quantity() - sum);
}

TEST(Quantity, AnOddBinaryAmountIsKeptAsADecimalOne) {
  EXPECT_EQ(*Quantity::canonical("2312.5Ki"), "2368k");
  EXPECT_EQ(*Quantity::canonical("1.5Ki"), "1536");
}

// Any amount and unit: canonical text reads back as the same amount, and is its own canonical text.
TEST(Quantity, CanonicalTextIsAFixedPoint) {
  std::mt19937 random(1);
  const char* suffixes[] = {"", "n", "u", "m", "k", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "e3", "e-3", "E2"};
  for (int round = 0; round < 20000; ++round) {
    std::string text = std::to_string(random() % (round % 2 ? 5000u : 5000000u));
    if (round % 3 == 0) text += "." + std::to_string(random() % 1000);
    text += suffixes[random() % std::size(suffixes)];
    auto parsed = Quantity::parse(text);
    ASSERT_TRUE(parsed.ok()) << text;
    std::string canonical = parsed->str();
    auto again = Quantity::parse(canonical);
    ASSERT_TRUE(again.ok()) << text << " " << canonical;
    EXPECT_EQ(*again, *parsed) << text << " " << canonical;
    EXPECT_EQ(again->str(), canonical) << text;
  }
}

}  // namespace
}  // namespace stead::object
