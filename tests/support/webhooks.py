"""Webhooks of admission and of conversion, served by the tests' own process."""

import base64
import http.server
import json
import ssl
import threading

from support.cluster import run


class Webhooks:
    """An HTTPS server on loopback for reviews of any kind; each path has a function from the request to the response."""

    def __init__(self, directory):
        self.answers = {}
        self.seen = []
        key, certificate = directory / "key.pem", directory / "cert.pem"
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=webhooks", "-addext", "subjectAltName=IP:127.0.0.1,DNS:hooks.default.svc",
             "-keyout", key, "-out", certificate])
        self.bundle = base64.b64encode(certificate.read_bytes()).decode()
        webhooks = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                path = self.path.split("?")[0]
                webhooks.seen.append((path, review["request"]))
                response = webhooks.answers[path](review["request"])
                body = json.dumps({"apiVersion": review["apiVersion"], "kind": review["kind"],
                                   "response": {"uid": review["request"]["uid"], **response}}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
