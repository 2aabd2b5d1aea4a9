#include "object/names.h"

#include <gtest/gtest.h>

namespace stead::object {
namespace {

std::string times(size_t count, char c = 'a') { return std::string(count, c); }

TEST(Names, AcceptWhatKubernetesAccepts) {
  for (std::string text : {std::string("a"), std::string("a-b"), std::string("0"), times(63)}) {
    EXPECT_EQ(check_dns1123_label(text), "") << text;
  }
  for (std::string text : {std::string("a.b"), std::string("a-1.2"), times(253)}) {
    EXPECT_EQ(check_dns1123_subdomain(text), "") << text;
  }
  for (std::string_view text : {"a", "A.b_c-d", "example.com/a", "a.b/1"}) EXPECT_EQ(check_qualified_name(text), "");
  for (std::string_view text : {"", "a", "A_b.1"}) EXPECT_EQ(check_label_value(text), "");
  for (std::string_view text : {"a.b", "_", "-", ".hidden"}) EXPECT_EQ(check_config_map_key(text), "");
  for (std::string_view text : {"a", "0a", "a b", "A.B-C"}) EXPECT_EQ(check_env_var_name(text), "");
  for (std::string_view text : {"http", "h2c-8", "0a"}) EXPECT_EQ(check_port_name(text), "");
  for (std::string_view text : {"1.2.3.4", "010.1.1.1", "::1", "fe80::abc", "::ffff:1.2.3.4"}) {
    EXPECT_EQ(check_ip(text), "") << text;
  }
  for (std::string_view text : {"1.2.3.4/24", "::/0", "fe80::/128"}) EXPECT_EQ(check_cidr(text), "");
}

TEST(Names, RefuseInTheSentencesClientsKnow) {
  EXPECT_EQ(check_dns1123_label("a.b"), "must not contain dots");
  EXPECT_EQ(check_dns1123_label(times(64)), "must be no more than 63 characters");
  EXPECT_EQ(check_dns1123_label("A"),
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and "
            "end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
            "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')");
  EXPECT_EQ(check_dns1123_subdomain("a..b"),
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
            "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
            "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')");
  EXPECT_EQ(check_dns1035_label("1a").substr(0, 16), "a DNS-1035 label");
  EXPECT_EQ(check_qualified_name("/a"), "prefix part must be non-empty");
  EXPECT_EQ(check_qualified_name("a/b/c").substr(0, 23), "a valid label key must ");
  EXPECT_EQ(check_qualified_name("").substr(0, 40), "name part must be non-empty; name part m");
  EXPECT_EQ(check_label_value("-a").substr(0, 44), "a valid label must be an empty string or con");
  EXPECT_EQ(check_config_map_key(".."), "must not be '..'");
  EXPECT_EQ(check_config_map_key("..a"), "must not start with '..'");
  EXPECT_EQ(check_env_var_name("a=b"),
            "a valid environment variable name must consist only of printable ASCII characters other than '='");
  EXPECT_EQ(check_port_name("80"), "must contain at least one letter (a-z)");
  EXPECT_EQ(check_port_name("-a--b"), "must not contain consecutive hyphens; must not begin or end with a hyphen");
  EXPECT_EQ(check_path_segment(".."), "may not be '..'");
  EXPECT_EQ(check_path_segment("a/b%"), "may not contain '/'; may not contain '%'");
  for (std::string_view text : {"", "1.2.3", "256.1.1.1", "1.2.3.4.5", "fe80::1%eth0", "x"}) {
    EXPECT_EQ(check_ip(text), "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)") << text;
  }
  for (std::string_view text : {"1.2.3.4", "1.2.3.4/33", "::/129", "1.2.3.4/", "1.2.3.4/-1"}) {
    EXPECT_EQ(check_cidr(text), "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)") << text;
  }
}

TEST(Names, FormatsDispatch) {
  EXPECT_EQ(check_format("dns1123Label", "a.b"), "must not contain dots");
  EXPECT_EQ(check_format("absolutePath", "a"), "must be an absolute path");
  EXPECT_EQ(check_format("path", "a/../b"), "must not contain '..'");
  EXPECT_EQ(check_format("path", "a/..b"), "");
  EXPECT_EQ(check_format("unheardOf", "\n"), "");
}

}  // namespace
}  // namespace stead::object
