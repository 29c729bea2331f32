"""`moderation models retrain --site`: from decisions to a version in force, or a clear word and nothing changed."""

import asyncio
import json
import random
import resource
import signal
import subprocess
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from moderation.engines import EngineAddresses
from moderation.learning.retraining import LOCK
from tests.program import PROGRAM
from tests.terminal import DONE, FAILED, SITE, WRONG_USAGE, Operator, desk, owned

__all__ = ["desk", "owned"]

pytestmark = pytest.mark.timeout(240)
"""Each trains several times, in processes of their own."""

GOOD = [
    "شكرا",
    "على",
    "المقال",
    "الجيد",
    "جدا",
    "وتحليل",
    "رائع",
    "مفيد",
    "للقارئ",
    "أحسنتم",
    "النشر",
    "موضوع",
    "مهم",
]
BAD = [
    "زرنبيل",
    "كفطوس",
    "شلهوط",
    "بعبوص",
    "طنبلون",
    "قرقوش",
    "هبنقع",
    "زعتوط",
    "لحبوط",
    "كركدان",
    "شنفار",
    "دحبوش",
]


def rows(count: int, *, seed: int = 1, is_flipped: bool = False) -> str:
    """Comments whose reason to reject is words that the shipped model never saw."""
    draw = random.Random(seed)
    lines = []
    for at in range(count):
        is_bad = at % 3 == 0
        words = [draw.choice(GOOD) for _ in range(8)] + (
            [draw.choice(BAD) for _ in range(4)] if is_bad else []
        )
        draw.shuffle(words)
        state = "rejected" if is_bad is not is_flipped else "approved"
        lines.append(
            json.dumps(
                {
                    "id": f"{seed}-{at}",
                    "text": " ".join(words),
                    "state": state,
                    "reason": "abuse" if state == "rejected" else None,
                    "created_at": f"2026-0{1 + at * 8 // count}-{1 + at % 28:02d}T10:00:00Z",
                    "moderator": f"m{at % 3}",
                }
            )
        )
    return "\n".join(lines)


def new_site(desk: Operator, tmp_path: Path, name: str, content: str) -> None:
    desk.get("site", "add", name, *SITE)
    file = tmp_path / f"{name}.jsonl"
    file.write_text(content, "utf-8")
    if content:
        desk.get("comments", "import", str(file), "--site", name)


def versions(desk: Operator, site: str) -> list[dict[str, Any]]:
    return [line for line in desk.get("models", "list") if line["site"] == site]


def test_a_site_whose_model_this_program_refuses_is_trained_again_beside_the_shipped_one(
    owned: tuple[Any, EngineAddresses], desk: Operator, tmp_path: Path
) -> None:
    """As after an upgrade with other feature tables, where exactly this is what an operator is told to do."""
    new_site(desk, tmp_path, "upgraded", rows(600, seed=3))
    before = desk.get("models", "retrain", "--site", "upgraded")
    assert before["status"] == "promoted"
    asyncio.run(make_foreign(owned[1].database_url, before["version"]))
    (tmp_path / "more.jsonl").write_text(rows(90, seed=4), "utf-8")
    desk.get("comments", "import", str(tmp_path / "more.jsonl"), "--site", "upgraded")
    now = desk.get("models", "retrain", "--site", "upgraded")
    assert (now["status"], now["previous"]) == ("promoted", before["version"]), now["why"]


async def make_foreign(database_url: str, version: str) -> None:
    """Take a file away from a version, so that it can no longer be loaded."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "DELETE FROM model_files WHERE version = $1 AND path = (SELECT max(path) FROM model_files"
        " WHERE version = $1 AND path LIKE '%.npy')",
        version,
    )
    await connection.close()


def test_decisions_become_the_site_s_model_and_the_same_ones_change_nothing(
    desk: Operator, tmp_path: Path
) -> None:
    new_site(desk, tmp_path, "learns", rows(600))
    done = desk.run("models", "retrain", "--site", "learns", "--json")
    assert done.returncode == DONE, done.stderr + done.stdout[:2000]
    said = json.loads(done.stdout)
    assert said["status"] == "promoted"
    assert not any(word in done.stdout for word in BAD)
    (line,) = versions(desk, "learns")
    assert (line["status"], line["in_force"], line["version"]) == ("active", ["learns"], said["version"])
    (tmp_path / "t.jsonl").write_text(
        "\n".join(json.dumps({"text": text}) for text in (" ".join(BAD), " ".join(GOOD)))
    )
    scored = desk.run(
        "models", "score", str(tmp_path / "t.jsonl"), "--model", said["version"]
    ).stdout.splitlines()
    bad, good = (json.loads(row)["reject"] for row in scored)
    assert bad > 0.8 > 0.2 > good
    page = tmp_path / "report.html"
    desk.get("models", "report", said["version"], "--html", str(page))
    assert not any(word in page.read_text("utf-8") for word in BAD)
    assert "<svg" in page.read_text("utf-8")
    assert desk.run("models", "report", said["version"], "--html", str(page), "--texts").returncode == FAILED
    desk.get("models", "report", said["version"], "--html", str(tmp_path / "texts.html"), "--texts")
    assert any(word in (tmp_path / "texts.html").read_text("utf-8") for word in GOOD)
    again = desk.get("models", "retrain", "--site", "learns")
    assert (again["status"], again["version"]) == ("unchanged", said["version"])
    back = desk.get("models", "rollback", "--site", "learns", "--reason", "a test")
    assert (back["version"], back["previous"]) == ("shipped", said["version"])
    assert versions(desk, "learns")[0]["status"] == "retired"
    last = desk.get("models", "retrain", "--site", "learns")
    assert last["status"] == "unchanged", {
        name: last[name] for name in ("status", "version", "previous", "why", "errors")
    }
    desk.get("models", "delete", said["version"])
    assert versions(desk, "learns") == []


def test_a_worse_model_stays_a_candidate_with_its_reason_and_code_3(desk: Operator, tmp_path: Path) -> None:
    new_site(desk, tmp_path, "twice", rows(600))
    assert desk.get("models", "retrain", "--site", "twice")["status"] == "promoted"
    done = desk.run("models", "retrain", "--site", "twice", "--candidate", "--json")
    assert json.loads(done.stdout)["status"] == "unchanged"
    (tmp_path / "more.jsonl").write_text(rows(60, seed=2))
    desk.get("comments", "import", str(tmp_path / "more.jsonl"), "--site", "twice")
    kept = desk.run("models", "retrain", "--site", "twice", "--candidate", "--json")
    assert kept.returncode == 3
    version = json.loads(kept.stdout)["version"]
    assert [line["status"] for line in versions(desk, "twice")] == ["candidate", "active"]
    desk.get("models", "promote", version, "--site", "twice")
    assert desk.run("models", "promote", version).returncode == FAILED


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("empty", "", "no row says"),
        (
            "onesided",
            rows(300).replace('"rejected"', '"approved"').replace('"abuse"', "null"),
            "0 of the rarer kind",
        ),
        ("few", rows(12), ""),
        ("contradictory", rows(30) + "\n" + rows(30, is_flipped=True).replace('"id": "1-', '"id": "2-'), ""),
    ],
)
def test_labels_that_nothing_can_be_learned_from_are_named(
    desk: Operator, tmp_path: Path, name: str, content: str, why: str
) -> None:
    new_site(desk, tmp_path, name, content)
    done = desk.run("models", "retrain", "--site", name)
    assert done.returncode in {FAILED, 3}
    assert why in done.stderr
    assert "Traceback" not in done.stderr
    assert all(line["status"] == "candidate" for line in versions(desk, name))


async def test_two_at_once_are_refused(desk: Operator, owned: tuple[Path, EngineAddresses]) -> None:
    other = await asyncpg.connect(owned[1].database_url)
    await other.fetchval("SELECT pg_advisory_lock($1)", LOCK)
    assert "Another retraining is under way" in await asyncio.to_thread(
        desk.fail, "models", "retrain", "--all-sites"
    )
    await other.close()


def test_an_interrupted_run_leaves_nothing(desk: Operator, tmp_path: Path) -> None:
    new_site(desk, tmp_path, "cut", rows(8000))
    process = subprocess.Popen(
        [*PROGRAM, "models", "retrain", "--site", "cut"],
        env=desk.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        process.wait(timeout=4)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=120) in {143, -signal.SIGTERM, DONE}  # ended while it still started, too
    out, err = process.communicate()
    assert "Traceback" not in err
    assert len(versions(desk, "cut")) == bool(out)  # whole, and said so, or nothing


def test_a_night_without_room_on_the_disk_names_every_site_and_changes_nothing(
    desk: Operator, tmp_path: Path
) -> None:
    for name in ("full-a", "full-b"):
        new_site(desk, tmp_path, name, rows(300))
    done = subprocess.run(
        [*PROGRAM, "models", "retrain", "--all-sites"],
        env=desk.environment,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000)),
    )
    assert done.returncode == FAILED
    said = [line for line in done.stderr.splitlines() if "File too large" in line]
    assert [line.split(": ")[1:3] for line in said if "full-" in line] == [
        ["full-a", "failed"],
        ["full-b", "failed"],
    ]
    assert "Traceback" not in done.stderr
    assert versions(desk, "full-a") == versions(desk, "full-b") == []
    assert desk.get("models", "retrain", "--site", "full-b")["status"] == "promoted"


async def test_a_night_goes_on_past_a_lost_connection_and_a_site_that_was_removed(
    desk: Operator, owned: tuple[Path, EngineAddresses], tmp_path: Path
) -> None:
    for name, count in (("night-a", 6000), ("night-b", 300), ("night-c", 300)):
        await asyncio.to_thread(new_site, desk, tmp_path, name, rows(count))
    night = await asyncio.create_subprocess_exec(
        *PROGRAM,
        *("models", "retrain", "--all-sites", "--json"),
        env=desk.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    other = await asyncpg.connect(owned[1].database_url)
    holder = await training_connection(other)
    # It must not be done with the first site while another is removed.
    night.send_signal(signal.SIGSTOP)
    await asyncio.to_thread(desk.get, "site", "remove", "night-b")
    assert await other.fetchval("SELECT pg_terminate_backend($1)", holder)
    night.send_signal(signal.SIGCONT)
    await other.close()
    out, err = await asyncio.wait_for(night.communicate(), 200)
    came = {line["site"]: (line["status"], line["why"]) for line in json.loads(out)}
    assert night.returncode == FAILED, err.decode()
    # The first of all, which is another test's where that left its sites here.
    assert [why for status, why in came.values() if status == "failed"] == [
        "PostgreSQL was lost in the middle; what was under way is not kept"
    ]
    assert came["night-b"] == ("skipped", "the site was removed meanwhile")
    assert came["night-c"][0] == "promoted"
    assert "Traceback" not in err.decode()
    assert versions(desk, "night-b") == []


async def test_a_site_that_is_removed_while_it_is_trained_gets_no_model(
    desk: Operator, owned: tuple[Path, EngineAddresses], tmp_path: Path
) -> None:
    await asyncio.to_thread(new_site, desk, tmp_path, "gone", rows(6000))
    other = await asyncpg.connect(owned[1].database_url)
    training = asyncio.create_task(asyncio.to_thread(desk.run, "models", "retrain", "--site", "gone"))
    await training_connection(other)
    await other.close()
    await asyncio.to_thread(desk.get, "site", "remove", "gone")
    done = await asyncio.wait_for(training, 200)
    assert (done.returncode, done.stderr) == (FAILED, "moderation: gone: the site was removed meanwhile\n")
    assert versions(desk, "gone") == []


async def training_connection(other: "asyncpg.Connection[Any]") -> int:
    """Wait until a retraining has begun with its first site; return the server's process that holds its lock."""
    async with asyncio.timeout(60):
        while True:
            found = await other.fetchrow(
                "SELECT a.pid, a.query FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
                "WHERE l.locktype = 'advisory' AND l.objid = $1",
                LOCK & 0xFFFF_FFFF,
            )
            if found is not None and "advisory" not in found["query"]:
                pid: int = found["pid"]
                return pid
            await asyncio.sleep(0.05)


def test_wrong_combinations_are_wrong_usage(desk: Operator, tmp_path: Path) -> None:
    for words in (("--site", "x", "--all-sites"), ("--site", "x", "--out", str(tmp_path)), ()):
        assert desk.run("models", "retrain", *words).returncode == WRONG_USAGE
    assert "no site" in desk.fail("models", "retrain", "--site", "nobody-at-all")


def test_thresholds_and_replays_say_what_to_expect_and_apply_only_when_told(
    desk: Operator, tmp_path: Path
) -> None:
    new_site(desk, tmp_path, "asks", rows(300).replace('"abuse"', '"spam"'))
    desk.get("models", "retrain", "--site", "asks")
    said = desk.get("models", "thresholds", "--site", "asks", "--precision", "0.9", "--since", "5000d")
    assert said["policy"] is None
    assert said["expected"]["spam"]["precision"] >= 0.9
    proposed = {
        thresholds["spam"]["reject"]
        for language, thresholds in said["thresholds"].items()
        if language not in said["unproven"]["spam"]
    }
    (limit,) = proposed  # a policy keeps six decimals
    assert limit == pytest.approx(said["expected"]["spam"]["threshold"], abs=1e-6)
    applied = desk.get(
        "models", "thresholds", "--site", "asks", "--queue", "1/week", "--since", "5000d", "--apply"
    )
    assert applied["expected"]["queue"]["per_day"] <= 1 / 7
    assert desk.get("policy", "show", "asks")["version"] == applied["policy"] == 2
    (tmp_path / "policy.json").write_text(json.dumps({"mode": "post", "banned_words": [
        {"name": "w", "action": "reject", "words": BAD}]}))  # fmt: skip
    found = desk.run(
        "policy",
        "replay",
        "--site",
        "asks",
        "--since",
        "5000d",
        "--policy",
        str(tmp_path / "policy.json"),
        "--json",
    )
    replayed = json.loads(found.stdout)
    before = replayed["before"]  # the policy just applied: pre-moderated, with the proposed thresholds
    assert (before["approve"], before["hold"] + before["reject"]) == (0.0, pytest.approx(1.0))
    assert before["doubt_per_day"] == pytest.approx(applied["expected"]["queue"]["per_day"], abs=1e-4)
    assert replayed["after"]["right_rejections"]["value"] == 1.0
    assert replayed["after"]["reject"] == pytest.approx(1 / 3, abs=0.01)
    shadowing = json.dumps({"ar": {"spam": {"doubt": 0.3, "reject": 0.9}}})
    desk.get("policy", "set", "asks", f"thresholds={shadowing}")
    everywhere = 'thresholds.*={"spam": {"doubt": 0.1, "reject": 0.2}}'
    assert "do not reach spam in ar" in desk.run("policy", "set", "asks", everywhere).stderr
    (tmp_path / "policy.json").write_text('{"thresholds": {"*": {"spam": {"doubt": 0.9, "reject": 0.9}}}}')
    again = desk.run(
        "policy", "replay", "--site", "asks", "--since", "5000d", "--policy", str(tmp_path / "policy.json")
    )
    assert "do not reach spam in ar" in again.stderr
    assert desk.get("policy", "show", "asks")["version"] == 4
    shipped = desk.run(
        "policy", "replay", "--site", "asks", "--since", "5000d", "--model", "shipped", "--json"
    )
    assert json.loads(shipped.stdout)["models"][1].startswith("shipped")
    (tmp_path / "policy.json").write_text('{"link_limit": -1}')
    assert "link_limit" in desk.fail(
        "policy",
        "replay",
        "--site",
        "asks",
        "--since",
        "5000d",
        "--policy",
        str(tmp_path / "policy.json"),
        code=WRONG_USAGE,
    )


def test_spans_rates_and_shares_that_are_none_are_wrong_usage(desk: Operator) -> None:
    for words in (
        ("--precision", "0.2"),
        ("--queue", "many"),
        ("--precision", "0.9", "--queue", "9/day"),
        (),
    ):
        assert desk.run("models", "thresholds", "--site", "x", *words).returncode == WRONG_USAGE
    assert desk.run("policy", "replay", "--site", "x", "--since", "soon").returncode == WRONG_USAGE
