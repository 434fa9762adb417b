"""Headless Chromium through chromedriver, for the tests of pages."""
import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

from test_compare import png_pixels

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
ARROWS = {"left": "\ue012", "up": "\ue013", "right": "\ue014", "down": "\ue015", "shift": "\ue008",
          "tab": "\ue004"}
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
HOSTILE = "</script><img src=x onerror=document.title='taken'>"


class Browser:
    """A browser with one window, by the WebDriver protocol."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="kldve-browser-")
        self.process = subprocess.Popen([DRIVER, "--port=0"], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        for line in self.process.stdout:
            found = re.search(r"on port (\d+)", line)
            if found and "started successfully" in line:
                break
        self.base = f"http://127.0.0.1:{found[1]}/session"
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
                     "--no-first-run", "--disable-background-networking",
                     "--disable-component-update", "--disable-sync", "--window-size=1280,1000",
                     "--force-color-profile=srgb", f"--user-data-dir={self.folder}"]
        answer = self.call("POST", "", {"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"binary": CHROMIUM, "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}}})
        self.base += "/" + answer["sessionId"]
        self.call("POST", "/url", {"url": "about:blank"})
        self.log("performance")  # of the browser's own first page

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            self.base + path, None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json"}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from None

    def open(self, path):
        self.call("POST", "/url", {"url": "file://" + path})
        self.run("""const done = arguments[0];
            (function wait() { document.body.dataset.ready ? done() : setTimeout(wait, 20); })();""",
                 kind="async")

    def run(self, script, *args, kind="sync"):
        return self.call("POST", "/execute/" + kind, {"script": script, "args": list(args)})

    def find(self, selector):
        return self.call("POST", "/element", {"using": "css selector", "value": selector})

    def click(self, selector):
        self.call("POST", f"/element/{self.find(selector)[ELEMENT]}/click", {})

    def keys(self, *keys, held=None):
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        if held:
            actions = [{"type": "keyDown", "value": held}, *actions,
                       {"type": "keyUp", "value": held}]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "k", "actions": actions}]})

    def move(self, x, y):
        """To the middle of a pixel of the picture."""
        at = self.run("""heat.scrollIntoView({block: "center"});
            const b = heat.getBoundingClientRect(), [x, y] = arguments;
            return [b.left + (x + .5) * b.width / heat.width, b.top + (y + .5) * b.height / heat.height];
            """.replace("heat", "document.getElementById('heat')"), x, y)
        self.call("POST", "/actions", {"actions": [{
            "type": "pointer", "id": "m", "parameters": {"pointerType": "mouse"},
            "actions": [{"type": "pointerMove", "x": round(at[0]), "y": round(at[1])}]}]})
        self.run("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))", kind="async")

    def show(self, name):
        """Open a picture of the list."""
        self.run("""const done = arguments[1], all = [...document.querySelectorAll(".thumb")];
            all.find(b => b.title.startsWith(arguments[0])).click();
            (function wait() {
              document.getElementById("summary").textContent.startsWith(arguments[0]) ? done() : setTimeout(wait, 10, arguments[0]);
            })(arguments[0]);""", name, kind="async")

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0]).textContent", selector)

    def pixels(self):
        width, height, data = self.run("""const c = document.getElementById("heat");
            const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
            let s = ""; for (const v of d) s += String.fromCharCode(v);
            return [c.width, c.height, btoa(s)];""")
        data = base64.b64decode(data)
        return width, height, [data[i:i + 3] for i in range(0, len(data), 4)]

    def slide(self, percent):
        self.run("""const o = document.getElementById("opacity"); o.value = arguments[0];
            o.dispatchEvent(new Event("input", {bubbles: true}));""", percent)

    def command(self, name, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def log(self, kind):
        return self.call("POST", "/se/log", {"type": kind})

    def shoot(self, name):
        folder = os.environ.get("KLDVE_SCREENSHOTS")
        if folder:
            shot = self.command("Page.captureScreenshot", captureBeyondViewport=True)["data"]
            with open(os.path.join(folder, name + ".png"), "wb") as file:
                file.write(base64.b64decode(shot))

    def close(self):
        try:
            self.call("DELETE", "")
        finally:
            self.process.terminate()
            self.process.wait()
            self.process.stdout.close()
            shutil.rmtree(self.folder, ignore_errors=True)
