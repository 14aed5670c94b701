"""A headless Chromium behind the W3C WebDriver protocol, as far as the tests need it."""

import base64
import json
import pathlib
import shutil
import subprocess
import time
import urllib.error
import urllib.request

from ports import free_port


def missing():
    """Why there is no browser here; None when there is one."""
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    return None


class Browser:
    def __init__(self, width=1200, height=900, dark=False):
        self.port = free_port()
        self.process = subprocess.Popen(["chromedriver", f"--port={self.port}", "--log-level=SEVERE"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait_for_driver()
        # A window is never narrower than 500 pixels; a phone is emulated.
        options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage",
                            f"--window-size={width},{height}"] + (["--force-dark-mode"] if dark else [])}
        capabilities = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options,
                                        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}}
        answer = self._call("POST", "/session", {"capabilities": capabilities})
        self.session = f"/session/{answer['sessionId']}"
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self._call("DELETE", self.session)
        except OSError:
            pass
        self.process.terminate()
        self.process.wait(10)

    def _wait_for_driver(self):
        deadline = time.monotonic() + 20
        while True:
            try:
                self._call("GET", "/status")
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as e:
            raise AssertionError(f"{method} {path}: {e.read().decode()[:500]}") from None

    def devtools(self, command, **parameters):
        return self._call("POST", f"{self.session}/goog/cdp/execute", {"cmd": command, "params": parameters})

    def open(self, url):
        self._call("POST", f"{self.session}/url", {"url": url})

    def run(self, script, *arguments):
        """Runs the body of a function in the page; returns what it returns."""
        return self._call("POST", f"{self.session}/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, script, seconds=30):
        """Until the script returns something true; that."""
        deadline = time.monotonic() + seconds
        while True:
            value = self.run(script)
            if value:
                return value
            assert time.monotonic() < deadline, f"never true: {script}\n{self.run('return document.body.innerText')[:2000]}"
            time.sleep(0.25)

    def press(self, *keys):
        actions = [a for key in keys for a in ({"type": "keyDown", "value": key}, {"type": "keyUp", "value": key})]
        self._call("POST", f"{self.session}/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def problems(self):
        """What the console said: errors of scripts, refused loads."""
        return [e["message"] for e in self._call("POST", f"{self.session}/se/log", {"type": "browser"}) if e["level"] in ("SEVERE", "WARNING")]

    def requested(self):
        """URLs that were asked for since the last call."""
        out = []
        for entry in self._call("POST", f"{self.session}/se/log", {"type": "performance"}):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                out.append(message["params"]["request"]["url"])
        return out

    def picture(self, path):
        height = self.run("return document.documentElement.scrollHeight")
        width = self.run("return window.innerWidth")
        shot = self.devtools("Page.captureScreenshot", captureBeyondViewport=True,
                             clip={"x": 0, "y": 0, "width": width, "height": min(height, 8000), "scale": 1})
        pathlib.Path(path).write_bytes(base64.b64decode(shot["data"]))
