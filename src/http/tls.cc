#include "http/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>

#include <cerrno>

#include "http/pem.h"

namespace stead::http {
namespace {

// OpenSSL's own socket BIO writes with write(2), which raises SIGPIPE on a connection that the peer has closed.
int bio_write(BIO* bio, const char* data, int size) {
  int fd = static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio)));
  BIO_clear_retry_flags(bio);
  ssize_t sent = ::send(fd, data, static_cast<size_t>(size), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int bio_read(BIO* bio, char* data, int size) {
  int fd = static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio)));
  BIO_clear_retry_flags(bio);
  ssize_t received = ::recv(fd, data, static_cast<size_t>(size), MSG_DONTWAIT);
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(received);
}

long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD* socket_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stead socket");
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

Tls make_connection(const TlsContext& context, int fd) {
  // The context must outlive the connection: SSL holds its own reference.
  Tls tls(SSL_new(context.get()), SSL_free);
  BIO* bio = BIO_new(socket_method());
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the descriptor is the data, as with fd BIOs
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<intptr_t>(fd)));
  BIO_set_init(bio, 1);
  SSL_set_bio(tls.get(), bio, bio);
  return tls;
}

Result<TlsContext> make_context(const SSL_METHOD* method) {
  TlsContext context(SSL_CTX_new(method), SSL_CTX_free);
  SSL_CTX* raw = context.get();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(
      raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Partial writes let large answers leave record by record; released buffers keep idle connections small.
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(raw, 0);
  SSL_CTX_set_read_ahead(raw, 1);
  bool set =
      SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
      SSL_CTX_set_ciphersuites(raw, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") == 1;
  STEAD_CHECK(set);
  return context;
}

Result<void> use_certificate(SSL_CTX* context, const std::string& certificate_pem, const std::string& key_pem) {
  STEAD_TRY(chain, read_certificates(certificate_pem));
  STEAD_TRY(key, read_key(key_pem));
  if (X509_check_private_key(chain[0].get(), key.get()) != 1) {
    ERR_clear_error();
    return make_error(Reason::kBadRequest, "the private key does not belong to the certificate");
  }
  bool used = SSL_CTX_use_certificate(context, chain[0].get()) == 1 && SSL_CTX_use_PrivateKey(context, key.get()) == 1;
  for (size_t at = 1; used && at < chain.size(); ++at) used = SSL_CTX_add1_chain_cert(context, chain[at].get()) == 1;
  if (!used) return make_error(Reason::kBadRequest, "certificate not usable: " + tls_error_text());
  return {};
}

Result<void> trust(SSL_CTX* context, const std::string& ca_pem) {
  STEAD_TRY(authorities, read_certificates(ca_pem));
  for (const CertificatePtr& authority : authorities) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get());
  }
  return {};
}

// ALPN, RFC 7301. The names that the server speaks, best first.
constexpr unsigned char kBoth[] = "\x02h2\x08http/1.1";
constexpr unsigned char kOnlyHttp1[] = "\x08http/1.1";
constexpr unsigned char kOnlyHttp2[] = "\x02h2";

// A client that offers only others goes on without. `http2` is null if HTTP/2 is not served.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                    unsigned int offered_size, void* http2) {
  const unsigned char* served = http2 ? kBoth : kOnlyHttp1;
  unsigned int served_size = static_cast<unsigned int>(http2 ? sizeof(kBoth) : sizeof(kOnlyHttp1)) - 1;
  unsigned char* match = nullptr;
  if (SSL_select_next_proto(&match, chosen_size, served, served_size, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *chosen = match;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Result<TlsContext> make_server_tls(const std::string& certificate_pem, const std::string& key_pem,
                                   const std::string& client_ca_pem, bool http2) {
  STEAD_TRY(context, make_context(TLS_server_method()));
  auto used = use_certificate(context.get(), certificate_pem, key_pem);
  if (!used.ok()) return used.error().with_context("server certificate");
  static char http2_is_served;
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, http2 ? &http2_is_served : nullptr);
  if (!client_ca_pem.empty()) {
    auto trusted = trust(context.get(), client_ca_pem);
    if (!trusted.ok()) return trusted.error().with_context("client CA");
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    // Named in the request for a certificate, so that clients with several pick the right one.
    STEAD_TRY(authorities, read_certificates(client_ca_pem));
    for (const CertificatePtr& authority : authorities) SSL_CTX_add_client_CA(context.get(), authority.get());
  }
  return context;
}

Result<TlsContext> make_client_tls(const std::string& ca_pem, const std::string& certificate_pem,
                                   const std::string& key_pem) {
  STEAD_TRY(context, make_context(TLS_client_method()));
  if (!ca_pem.empty()) {
    auto trusted = trust(context.get(), ca_pem);
    if (!trusted.ok()) return trusted.error().with_context("server CA");
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  }
  if (!certificate_pem.empty()) {
    auto used = use_certificate(context.get(), certificate_pem, key_pem);
    if (!used.ok()) return used.error().with_context("client certificate");
  }
  return context;
}

Result<TlsContext> make_public_client_tls() {
  STEAD_TRY(context, make_context(TLS_client_method()));
  SSL_CTX_set_default_verify_paths(context.get());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  return context;
}

Tls make_server_connection(const TlsContext& context, int fd) {
  Tls tls = make_connection(context, fd);
  SSL_set_accept_state(tls.get());
  return tls;
}

Tls make_client_connection(const TlsContext& context, int fd, const std::string& host, bool http2) {
  Tls tls = make_connection(context, fd);
  SSL_set_connect_state(tls.get());
  if (http2) {
    SSL_set_alpn_protos(tls.get(), kOnlyHttp2, sizeof(kOnlyHttp2) - 1);
  } else {
    SSL_set_alpn_protos(tls.get(), kOnlyHttp1, sizeof(kOnlyHttp1) - 1);
  }
  unsigned char address[16];
  bool is_address = inet_pton(AF_INET, host.c_str(), address) == 1 || inet_pton(AF_INET6, host.c_str(), address) == 1;
  if (is_address) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls.get()), host.c_str());
  } else {
    SSL_set_tlsext_host_name(tls.get(), host.c_str());
    SSL_set1_host(tls.get(), host.c_str());
  }
  return tls;
}

bool negotiated_http2(const Tls& tls) {
  if (!tls) return false;
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(tls.get(), &name, &size);
  return std::string_view(reinterpret_cast<const char*>(name), size) == "h2";
}

std::optional<Peer> verified_peer(const Tls& tls) {
  if (!tls) return std::nullopt;
  X509* certificate = SSL_get0_peer_certificate(tls.get());
  if (!certificate || SSL_get_verify_mode(tls.get()) == SSL_VERIFY_NONE ||
      SSL_get_verify_result(tls.get()) != X509_V_OK) {
    return std::nullopt;
  }
  X509_NAME* subject = X509_get_subject_name(certificate);
  Peer peer;
  auto names = name_entries(subject, NID_commonName);
  if (!names.empty()) peer.common_name = names.back();
  peer.organizations = name_entries(subject, NID_organizationName);
  return peer;
}

std::string verification_problem(const Tls& tls) {
  if (!tls || SSL_get_verify_mode(tls.get()) == SSL_VERIFY_NONE) return {};
  long result = SSL_get_verify_result(tls.get());
  return result == X509_V_OK ? std::string() : X509_verify_cert_error_string(result);
}

std::string tls_error_text() {
  char text[256] = "unknown TLS error";
  unsigned long code = ERR_peek_error();
  if (code != 0) ERR_error_string_n(code, text, sizeof(text));
  ERR_clear_error();
  return text;
}

}  // namespace stead::http
