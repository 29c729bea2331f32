"""What a browser calls itself, cut down to what its owner knows it by."""

import re

_BROWSERS = (
    ("Edge", r"\bEdg(?:e|A|iOS)?/"),
    ("Opera", r"\bOPR/"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Firefox", r"\b(?:Firefox|FxiOS)/"),
    ("Chrome", r"\b(?:Chrome|CriOS|HeadlessChrome)/"),
    ("Safari", r"\bVersion/\S+ .*\bSafari/"),
)
"""In this order: many call themselves Chrome, too, and Chrome calls itself Safari."""
_SYSTEMS = (
    ("Android", r"\bAndroid\b"),
    ("iPad", r"\biPad\b"),
    ("iPhone", r"\biPhone\b"),
    ("Windows", r"\bWindows\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("macOS", r"\bMac OS X\b"),
    ("Linux", r"\bLinux\b"),
)


def device_of(user_agent: str) -> str:
    """Return browser and system, as ``Firefox · Android``, at most 30 characters; empty where neither is known."""
    found = [
        next((name for name, sign in kinds if re.search(sign, user_agent)), "")
        for kinds in (_BROWSERS, _SYSTEMS)
    ]
    return " · ".join(filter(None, found))
