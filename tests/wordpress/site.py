"""A real WordPress from Debian's packages: its own MariaDB, PHP's web server, everything below one folder and ended with it."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.program import free_port

CORE = Path(os.environ.get("WORDPRESS_CORE", "/usr/share/wordpress"))
"""Debian's, or another release unpacked somewhere; the Akismet plugin that lies in it is the one that is tried."""
CONNECTOR = Path(__file__).parents[2] / "deploy" / "wordpress" / "comment-desk"
NEEDED = ("php", "mariadbd", "mariadb-install-db", "mariadb")
START_TIMEOUT_S = 120.0
PASSWORD = "correct horse"
NO_MAIL = "sendmail_path=/bin/true"

CONFIG = """<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:{socket}'); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
define('WP_HOME', '{url}'); define('WP_SITEURL', '{url}');
define('AUTH_KEY', 'a'); define('SECURE_AUTH_KEY', 'b'); define('LOGGED_IN_KEY', 'c'); define('NONCE_KEY', 'd');
define('AUTH_SALT', 'e'); define('SECURE_AUTH_SALT', 'f'); define('LOGGED_IN_SALT', 'g'); define('NONCE_SALT', 'h');
define('DISABLE_WP_CRON', true); define('AUTOMATIC_UPDATER_DISABLED', true); define('WP_HTTP_BLOCK_EXTERNAL', true);
define('WP_ACCESSIBLE_HOSTS', '127.0.0.1,localhost,rest.akismet.com');
define('WP_DEBUG', true); define('WP_DEBUG_DISPLAY', false); define('WP_DEBUG_LOG', '{log}');
$table_prefix = 'wp_';
if (!defined('ABSPATH')) {{ define('ABSPATH', __DIR__ . '/'); }}
require_once ABSPATH . 'wp-settings.php';
"""
ROUTER = """<?php
// Keeps PHP's own server from serving a folder's listing; everything else goes where it would.
return false;
"""


def missing() -> str | None:
    """What is not here, in words, or None."""
    if not (CORE / "wp-includes" / "version.php").exists():
        return "WordPress is not installed"
    absent = [name for name in NEEDED if shutil.which(name) is None]
    return f"{', '.join(absent)} not installed" if absent else None


class WordPress:
    """A running site; ``php`` runs code inside of it, as WP-CLI would."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.log = folder.parent / "debug.log"

    def php(self, code: str, *, user: str | None = None, before: str = "") -> Any:
        """Run PHP in the site and return what it returns, by way of JSON."""
        wrapped = f"""<?php
        $_SERVER['HTTP_HOST'] = '{self.url.removeprefix("http://")}'; $_SERVER['REQUEST_METHOD'] = 'GET';
        define('WP_USE_THEMES', false); {before}
        require '{self.folder}/wp-load.php';
        {f"wp_set_current_user(get_user_by('login', '{user}')->ID);" if user else ""}
        $result = (function () {{ {code} }})();
        do_action('test_done');
        echo "\\x01" . json_encode($result) . "\\x01";
        """
        done = subprocess.run(
            ["php", "-d", "display_errors=stderr", "-d", NO_MAIL],
            input=wrapped,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert "\x01" in done.stdout, done.stdout + done.stderr
        return json.loads(done.stdout.split("\x01")[1])

    def comment(self, text: str, *, post: int = 1, **fields: str) -> requests.Response:
        """Send the form under an article, as a reader's browser does."""
        form = {
            "author": "ليلى",
            "email": "layla@example.com",
            "url": "",
            "comment": text,
            "comment_post_ID": str(post),
            "comment_parent": "0",
            **fields,
        }
        return requests.post(f"{self.url}/wp-comments-post.php", data=form, allow_redirects=False, timeout=40)

    def status(self, comment_id: int) -> str:
        """The state WordPress has a comment in."""
        return str(self.php(f"return get_comment({comment_id})->comment_approved;"))

    def comments(self) -> list[dict[str, Any]]:
        """Every comment with what the connector keeps beside it, oldest first."""
        return list(
            self.php(
                """return array_map(function ($c) {
                    return ['id' => (int) $c->comment_ID, 'status' => $c->comment_approved, 'text' => $c->comment_content,
                            'external_id' => get_comment_meta($c->comment_ID, '_comment_desk_external_id', true),
                            'desk_id' => get_comment_meta($c->comment_ID, '_comment_desk_id', true),
                            'pending' => get_comment_meta($c->comment_ID, '_comment_desk_pending', true),
                            'verdict' => get_comment_meta($c->comment_ID, '_comment_desk_verdict', true)];
                }, array_map('get_comment', $GLOBALS['wpdb']->get_col(
                    "SELECT comment_ID FROM {$GLOBALS['wpdb']->comments} ORDER BY comment_ID")));"""
            )
        )

    def faults(self) -> list[str]:
        """What PHP complained of in the connector."""
        if not self.log.exists():
            return []
        return [
            line for line in self.log.read_text("utf-8", "replace").splitlines() if "comment-desk" in line
        ]


@contextmanager
def running(folder: Path) -> Iterator[WordPress]:
    """Install and serve a site below ``folder`` until the block ends."""
    site = folder / "site"
    shutil.copytree(CORE, site, symlinks=False, ignore_dangling_symlinks=True)
    shutil.copytree(CONNECTOR, site / "wp-content" / "plugins" / "comment-desk")
    with _database(folder) as socket, _server(folder, site, socket) as url:
        wordpress = WordPress(site, url)
        wordpress.php(
            f"""require_once ABSPATH . 'wp-admin/includes/upgrade.php';
            return wp_install('أخبار', 'editor', 'editor@example.com', true, '', '{PASSWORD}', 'en_US');""",
            before="define('WP_INSTALLING', true);",
        )
        yield wordpress


@contextmanager
def _database(folder: Path) -> Iterator[Path]:
    data, socket = folder / "mariadb", folder / "db.sock"
    user = ["--user=root"] if os.geteuid() == 0 else []
    subprocess.run(
        [
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            *user,
        ],
        check=True,
        capture_output=True,
        timeout=180,
    )
    process = subprocess.Popen(
        [
            "mariadbd",
            "--no-defaults",
            f"--datadir={data}",
            f"--socket={socket}",
            "--skip-networking",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-buffer-pool-size=64M",
            f"--pid-file={folder / 'db.pid'}",
            *user,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        client = ["mariadb", "--no-defaults", f"--socket={socket}", "-u", "root", "-e"]
        _until(
            lambda: (
                subprocess.run(
                    [*client, "CREATE DATABASE IF NOT EXISTS wordpress CHARACTER SET utf8mb4"],
                    capture_output=True,
                    check=False,
                ).returncode
                == 0
            )
        )
        yield socket
    finally:
        process.terminate()
        process.wait(timeout=90)


@contextmanager
def _server(folder: Path, site: Path, socket: Path) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    config = CONFIG.format(socket=socket, url=url, log=folder / "debug.log")
    (site / "wp-config.php").write_text(config, "utf-8")
    (site / "router.php").write_text(ROUTER, "utf-8")
    process = subprocess.Popen(
        ["php", "-d", NO_MAIL, "-S", f"127.0.0.1:{port}", "-t", str(site), str(site / "router.php")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PHP_CLI_SERVER_WORKERS": "4"},
        start_new_session=True,
    )
    try:
        _until(lambda: _answers(f"{url}/wp-includes/version.php"))
        yield url
    finally:
        os.killpg(process.pid, 15)
        process.wait(timeout=90)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code < 500
    except requests.RequestException:
        return False


def _until(is_so: Any) -> None:
    until_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < until_s:
        if is_so():
            return
        time.sleep(0.1)
    raise AssertionError("not there in time")
