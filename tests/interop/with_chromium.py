"""Chromium shows the report of a run: nothing is requested, every figure is there, and it fits a desk and a phone."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from common import DEVICE, shadegrad

# Window widths and the least size of letters in plots, in pixels.
WINDOWS = [(1280, 11), (390, 10)]
# Stands beside what Chromium asks for by itself, whatever it shows.
ITS_OWN = "not an origin"
SECTIONS = "curves confusion classes mistakes pixels filters activations kernels settings".split()
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
# Measures the page, and tells the one around it.
PROBE = """<script>addEventListener("load", () => {
const box = e => e.getBoundingClientRect();
const all = s => [...document.querySelectorAll(s)];
const found = {
  width: document.documentElement.scrollWidth, window: innerWidth,
  empty: all("img").filter(i => !i.naturalWidth).length, images: all("img").length,
  letters: Math.min(...all("svg text").map(t => parseFloat(t.getAttribute("font-size")) * box(t.ownerSVGElement).width / t.ownerSVGElement.viewBox.baseVal.width)),
  sections: all("section").filter(s => box(s).height > 60).map(s => s.id),
};
parent.postMessage(JSON.stringify(found), "*");
});</script></body>"""
# Windows have a least width that is larger than a phone's; frames have none.
FRAME = """<!DOCTYPE html><body><script>
onmessage = message => document.body.innerHTML = "<pre id=found>" + message.data + "</pre>";
</script><iframe src="probed.html" style="border:0;width:WIDTHpx;height:3000px"></iframe></body>"""


def chromium(page, *arguments):
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    assert program, "no Chromium"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
             "--disable-background-networking", f"--user-data-dir={page.parent / 'profile'}",
             "--virtual-time-budget=3000", "--window-size=1400,1600"]
    command = [program, *flags, *arguments, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def requests(page):
    log = page.with_suffix(".netlog")
    chromium(page, f"--log-net-log={log}", f"--screenshot={page.with_suffix('.png')}")
    events = json.loads(log.read_text())["events"]
    started = [event["params"] for event in events if "initiator" in event.get("params", {})]
    urls = {params["url"] for params in started if params["initiator"] != ITS_OWN}
    return sorted(url for url in urls if url.startswith("http"))



def main(folder):
    folder.mkdir()
    run, page = folder / "run", folder / "report.html"
    arguments = ["--limit", 2000, "--epochs", 3, "--validation-split", 0.1, "--profile", "--device", DEVICE]
    shadegrad("train", *arguments, "--out", run)
    shadegrad("report", run, "--out", page, "--device", DEVICE)
    html = page.read_text()
    bare, count = POLICY.subn("", html)
    assert count == 1

    asked = folder / "asks.html"
    asked.write_text(bare.replace("</body>", '<img src="http://127.0.0.1:9/x.png"></body>'))
    assert requests(asked) == ["http://127.0.0.1:9/x.png"], "a request would not be noticed"
    assert requests(page) == [], requests(page)
    print("nothing is requested")

    (folder / "probed.html").write_text(bare.replace("</body>", PROBE))
    for width, letters in WINDOWS:
        frame = folder / "frame.html"
        frame.write_text(FRAME.replace("WIDTH", str(width)))
        dom = chromium(frame, "--dump-dom")
        found = json.loads(re.search(r'<pre id="found">(.*?)</pre>', dom)[1])
        print(found)
        assert found["window"] == width, found
        assert found["width"] <= width, "the page is wider than the window"
        assert found["images"] > 5 and found["empty"] == 0, "a picture does not show"
        assert found["letters"] >= letters, "letters in plots are too small"
        assert found["sections"] == SECTIONS, found["sections"]


main(Path(sys.argv[1]))
