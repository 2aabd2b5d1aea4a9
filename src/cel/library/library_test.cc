#include "cel/library/library.h"

#include <gtest/gtest.h>

#include "cel/authorizer.h"
#include "cel/environment.h"
#include "object/codec.h"

namespace stead::cel {
namespace {

// May get pods in the namespace "here", and what service accounts ask for; remembers the last question.
class PodReader final : public Authorizer {
 public:
  AuthorizationAnswer check(const AuthorizationQuestion& question) const override {
    last = question;
    if (question.verb == "fail") return {.error = "it broke"};
    bool allowed = !question.service_account_name.empty() || question.path == "/healthz" ||
                   (question.resource == "pods" && question.ns == "here" && question.verb == "get");
    return {.allowed = allowed, .reason = allowed ? "by rule" : ""};
  }
  mutable AuthorizationQuestion last;
};

std::string text_of(std::string_view expression, const PodReader& reader = {}) {
  Environment environment;
  environment.declare("authorizer", Type::authorizer());
  environment.declare("authorizer.requestResource", Type::resource_check());
  Compilation compiled = environment.compile(expression);
  if (!compiled.ok()) return compiled.error_text();
  Activation activation;
  activation.bind("authorizer", authorizer_value(reader));
  activation.bind("authorizer.requestResource",
                  resource_check_value(reader, {.group = "", .resource = "pods", .ns = "here", .name = "p"}));
  Evaluation evaluation = compiled.program->evaluate(activation);
  if (!evaluation.ok()) return "error: " + evaluation.value.error_message();
  auto document = evaluation.value.to_document();
  return document.ok() ? object::to_json(document.value()) : evaluation.value.type().name();
}

struct Case {
  std::string_view expression;
  std::string_view expected = "true";
};
class Functions : public ::testing::TestWithParam<Case> {};
TEST_P(Functions, Give) { EXPECT_EQ(text_of(GetParam().expression), GetParam().expected) << GetParam().expression; }

INSTANTIATE_TEST_SUITE_P(
    Quantities, Functions,
    ::testing::Values(Case{"quantity('200M').compareTo(quantity('0.2G')) == 0"},
                      Case{"quantity('50Mi').isGreaterThan(quantity('50M'))"},
                      Case{"quantity('50k').add(20).sub(quantity('100k')).sub(-50000) == quantity('20')"},
                      Case{"quantity('50k').asInteger()", "50000"}, Case{"quantity('1.5').isInteger()", "false"},
                      Case{"quantity('1.5').asInteger()", "error: cannot convert value to integer"},
                      Case{"quantity('1500m').asApproximateFloat()", "1.5"},
                      Case{"quantity('2Ki').asApproximateFloat()", "2048"}, Case{"isQuantity('200K')", "false"},
                      Case{"sign(quantity('-1'))", "-1"}, Case{"type(quantity('1')) == kubernetes.Quantity"}));

INSTANTIATE_TEST_SUITE_P(
    Addresses, Functions,
    ::testing::Values(
        Case{"ip('127.0.0.1').isLoopback() && ip('::1').isLoopback()"}, Case{"ip('::1').family()", "6"},
        Case{"isIP('127.0.0.256') || isIP('127.0.0.01') || isIP('fe80::1%eth0') || isIP('::ffff:1.2.3.4')", "false"},
        Case{"ip.isCanonical('2001:DB8::ABCD')", "false"}, Case{"ip.isCanonical('2001:db8::abcd')"},
        Case{"string(ip('2001:db8:0:0:1:0:0:1'))", "\"2001:db8::1:0:0:1\""},
        Case{"ip('224.0.0.1').isLinkLocalMulticast() && !ip('224.0.1.1').isLinkLocalMulticast()"},
        Case{"ip('fe80::1').isLinkLocalUnicast() && ip('0.0.0.0').isUnspecified()"},
        Case{"ip('192.168.0.1').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast()"},
        Case{"cidr('192.168.0.0/24').containsIP('192.168.0.1')"},
        Case{"cidr('192.168.0.0/24').containsIP(ip('192.168.1.1'))", "false"},
        Case{"cidr('192.168.0.0/16').containsCIDR('192.168.10.0/24')"},
        Case{"cidr('192.168.1.0/24').containsCIDR(cidr('192.168.0.0/16'))", "false"},
        Case{"string(cidr('192.168.0.1/24').masked())", "\"192.168.0.0/24\""},
        Case{"cidr('192.168.0.1/24') == cidr('192.168.0.1/24').masked()", "false"},
        Case{"cidr('::1/128').prefixLength()", "128"}, Case{"string(cidr('10.0.0.1/8').ip())", "\"10.0.0.1\""},
        Case{"isCIDR('192.168.0.0/33') || isCIDR('10.0.0.0') || isCIDR('10.0.0.0/08')", "false"}));

INSTANTIATE_TEST_SUITE_P(
    Urls, Functions,
    ::testing::Values(
        Case{"url('https://u:p@example.com:80/a b?k=1&k=2&x+y=%20#f').getQuery()", R"({"k":["1","2"],"x y":[" "]})"},
        Case{"url('https://[::1]:80/').getHostname()", "\"::1\""},
        Case{"url('https://[::1]:80/').getHost()", "\"[::1]:80\""},
        Case{"url('https://e.com:80/').getPort()", "\"80\""}, Case{"url('/p').getScheme()", "\"\""},
        Case{"url('https://e.com/path with spaces/').getEscapedPath()", "\"/path%20with%20spaces/\""},
        Case{"isURL('https://a:b:c/') || isURL('../relative') || isURL('') || isURL('http://a b/')", "false"},
        Case{"isURL('/absolute-path') && isURL('mailto:a@b')"}));

INSTANTIATE_TEST_SUITE_P(
    Formats, Functions,
    ::testing::Values(Case{"format.dns1123Label().validate('my-name').hasValue()", "false"},
                      Case{"format.dns1123Label().validate('My').hasValue()"},
                      Case{"format.dns1123LabelPrefix().validate('my-').hasValue()", "false"},
                      Case{"format.named('uuid').value().validate('123e4567-e89b-12d3-a456-426614174000').hasValue()",
                           "false"},
                      Case{"format.named('nope').hasValue()", "false"},
                      Case{"format.date().validate('2021-02-30').value()", R"(["invalid date"])"},
                      Case{"format.byte().validate('aGVsbG8=').hasValue() || "
                           "format.datetime().validate('2021-01-01T00:00:00Z').hasValue()",
                           "false"}));

INSTANTIATE_TEST_SUITE_P(
    Semvers, Functions,
    ::testing::Values(Case{"semver('1.2.3').compareTo(semver('1.2.3+build')) == 0"},
                      Case{"semver('1.0.0-alpha.2').isLessThan(semver('1.0.0-alpha.10'))"},
                      Case{"semver('1.0.0').isGreaterThan(semver('1.0.0-rc.1'))"},
                      Case{"semver('v01.2', true).minor()", "2"},
                      Case{"isSemver('v1.0.0') || isSemver('1.0') || isSemver('01.0.0') || isSemver('1.0.0-')",
                           "false"},
                      Case{"isSemver('v1.0', true) && semver('1.2.3').patch() == 3"}));

INSTANTIATE_TEST_SUITE_P(
    Authorization, Functions,
    ::testing::Values(Case{"authorizer.group('').resource('pods').namespace('here').check('get').allowed()"},
                      Case{"authorizer.group('').resource('pods').namespace('there').check('get').allowed()", "false"},
                      Case{"authorizer.requestResource.check('get').reason()", "\"by rule\""},
                      Case{"authorizer.path('/healthz').check('get').allowed()"},
                      Case{"authorizer.path(' ').check('get').allowed()", "error: path must not be empty"},
                      Case{"authorizer.serviceAccount('ns', 'sa').path('/x').check('get').allowed()"},
                      Case{"authorizer.serviceAccount('ns', 'A').path('/x').check('get').allowed()",
                           "error: Invalid service account name"},
                      Case{"authorizer.requestResource.check('fail').errored()"},
                      Case{"authorizer.requestResource.check('fail').error()", "\"it broke\""}));

TEST(Authorization, AsksWhatTheExpressionBuilt) {
  PodReader reader;
  text_of(
      "authorizer.group('apps').resource('deployments').subresource('scale').namespace('n').name('d')"
      ".fieldSelector('a=b').labelSelector('c').check('update').allowed()",
      reader);
  EXPECT_EQ(reader.last.group, "apps");
  EXPECT_EQ(reader.last.resource, "deployments");
  EXPECT_EQ(reader.last.subresource, "scale");
  EXPECT_EQ(reader.last.ns, "n");
  EXPECT_EQ(reader.last.name, "d");
  EXPECT_EQ(reader.last.verb, "update");
  EXPECT_EQ(reader.last.field_selector, "a=b");
  EXPECT_EQ(reader.last.label_selector, "c");
}

TEST(Authorization, TwoChecksFillTheLimit) {
  constexpr std::string_view kCheck = "authorizer.path('/x').check('get').allowed()";
  std::string two = std::string(kCheck) + " || " + std::string(kCheck);
  EXPECT_EQ(text_of(two), "false");
  EXPECT_EQ(text_of(two + " || " + std::string(kCheck)), "error: operation cancelled: actual cost limit exceeded");
}

}  // namespace
}  // namespace stead::cel
