"""A headless Chromium that tells what a page asks for, what it complains of, and what axe-core finds.

It is spoken to through two pipes by the DevTools protocol, so that no port is opened; every name it would look up
fails, and so does every proxy.
"""

import base64
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
BASH = shutil.which("bash")

_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--hide-scrollbars"),
    *("--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9"),
    *("--remote-debugging-pipe", "--proxy-bypass-list=<-loopback>", "--allow-file-access-from-files"),
)


@dataclass
class Visit:
    """What happened while a page was open."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    violations: list = field(default_factory=list)
    passes: int = 0
    width: int = 0
    picture: bytes = b""


class Browser:
    """A running Chromium; one for many pages."""

    def __init__(self, folder: Path):
        ours, self._write = os.pipe()
        self._read, theirs = os.pipe()
        # The browser reads at 3 and writes at 4.
        script = f'exec 3<&{ours} 4>&{theirs}; exec "$@"'
        self._process = subprocess.Popen(
            [BASH, "-c", script, "chromium", CHROMIUM, *_FLAGS, f"--user-data-dir={folder}", "about:blank"],
            pass_fds=(ours, theirs),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(ours)
        os.close(theirs)
        self._number, self._left, self.events = 0, b"", []

    def close(self) -> None:
        os.close(self._write)
        os.close(self._read)
        self._process.terminate()
        self._process.wait(60)

    def _message(self) -> dict:
        while b"\0" not in self._left:
            more = os.read(self._read, 1 << 20)
            assert more, "Chromium has gone"
            self._left += more
        message, _, self._left = self._left.partition(b"\0")
        return json.loads(message)

    def ask(self, method: str, session: str | None = None, **params: object) -> dict:
        """Ask for something and wait for the answer; what happens meanwhile is kept as events."""
        self._number += 1
        asked = {
            "id": self._number,
            "method": method,
            "params": params,
            **({"sessionId": session} if session else {}),
        }
        os.write(self._write, json.dumps(asked).encode() + b"\0")
        while True:
            message = self._message()
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]
            self.events.append(message)

    def wait_for(self, method: str) -> None:
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self._message())

    def visit(self, page: Path, width: int = 1200) -> Visit:
        """Open a page, run axe-core in it and take its picture."""
        self.events = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{domain}.enable", session)
        self.ask(
            "Emulation.setDeviceMetricsOverride", session, width=width, height=900, deviceScaleFactor=1, mobile=False
        )
        self.events = []
        self.ask("Page.navigate", session, url=page.as_uri())
        self.wait_for("Page.loadEventFired")
        done = Visit()
        for event in self.events:
            what, told = event.get("method"), event.get("params", {})
            if what == "Network.requestWillBeSent":
                done.requests.append(told["request"]["url"])
            elif what == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
                done.complaints.append(told["entry"]["text"])
            elif what == "Runtime.exceptionThrown":
                done.complaints.append(str(told["exceptionDetails"].get("text")))
            elif what == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
                done.complaints.append(str(told["args"]))
        self._look(session, done)
        self.ask("Target.closeTarget", targetId=target)
        return done

    def _look(self, session: str, done: Visit) -> None:
        def evaluate(expression: str) -> object:
            said = self.ask("Runtime.evaluate", session, expression=expression, awaitPromise=True, returnByValue=True)
            assert "exceptionDetails" not in said, said
            return said["result"].get("value")

        done.width = evaluate("document.documentElement.scrollWidth")
        picture = self.ask("Page.captureScreenshot", session, captureBeyondViewport=True)
        done.picture = base64.b64decode(picture["data"])
        # The package itself wants playwright; only the script that it carries is used.
        script = Path(find_spec("axe_core_python").origin).with_name("axe.min.js").read_text(encoding="utf-8")
        evaluate(script + ";0")
        found = evaluate(
            "axe.run(document, {resultTypes: ['violations']}).then(f => ({passes: f.passes.length, violations: "
            "f.violations.map(v => [v.id, v.impact, v.nodes.map(n => n.html.slice(0, 300))])}))"
        )
        done.passes, done.violations = found["passes"], found["violations"]
