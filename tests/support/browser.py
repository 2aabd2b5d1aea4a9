"""Chromium without a screen, in a network namespace, led over a pipe by the DevTools protocol (messages end with a NUL byte)."""

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import time

PROGRAM = shutil.which("chromium")
MESSAGE_BYTES_MAX = 64 << 20


class Browser:
    """One page. `enter` is the command that enters the namespace; `hosts` maps names to addresses; `folder` is its own."""

    def __init__(self, enter, folder, hosts):
        rules = ", ".join(f"MAP {name} {address}" for name, address in hosts.items())
        to_browser, self.write_end = os.pipe()
        self.read_end, from_browser = os.pipe()
        # It reads at descriptor 3 and writes at 4: a shell moves them there, whatever numbers they have.
        shell = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
        self.process = subprocess.Popen(
            [*enter, "bash", "-c", shell, "bash", PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--remote-debugging-pipe", f"--user-data-dir={folder}", f"--host-resolver-rules={rules}", "--window-size=1280,800",
             "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            pass_fds=(to_browser, from_browser))
        os.close(to_browser)
        os.close(from_browser)
        self.buffer = b""
        self.last_id = 0
        self.session = None

    def __enter__(self):
        try:
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            self.call("Page.enable")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        """Its whole process group ends with it."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(20)
        os.close(self.write_end)
        os.close(self.read_end)

    def call(self, method, limit=90, **parameters):
        """Calls a method of the protocol; returns its result."""
        self.last_id += 1
        message = {"id": self.last_id, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + limit
        while True:
            answer = self._next_message(end - time.monotonic(), method)
            if answer.get("id") == self.last_id:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    def _next_message(self, limit, method):
        end = time.monotonic() + limit
        while b"\0" not in self.buffer:
            readable, _, _ = select.select([self.read_end], [], [], max(0, end - time.monotonic()))
            assert readable, f"the browser does not answer {method}"
            chunk = os.read(self.read_end, 1 << 16)
            assert chunk, f"the browser ended ({self.process.poll()}) instead of answering {method}"
            self.buffer += chunk
            assert len(self.buffer) < MESSAGE_BYTES_MAX
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def open(self, url):
        answer = self.call("Page.navigate", url=url)
        assert "errorText" not in answer, answer

    def text(self):
        """What a person reads on the page."""
        told = self.call("Runtime.evaluate", expression="document.body ? document.body.innerText : ''", returnByValue=True)
        return told["result"].get("value", "")

    def screenshot(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
