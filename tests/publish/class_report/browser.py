"""axe-core in a headless Chromium: what keeps people from reading a page."""

import json
import re
import shutil
import subprocess
from html import unescape
from importlib.util import find_spec
from pathlib import Path

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)

_RUN = """
axe.run(document, {resultTypes: ["violations"]}).then(function (found) {
  var told = document.createElement("pre");
  told.id = "axe-told";
  told.textContent = JSON.stringify({
    passes: found.passes.length,
    violations: found.violations.map(function (v) {
      return [v.id, v.impact, v.nodes.map(function (n) { return n.html; })];
    })
  });
  document.body.appendChild(told);
});
"""


def violations(page: str, folder: Path) -> list:
    """Return what axe-core finds wrong with a page, run in a copy of it that lets scripts run."""
    # The package itself wants playwright; only the script that it carries is used.
    script = Path(find_spec("axe_core_python").origin).with_name("axe.min.js").read_text(encoding="utf-8")
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    file = folder / "page.html"
    file.write_text(
        page.replace("</body>", f"<script>{script}</script><script>{_RUN}</script></body>"), encoding="utf-8"
    )
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=20000", "--dump-dom", file.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, timeout=300, check=True)
    told = re.search(r'<pre id="axe-told">(.*?)</pre>', done.stdout.decode(), re.DOTALL)
    assert told, "axe-core said nothing"
    found = json.loads(unescape(told[1]))
    assert found["passes"] > 10
    return found["violations"]
