"""A headless Chromium that tells what pages ask for, what they complain of, and what axe-core finds.

It is spoken to through two pipes by the DevTools protocol, so that no port is opened; every name it would look up
fails, and so does every proxy. Several pages are looked at at once, each in a tab, which is a process of its own.
"""

import asyncio
import base64
import json
import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
BASH = shutil.which("bash")

#: How wide a screen is, how wide a phone, and what A4 leaves between the margins of the style sheet.
SCREEN, PHONE, PAPER = 1200, 390, 658
#: Pictures end here: what is wrong with the look of a long page is seen on its first screens.
HIGHEST = 3000

_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--hide-scrollbars"),
    *("--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9"),
    # Tabs behind others are drawn, too.
    *("--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding"),
    *("--remote-debugging-pipe", "--proxy-bypass-list=<-loopback>", "--allow-file-access-from-files"),
)
_AXE = (
    "axe.run(document, {{resultTypes: ['violations'], preload: false{}}})"
    ".then(f => ({{passes: f.passes.length, violations: "
    "f.violations.map(v => [v.id, v.impact, v.nodes.map(n => n.html.slice(0, 300))])}}))"
)
# What reaches over the right edge, unless what it stands in scrolls; paper does not scroll, but Chromium sets a page
# smaller whose content is half as wide again.
_BEYOND = """(paper => {
  const edge = document.documentElement.clientWidth * (paper ? 1.5 : 1) + 1, found = [];
  for (const e of document.body.querySelectorAll('*')) {
    if (e.closest('.skip') || e.getBoundingClientRect().right <= edge || !e.getClientRects().length) continue;
    let inside = e.parentElement;
    while (inside && getComputedStyle(inside).overflowX === 'visible') inside = inside.parentElement;
    if (!inside || [document.body, document.documentElement].includes(inside)) found.push(e.outerHTML.slice(0, 120));
  }
  if (paper) {
    for (const e of document.querySelectorAll('pre, .wide'))
      if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== 'visible')
        found.push('cut off: ' + e.outerHTML.slice(0, 120));
  }
  return found.slice(0, 3);
})"""


# On a phone, only what the width decides is asked again: the rest is most of the work.
_OF_THE_WIDTH = ", runOnly: {type: 'rule', values: ['scrollable-region-focusable', 'meta-viewport']}"
_COLOURS_APART = ", rules: {'color-contrast': {enabled: false}}"

#: All that a page is looked at on.
EVERYWHERE = (SCREEN, PHONE, PAPER)


@dataclass(frozen=True)
class Looking:
    """How a page is looked at: on what, of which looks a picture is kept, and whether contrasts are computed."""

    on: tuple[int, ...] = EVERYWHERE
    pictures: tuple[int, ...] = EVERYWHERE
    contrast: bool = True


@dataclass
class Look:
    """How a page is at one width."""

    beyond: list[str]
    violations: list
    passes: int
    picture: bytes | None


@dataclass
class Visit:
    """What happened while a page was open."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    looks: dict[int, Look] = field(default_factory=dict)


def visit_all(
    pages: Iterable[Path],
    profile: Path,
    tabs: int = 2,
    how: Callable[[Path], Looking] = lambda page: Looking(),
) -> dict[Path, Visit]:
    """Look at pages, `tabs` of them at once: on a screen, on a phone, and as they are printed."""
    return asyncio.run(_visit_all(list(pages), profile, tabs, how))


async def _visit_all(pages: list[Path], profile: Path, tabs: int, how: Callable) -> dict[Path, Visit]:
    waiting, visits = list(reversed(pages)), {}
    async with _Browser(profile) as browser:

        async def one_tab() -> None:
            session = await browser.tab()
            while waiting:
                page = waiting.pop()
                visits[page] = await _visit(browser, session, page, how(page))

        async with asyncio.TaskGroup() as group:
            for _ in range(min(tabs, len(pages))):
                group.create_task(one_tab())
    return {page: visits[page] for page in pages}


class _Browser:
    """A running Chromium; what happens in a tab is kept as events until somebody takes them."""

    def __init__(self, profile: Path):
        self._profile = profile
        self._asked: dict[int, asyncio.Future] = {}
        self.events: dict[str, list[dict]] = defaultdict(list)
        self._news = asyncio.Condition()

    async def __aenter__(self):
        ours, self._write = os.pipe()
        read, theirs = os.pipe()
        # The browser reads at 3 and writes at 4.
        script = f'exec 3<&{ours} 4>&{theirs}; exec "$@"'
        self._process = subprocess.Popen(
            [BASH, "-c", script, "chromium", CHROMIUM, *_FLAGS, f"--user-data-dir={self._profile}", "about:blank"],
            pass_fds=(ours, theirs),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(ours)
        os.close(theirs)
        self._messages = asyncio.StreamReader(limit=1 << 28)
        self._pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self._messages), os.fdopen(read, "rb")
        )
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_):
        self._listening.cancel()
        os.close(self._write)
        self._pipe.close()
        self._process.terminate()
        self._process.wait(60)

    async def _listen(self) -> None:
        try:
            while True:
                message = json.loads((await self._messages.readuntil(b"\0"))[:-1])
                if "id" in message:
                    self._asked.pop(message["id"]).set_result(message)
                else:
                    self.events[message.get("sessionId", "")].append(message)
                    async with self._news:
                        self._news.notify_all()
        except asyncio.IncompleteReadError:
            for future in self._asked.values():
                future.set_exception(AssertionError("Chromium has gone"))

    async def ask(self, method: str, session: str | None = None, **params: object) -> dict:
        """Ask for something and wait for the answer."""
        number = self.number = getattr(self, "number", 0) + 1
        asked = {"id": number, "method": method, "params": params, **({"sessionId": session} if session else {})}
        self._asked[number] = future = asyncio.get_running_loop().create_future()
        os.write(self._write, json.dumps(asked).encode() + b"\0")
        message = await asyncio.wait_for(future, 600)
        assert "error" not in message, message
        return message["result"]

    async def wait_for(self, method: str, session: str) -> None:
        async with asyncio.timeout(600), self._news:
            await self._news.wait_for(lambda: any(event["method"] == method for event in self.events[session]))

    async def evaluate(self, session: str, expression: str) -> object:
        said = await self.ask(
            "Runtime.evaluate", session, expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    async def tab(self) -> str:
        """Open a tab and return its session."""
        target = (await self.ask("Target.createTarget", url="about:blank", newWindow=True))["targetId"]
        session = (await self.ask("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            await self.ask(f"{domain}.enable", session)
        return session


async def _visit(browser: _Browser, session: str, page: Path, how: Looking) -> Visit:
    await _show(browser, session, SCREEN, "screen")
    browser.events[session].clear()
    await browser.ask("Page.navigate", session, url=page.as_uri())
    await browser.wait_for("Page.loadEventFired", session)
    done = Visit()
    await browser.evaluate(session, _axe() + ";0")
    for width in how.on:
        await _show(browser, session, width, "print" if width == PAPER else "screen")
        done.looks[width] = await _look(browser, session, width, how)
    for event in browser.events[session]:
        what, told = event["method"], event.get("params", {})
        if what == "Network.requestWillBeSent":
            done.requests.append(told["request"]["url"])
        elif what == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            done.complaints.append(told["entry"]["text"])
        elif what == "Runtime.exceptionThrown":
            done.complaints.append(str(told["exceptionDetails"].get("text")))
        elif what == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
            done.complaints.append(str(told["args"]))
    return done


async def _show(browser: _Browser, session: str, width: int, medium: str) -> None:
    await browser.ask("Emulation.setEmulatedMedia", session, media=medium)
    await browser.ask(
        "Emulation.setDeviceMetricsOverride", session, width=width, height=900, deviceScaleFactor=1, mobile=False
    )


async def _look(browser: _Browser, session: str, width: int, how: Looking) -> Look:
    beyond = await browser.evaluate(session, f"{_BEYOND}({'true' if width == PAPER else 'false'})")
    found = {"violations": [], "passes": 0}
    if width != PAPER:
        every = "" if how.contrast else _COLOURS_APART
        found = await browser.evaluate(session, _AXE.format(every if width == SCREEN else _OF_THE_WIDTH))
    picture = await _picture(browser, session, width) if width in how.pictures else None
    return Look(beyond, found["violations"], found["passes"], picture)


async def _picture(browser: _Browser, session: str, width: int) -> bytes:
    height = min(await browser.evaluate(session, "document.documentElement.scrollHeight"), HIGHEST)
    taken = await browser.ask(
        "Page.captureScreenshot",
        session,
        captureBeyondViewport=True,
        clip={"x": 0, "y": 0, "width": width, "height": height, "scale": 1},
        optimizeForSpeed=True,
    )
    return base64.b64decode(taken["data"])


@cache
def _axe() -> str:
    # The package itself wants playwright; only the script that it carries is used.
    return Path(find_spec("axe_core_python").origin).with_name("axe.min.js").read_text(encoding="utf-8")
