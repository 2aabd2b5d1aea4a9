#include "http/x509.h"

#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include "http/pem.h"

namespace stead::http {
namespace {

constexpr std::chrono::hours kYear{24 * 365};
const WallTime kNow = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::from_time_t(1'760'000'000));

LeafRequest server_leaf() {
  LeafRequest leaf;
  leaf.common_name = "api";
  leaf.organizations = {"system:masters", "b"};
  leaf.dns_names = {"kubernetes.default.svc", "localhost"};
  leaf.ip_addresses = {"127.0.0.1", "fd00::1"};
  leaf.server = true;
  return leaf;
}

TEST(X509, AuthorityIsOne) {
  auto ca = make_ca("stead-ca", kNow, kYear);
  ASSERT_TRUE(ca.ok());
  auto certificates = read_certificates(ca->certificate_pem);
  ASSERT_TRUE(certificates.ok());
  X509* certificate = (*certificates)[0].get();
  EXPECT_EQ(X509_check_ca(certificate), 1);
  EXPECT_EQ(X509_get_version(certificate), X509_VERSION_3);
  int critical = 0;
  auto* constraints =
      static_cast<BASIC_CONSTRAINTS*>(X509_get_ext_d2i(certificate, NID_basic_constraints, &critical, nullptr));
  EXPECT_EQ(critical, 1);
  BASIC_CONSTRAINTS_free(constraints);
  EXPECT_EQ(*not_after(ca->certificate_pem), kNow + kYear);
}

TEST(X509, LeafVerifiesAndNamesItsAlternatives) {
  auto ca = make_ca("stead-ca", kNow, kYear);
  auto leaf = issue(*ca, server_leaf(), kNow);
  ASSERT_TRUE(leaf.ok());
  auto authority = read_certificates(ca->certificate_pem);
  auto certificate = read_certificates(leaf->certificate_pem);
  ASSERT_TRUE(certificate.ok());
  X509* raw = (*certificate)[0].get();
  EXPECT_EQ(X509_verify(raw, X509_get0_pubkey((*authority)[0].get())), 1);
  EXPECT_EQ(X509_check_purpose(raw, X509_PURPOSE_SSL_SERVER, 0), 1);
  EXPECT_EQ(X509_check_purpose(raw, X509_PURPOSE_SSL_CLIENT, 0), 0);
  const ASN1_INTEGER* serial = X509_get0_serialNumber(raw);
  EXPECT_LE(ASN1_STRING_length(serial), 20);
  EXPECT_EQ(ASN1_STRING_type(serial), V_ASN1_INTEGER);  // not V_ASN1_NEG_INTEGER
  time_t now = 1'760'000'000;
  EXPECT_LT(X509_cmp_time(X509_get0_notBefore(raw), &now), 0);
  EXPECT_EQ(*alternative_names(leaf->certificate_pem),
            (std::vector<std::string>{"kubernetes.default.svc", "localhost", "127.0.0.1", "fd00::1"}));
}

TEST(X509, LongCommonNamesAreKept) {
  auto ca = make_ca("stead-ca", kNow, kYear);
  LeafRequest leaf;
  leaf.common_name = "system:node:" + std::string(200, 'n');
  leaf.client = true;
  EXPECT_TRUE(issue(*ca, leaf, kNow).ok());
}

TEST(X509, BadInputIsAnError) {
  auto ca = make_ca("stead-ca", kNow, kYear);
  LeafRequest leaf = server_leaf();
  leaf.ip_addresses = {"300.1.1.1"};
  auto issued = issue(*ca, leaf, kNow);
  ASSERT_FALSE(issued.ok());
  EXPECT_NE(issued.error().message.find("300.1.1.1"), std::string::npos);
  EXPECT_EQ(not_after("nonsense").error().reason, Reason::kBadRequest);
  EXPECT_EQ(not_after("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").error().reason,
            Reason::kBadRequest);
  EXPECT_FALSE(issue(KeyPair{ca->certificate_pem, "x"}, server_leaf(), kNow).ok());
}

}  // namespace
}  // namespace stead::http
