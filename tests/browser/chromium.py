"""A headless Chromium for tests, driven over its DevTools protocol: it clicks, types and looks as a reader does."""

import asyncio
import base64
import ctypes
import itertools
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
START_TIMEOUT_S = 60.0
WAIT_S = 45.0
PR_SET_PDEATHSIG = 1  # linux/prctl.h
KEYS = {"Enter": 13, "Tab": 9}


def find_chromium() -> str | None:
    """Return the browser's program, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((found for name in names if (found := shutil.which(name))), None)


class Page:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._loaded = asyncio.Event()
        self.requested: list[str] = []
        """Every address the page asked for."""
        self.faults: list[str] = []
        """What the browser wrote on its console as an error: refused by the content policy, thrown by a script."""

    async def read(self) -> None:
        """Take in what the browser says until it ends."""
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" in said:
                answer = self._answers.pop(said["id"])
                if not answer.done():
                    answer.set_result(said)
            else:
                self._notice(said["method"], said["params"])

    def _notice(self, method: str, params: dict[str, Any]) -> None:
        if method == "Page.loadEventFired":
            self._loaded.set()
        elif method == "Network.requestWillBeSent":
            self.requested.append(params["request"]["url"])
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.faults.append(params["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.faults.append(params["exceptionDetails"]["text"])

    async def call(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(WAIT_S):
            said = await answer
        assert "error" not in said, (method, said)
        return said["result"]

    async def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        said = await self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    async def open(self, url: str) -> None:
        await self.during_load(self.call("Page.navigate", url=url))

    async def during_load(self, action: Any) -> None:
        """Do something that leads to another page, and wait until that one is loaded."""
        self._loaded.clear()
        await action
        async with asyncio.timeout(WAIT_S):
            await self._loaded.wait()

    async def until(self, expression: str) -> None:
        """Wait until the expression is true."""
        until_s = time.monotonic() + WAIT_S
        while not await self.evaluate(f"Boolean({expression})"):
            assert time.monotonic() < until_s, (expression, await self.text("body"), self.faults)
            await asyncio.sleep(0.02)

    async def text(self, selector: str) -> str:
        """Return what an element shows, with single line breaks."""
        shown = await self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")
        return "\n".join(line for line in shown.splitlines() if line.strip())

    async def focused(self) -> str:
        """Return the name, or else the id, of what has the focus."""
        return str(await self.evaluate("document.activeElement.name || document.activeElement.id"))

    async def click(self, selector: str) -> None:
        x, y = await self.evaluate(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'center'}});"
            " const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def fill(self, selector: str, text: str) -> None:
        """Click into a field, empty it, and type."""
        await self.click(selector)
        await self.evaluate("document.activeElement.select()")
        await self.call("Input.insertText", text=text)
        if not text:
            await self.evaluate("document.activeElement.value = ''")

    async def press(self, key: str) -> None:
        code = KEYS[key]
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            pressed = text if kind == "keyDown" else {}
            await self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **pressed
            )

    async def stroke(self, code: str, key: str, *, shift: bool = False) -> None:
        """Press the key at a place of the keyboard (``code``) on a layout where it writes ``key``."""
        for kind in ("keyDown", "keyUp"):
            await self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=code,
                modifiers=8 if shift else 0,
                **({"text": key} if kind == "keyDown" and len(key) == 1 else {}),
            )

    async def resize(self, width: int, height: int) -> None:
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    async def without_scripts(self) -> None:
        await self.call("Emulation.setScriptExecutionDisabled", value=True)

    async def speak(self, language: str) -> None:
        """Prefer a language, as the reader's settings would."""
        agent = await self.evaluate("navigator.userAgent")
        await self.call("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=language)

    async def screenshot(self, path: Path) -> None:
        """Write the whole page as a PNG."""
        width, height = await self.evaluate("[innerWidth, document.documentElement.scrollHeight]")
        await self.resize(width, height)
        shot = await self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(shot["data"]))


@asynccontextmanager
async def running_chromium(program: str) -> AsyncIterator["Chromium"]:
    """Run the browser with a profile of its own; it and its own processes are gone when the block ends."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - one call into libc, which takes no lock
        )
        try:
            yield Chromium(await _port(process, Path(profile) / "DevToolsActivePort"))
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                await asyncio.to_thread(process.wait, 10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _end_with_parent() -> None:
    """Ask Linux to end this process when the tests are killed, so that no browser is left behind."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


async def _port(process: subprocess.Popen[bytes], file: Path) -> int:
    async with asyncio.timeout(START_TIMEOUT_S):
        while True:
            assert process.poll() is None, f"Chromium ended with {process.returncode}"
            lines = file.read_text().splitlines() if file.exists() else []
            if len(lines) == 2:
                return int(lines[0])
            await asyncio.sleep(0.05)


class Chromium:
    """The running browser."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    @asynccontextmanager
    async def page(self, *, width: int = 1280, height: int = 900) -> AsyncIterator[Page]:
        """Open a tab; closed when the block ends."""
        async with aiohttp.ClientSession() as session:
            async with session.put(f"{self._url}/json/new?about:blank") as answer:
                tab = await answer.json(content_type=None)
            async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                page = Page(socket)
                reading = asyncio.create_task(page.read())
                for domain in ("Page", "Runtime", "Network", "Log"):
                    await page.call(f"{domain}.enable")
                await page.resize(width, height)
                try:
                    yield page
                finally:
                    reading.cancel()
                    await asyncio.gather(reading, return_exceptions=True)
            async with session.get(f"{self._url}/json/close/{tab['id']}"):
                pass
