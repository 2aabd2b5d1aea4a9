#pragma once

// OpenSSL contexts: which protocols, ciphers and certificates.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/http.h"

struct ssl_st;

namespace stead::http {

using Tls = std::shared_ptr<ssl_st>;

// TLS 1.2 and later, AES-GCM first. Client certificates are asked for where `client_ca_pem` is given: none is fine,
// one that does not verify ends the handshake. kBadRequest if a PEM does not parse or the key does not fit.
// `http2`: preferred to HTTP/1.1 where the client offers it (ALPN).
Result<TlsContext> make_server_tls(const std::string& certificate_pem, const std::string& key_pem,
                                   const std::string& client_ca_pem, bool http2);
// An empty `ca_pem` verifies nothing; an empty certificate sends none.
Result<TlsContext> make_client_tls(const std::string& ca_pem, const std::string& certificate_pem,
                                   const std::string& key_pem);

// Verifies by the certificate authorities that this system trusts.
Result<TlsContext> make_public_client_tls();

// One connection's state over the non-blocking socket `fd`, which it does not own.
Tls make_server_connection(const TlsContext& context, int fd);
// `host`, a name or an address, is what the peer's certificate must be for.
// `http2`: offers that alone, else HTTP/1.1 alone.
Tls make_client_connection(const TlsContext& context, int fd, const std::string& host, bool http2 = false);

// Whether the handshake, which must be over, chose HTTP/2. False for null.
bool negotiated_http2(const Tls& tls);

// The verified certificate of the other side; nullopt if it sent none.
std::optional<Peer> verified_peer(const Tls& tls);

// Why the other side's certificate was not accepted ("certificate is not yet valid"); empty if that is not known to be
// the trouble.
std::string verification_problem(const Tls& tls);

// What OpenSSL says about the last failure on this thread; empties its queue.
std::string tls_error_text();

}  // namespace stead::http
