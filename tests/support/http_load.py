"""Requests one after the other until standard input ends or LIMIT seconds are over; prints {"answers": {...}, "failures": [...]}.

http_load.py ADDRESS PORT HOST LIMIT [fresh]     # fresh: a connection for each request, else kept ones
"""

import collections
import http.client
import json
import select
import sys
import time


def main():
    address, port, host, limit = sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
    fresh = "fresh" in sys.argv[5:]
    answers, failures = collections.Counter(), []
    end = time.monotonic() + limit
    connection = None
    while time.monotonic() < end and not select.select([sys.stdin], [], [], 0)[0]:
        try:
            if connection is None or fresh:
                connection = http.client.HTTPConnection(address, port, timeout=10)
            connection.request("GET", "/", headers={"Host": host})
            answer = connection.getresponse()
            body = answer.read().decode().strip()
            answers[f"{answer.status} {body}"] += 1
            if answer.getheader("Connection", "").lower() == "close":
                connection = None  # told to go before: a keep-alive connection that ends orderly
        except http.client.RemoteDisconnected as error:
            # Between two requests a server may close a kept connection (RFC 9112, 9.5); one without an answer to its
            # first request is lost.
            if fresh:
                failures.append(repr(error))
            connection = None
        except OSError as error:
            failures.append(repr(error))
            connection = None
        time.sleep(0.002)
    print(json.dumps({"answers": answers, "failures": failures[:20]}))


if __name__ == "__main__":
    main()
