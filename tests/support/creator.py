"""Creates ConfigMaps as fast as it can and prints the name of each that the server acknowledged, until the server is gone.

usage: creator.py PKI_DIRECTORY NAMESPACE PREFIX
"""

import http.client
import json
import pathlib
import ssl
import sys


def main():
    pki, namespace, prefix = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    context.load_cert_chain(str(pki / "admin.crt"), str(pki / "admin.key"))
    connection = http.client.HTTPSConnection("127.0.0.1", 6443, context=context, timeout=10)
    number = 0
    while True:
        name = f"{prefix}-{number}"
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"number": str(number)}}
        try:
            connection.request("POST", f"/api/v1/namespaces/{namespace}/configmaps", json.dumps(body),
                               {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return
        if answer.status != 201:
            sys.exit(f"{name}: {answer.status}")
        print(name, flush=True)
        number += 1


main()
