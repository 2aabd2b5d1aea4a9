"""People with client certificates of a test cluster: kubectl and plain HTTP in their name."""

import json

from support.cluster import run


class Person:
    """Somebody with a certificate that the cluster's CA signed. `groups` are the certificate's organizations."""

    def __init__(self, cluster, folder, name, groups=()):
        self.cluster = cluster
        self.name = name
        pki = cluster.data_dir / "pki"
        self.key, self.certificate = folder / f"{name}.key", folder / f"{name}.crt"
        request = folder / f"{name}.csr"
        subject = "".join(f"/O={group}" for group in groups) + f"/CN={name}"
        run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", subject,
             "-keyout", str(self.key), "-out", str(request)])
        run(["openssl", "x509", "-req", "-in", str(request), "-CA", str(pki / "ca.crt"), "-CAkey", str(pki / "ca.key"),
             "-set_serial", "4711", "-days", "1", "-out", str(self.certificate)])

    def kubectl(self, *arguments, **options):
        """As Cluster.kubectl(), with this person's certificate."""
        return self.cluster.kubectl("--client-certificate", self.certificate, "--client-key", self.key, "--kubeconfig",
                                    self.kubeconfig(), *arguments, **options)

    def kubeconfig(self):
        """Only the server and its CA: the certificate comes on the command line."""
        path = self.key.with_suffix(".kubeconfig")
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:6443", "certificate-authority":
                                                   str(self.cluster.data_dir / "pki" / "ca.crt")}}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}))
        return path


def request(cluster, path, token=None, headers=(), method="GET", body=None):
    """A request without a certificate; returns (status, body), the body parsed where it is JSON."""
    command = ["curl", "-sS", "--max-time", "20", "--cacert", str(cluster.data_dir / "pki" / "ca.crt"), "-X", method,
               "-w", "\n%{http_code}", f"https://127.0.0.1:6443{path}"]
    if token is not None:
        headers = [*headers, f"Authorization: Bearer {token}"]
    for header in headers:
        command += ["-H", header]
    if body is not None:
        command += ["-H", "Content-Type: application/json", "--data-binary", json.dumps(body)]
    out = cluster.namespace.run(command, timeout=25).stdout
    text, _, code = out.rpartition("\n")
    try:
        return int(code), json.loads(text)
    except json.JSONDecodeError:
        return int(code), text
