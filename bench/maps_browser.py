# ruff: noqa: E501 - the lines of the scripts are theirs
"""A map page in a real browser: when it is painted, and how it follows fingers.

Law: a frame is counted when the browser asked the page for it, so the count cannot exceed what the
screen shows; and fingers move at every frame, so that none is free.
"""

import shutil
import statistics
from pathlib import Path
from typing import Any

_SIZES = {"360x740": (360, 740, 2), "1440x900": (1440, 900, 1)}
_LOADS = 3
_GESTURE_MS = 3000


def in_browser(page: Path) -> None:
    """Print the median time to the first painted map on a CPU slowed down four times, and frames a
    second while one finger drags it and two fingers pinch it, at full speed and slowed down."""
    if shutil.which("chromium") is None or shutil.which("chromedriver") is None:
        print("  no chromium here: first paint and frames are not measured")
        return
    from selenium import webdriver  # noqa: PLC0415 - only where there is a browser

    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND"):
        options.add_argument(argument)
    browser = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
        browser.set_script_timeout(60)
        for name, (wide, high, ratio) in _SIZES.items():
            browser.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride",
                {"width": wide, "height": high, "deviceScaleFactor": ratio, "mobile": True},
            )
            _measured(browser, page, name)
    finally:
        browser.quit()


def _measured(browser: Any, page: Path, size: str) -> None:
    browser.execute_cdp_cmd("Emulation.setCPUThrottlingRate", {"rate": 4})
    # The peer is not timed: without a network its scripts never come, and it paints nothing.
    paints = []
    for _ in range(_LOADS):
        browser.get("about:blank")
        browser.get(page.as_uri())
        paints.append(browser.execute_async_script(_PAINTED) / 1000)
    print(
        f"  in Chromium at {size}, CPU slowed 4 times: map painted after "
        f"{statistics.median(paints):.2f} s (median of {_LOADS})"
    )
    for rate in (1, 4):
        browser.execute_cdp_cmd("Emulation.setCPUThrottlingRate", {"rate": rate})
        for gesture in ("drag", "pinch"):
            frames, longest = browser.execute_async_script(_MOVED, gesture, _GESTURE_MS)
            print(
                f"    {gesture}, CPU slowed {rate} times: {frames:.0f} frames/s, "
                f"longest frame {longest:.0f} ms"
            )


_PAINTED = """
const done = arguments[0];
const look = () => document.querySelector('.folium-map > canvas')?.width && document.getElementById('stable').textContent
  ? requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))) : setTimeout(look, 5);
look();
"""

_MOVED = """
const [kind, milliseconds, done] = arguments, stage = document.querySelector('.folium-map');
const box = stage.getBoundingClientRect(), x = box.left + box.width / 2, y = box.top + box.height / 2;
const send = (type, places) => {
  const touches = places.map(([dx, dy], n) => new Touch({ identifier: n, target: stage, clientX: x + dx, clientY: y + dy }));
  stage.dispatchEvent(new TouchEvent(type, { bubbles: true, cancelable: true, touches, targetTouches: touches, changedTouches: touches }));
};
const times = [], begin = performance.now();
const at = (now) => { const t = (now - begin) / 1000;
  return kind === 'drag' ? [[110 * Math.sin(2 * t), 70 * Math.sin(3 * t)]]
    : [-1, 1].map((side) => [side * (60 + 50 * Math.sin(2 * t)), side * 20]); };
send('touchstart', at(begin));
const step = (now) => {
  times.push(now);
  if (now - begin < milliseconds) {
    send('touchmove', at(now));
    requestAnimationFrame(step);
  } else {
    send('touchend', []);
    const gaps = times.slice(1).map((time, n) => time - times[n]).sort((a, b) => a - b);
    done([1000 * gaps.length / (times.at(-1) - times[0]), gaps.at(-1)]);
  }
};
requestAnimationFrame(step);
"""
