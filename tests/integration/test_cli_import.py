"""`moderation comments import`: archives of every kind, beside running engines, twice, damaged, and broken off."""

import asyncio
import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from moderation.engines import EngineAddresses
from moderation.storage.database import Database
from tests.program import PROGRAM
from tests.terminal import DONE, FAILED, SITE, WRONG_USAGE, Operator, desk, owned
from tests.unit.protocols.test_imports import HEAD, ITEM, TAIL, comment

__all__ = ["desk", "owned"]


@pytest.fixture
async def database(owned: tuple[Path, EngineAddresses]) -> Any:
    pool = Database(owned[1].database_url, size=2)
    yield pool
    await pool.close()


@pytest.fixture
def site(desk: Operator, request: pytest.FixtureRequest) -> str:
    name = f"s{abs(hash(request.node.name)) % 10**9}"
    desk.get("site", "add", name, *SITE)
    return name


async def rows(database: Database, site: str, query: str) -> list[Any]:
    async with database.connection() as connection:
        return await connection.fetch(
            query, await connection.fetchval("SELECT id FROM sites WHERE name = $1", site)
        )


STORED = """
SELECT c.external_id, c.state, c.text, c.email_sealed, c.email_hash, c.parent_id, c.origin, d.decided_by, d.reasons, d.position
  FROM comments c JOIN decisions d ON d.comment_id = c.id WHERE c.site_id = $1 ORDER BY c.external_id
"""


async def test_a_wordpress_export_goes_in_once_however_often_it_is_taken_in(
    desk: Operator, site: str, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "export.xml"
    reply = comment(4).replace("<wp:comment_parent>0", "<wp:comment_parent>1")
    email = "<wp:comment_author_email>reader@example.com</wp:comment_author_email><wp:comment_content>"
    first = comment(1).replace("<wp:comment_content>", email)
    file.write_text(
        HEAD + ITEM + first + comment(2, "spam") + comment(3, "trash") + reply + comment(5, "0") + TAIL
    )
    said = desk.get("comments", "import", str(file), "--site", site)
    assert (said["rows"], said["stored"], said["faulty"]) == (5, 5, 0)
    assert said["labelled"] == {"approved": 2, "spam": 1, "rejected": 1, "pending": 1}
    again = desk.get("comments", "import", str(file), "--site", site)
    assert (again["stored"], again["known"]) == (0, 5)
    stored = await rows(database, site, STORED)
    assert [row["state"] for row in stored] == ["approved", "rejected", "rejected", "approved", "held"]
    assert [[reason["code"] for reason in row["reasons"]] for row in stored[1:3]] == [["spam"], ["other"]]
    assert stored[3]["parent_id"] is not None
    assert all(row["decided_by"] == "site" and row["position"] == 0 for row in stored)
    assert b"reader@" not in stored[0]["email_sealed"]
    assert stored[0]["email_hash"] is not None


async def test_bad_rows_are_told_by_line_and_the_rest_goes_in(
    desk: Operator, site: str, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "rows.jsonl"
    good = {
        "text": "نص",
        "state": "approved",
        "author": {"email": "not an address"},
        "created_at": "yesterday",
    }
    lines = [
        json.dumps(good),
        "{",
        json.dumps({"text": "", "state": "spam"}),
        json.dumps({"text": "x\u0000", "state": "spam"}),
    ]
    file.write_text("\n".join([*lines, json.dumps({"text": "قرض", "spam": 1, "id": 9})]))
    said = desk.get("comments", "import", str(file), "--site", site)
    assert (said["stored"], said["labels"], said["faulty"], said["mended"]) == (1, 1, 3, 2)
    told = [(fault["line"], fault["is_left_out"]) for fault in said["faults"]]
    assert told == [(1, False), (1, False), (2, True), (3, True), (4, True)]
    assert all("نص" not in fault["reason"] for fault in said["faults"])
    again = desk.get("comments", "import", str(file), "--site", site)
    assert (again["stored"], again["known"]) == (0, 1)
    labels = await rows(
        database, site, "SELECT source, text, spam, abuse, reject FROM labels WHERE site_id = $1"
    )
    assert [tuple(row) for row in labels] == [("import", "قرض", 1, None, None)]
    spoken = desk.run("comments", "import", str(file), "--site", site)
    assert spoken.returncode == DONE
    assert "line 2: is not JSON" in spoken.stderr


@pytest.mark.parametrize("minified", [False, True])
async def test_a_file_that_breaks_off_leaves_what_stood_before(
    desk: Operator, site: str, database: Database, tmp_path: Path, minified: bool
) -> None:
    file = tmp_path / "export.xml"
    whole = HEAD + ITEM + comment(1) + comment(2) + comment(3)
    file.write_text((whole.replace("\n", "") if minified else whole)[:-30])
    done = desk.run("comments", "import", str(file), "--site", site)
    assert done.returncode == FAILED
    assert "cut off" in done.stderr
    assert len(await rows(database, site, STORED)) == 2


def test_what_is_no_archive_is_refused(desk: Operator, site: str, tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("a,b\n1,2\n")
    said = desk.run("comments", "import", str(file), "--site", site)
    assert (said.returncode, said.stdout) == (FAILED, "")
    assert "no column 'text'; it has a, b" in said.stderr
    assert (
        desk.run("comments", "import", str(file), "--site", site, "--column", "oops=a").returncode
        == WRONG_USAGE
    )
    assert desk.run("comments", "import", str(file), "--site", "nobody").returncode == FAILED


async def test_an_arabic_table_in_its_own_encoding_goes_in(
    desk: Operator, site: str, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes("رأي,حال\nنص عربي,2\n".encode("windows-1256"))
    options = ("--column", "text=رأي", "--column", "state=حال", "--state", "2=approved")
    assert desk.run("comments", "import", str(file), "--site", site, *options).returncode == FAILED
    said = desk.get("comments", "import", str(file), "--site", site, *options, "--encoding", "windows-1256")
    assert said["stored"] == 1
    assert (await rows(database, site, STORED))[0]["text"] == "نص عربي"
    file.write_bytes("رأي,حال\nنص آخر,2\n".encode("utf-16"))  # a mark says what it is
    assert desk.get("comments", "import", str(file), "--site", site, *options)["stored"] == 1


LABELLED = """
SELECT count(*) AS comments, count(DISTINCT c.external_id) AS different, count(l.key) AS labels
  FROM comments c LEFT JOIN labels l ON l.comment_id = c.id WHERE c.site_id = $1
"""
MANY = 4_000


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
async def test_an_import_that_was_ended_goes_on_and_stores_each_row_once(
    desk: Operator, site: str, database: Database, tmp_path: Path, number: signal.Signals
) -> None:
    file = tmp_path / "many.jsonl"
    row = {"state": "approved", "abuse": 0, "author": {"name": "ن", "email": "reader@example.com"}}
    file.write_text("".join(json.dumps({**row, "id": n, "text": f"نص {n}"}) + "\n" for n in range(MANY)))
    words = [*PROGRAM, "comments", "import", str(file), "--site", site]
    running = subprocess.Popen(
        words,
        env=desk.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        # Whoever runs the tests in the background may have SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    )
    async with asyncio.timeout(60):
        while not (await rows(database, site, LABELLED))[0]["comments"]:
            assert running.poll() is None
            await asyncio.sleep(0.01)
    running.send_signal(number)
    _, said = await asyncio.to_thread(running.communicate, timeout=60)
    (after,) = await rows(database, site, LABELLED)
    assert after["comments"] == after["labels"] == after["different"] > 0  # a comment never without its label
    if number is signal.SIGINT and after["comments"] < MANY:
        assert running.returncode == FAILED
        assert "the same command again goes on where this ended" in said.decode()
        assert "Traceback" not in said.decode()
    again = desk.get("comments", "import", str(file), "--site", site)
    assert (again["stored"], again["known"]) == (MANY - after["comments"], after["comments"])
    (whole,) = await rows(database, site, LABELLED)
    assert tuple(whole) == (MANY, MANY, MANY)


async def test_the_last_of_two_labels_of_one_text_stays_and_the_same_again_writes_nothing(
    desk: Operator, site: str, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "labels.jsonl"
    said = [
        ("نص", 1, "2026-01-02"),
        ("نص", 0, "2026-01-01"),
        ("قرض", 0, "2026-01-01"),
        ("قرض", 1, "2026-01-01"),
    ]
    file.write_text(
        "".join(
            json.dumps({"text": text, "spam": spam, "created_at": f"{day}T00:00:00Z"}) + "\n"
            for text, spam, day in said
        )
    )
    query = "SELECT text, spam, xmin::text FROM labels WHERE site_id = $1 ORDER BY text"
    assert desk.get("comments", "import", str(file), "--site", site)["labels"] == 4
    first = await rows(database, site, query)
    assert [(row["text"], row["spam"]) for row in first] == [("قرض", 1), ("نص", 1)]
    desk.get("comments", "import", str(file), "--site", site)
    assert await rows(database, site, query) == first
