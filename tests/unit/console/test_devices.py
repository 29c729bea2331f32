"""What browsers call themselves, and what is kept of it."""

import pytest

from moderation.console.devices import device_of

LIKE_CHROME = "Mozilla/5.0 (%s) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
WINDOWS = "Windows NT 10.0; Win64; x64"
APPLE = "Mozilla/5.0 (%s) AppleWebKit/605.1.15 (KHTML, like Gecko) %s Safari/604.1"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (LIKE_CHROME % WINDOWS, "Chrome · Windows"),
        (LIKE_CHROME % WINDOWS + " Edg/131.0.0.0", "Edge · Windows"),
        (LIKE_CHROME % WINDOWS + " OPR/114.0.0.0", "Opera · Windows"),
        (LIKE_CHROME % "X11; CrOS x86_64 14541.0.0", "Chrome · ChromeOS"),
        (LIKE_CHROME % "Linux; Android 10; K", "Chrome · Android"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox · Linux"),
        (APPLE % ("Macintosh; Intel Mac OS X 10_15_7", "Version/18.1"), "Safari · macOS"),
        (
            APPLE % ("iPhone; CPU iPhone OS 18_1 like Mac OS X", "Version/18.1 Mobile/15E148"),
            "Safari · iPhone",
        ),
        (APPLE % ("iPad; CPU OS 18_1 like Mac OS X", "CriOS/131.0 Mobile/15E148"), "Chrome · iPad"),
        ("curl/8.5.0", ""),
        ("", ""),
        ("<script>alert(1)</script> Linux", "Linux"),
    ],
)
def test_browser_and_system_are_kept_and_nothing_else(written: str, kept: str) -> None:
    assert device_of(written) == kept
