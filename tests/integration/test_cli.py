"""The program as an operator runs it: results alone on standard output, one sentence on standard error, the promised codes."""

import asyncio
import json
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import click
import pytest
from click.testing import CliRunner

from moderation.cli.program import COMMANDS, program
from moderation.domain.rates import RULES
from moderation.domain.site import SiteSettings
from moderation.engines import EngineAddresses
from moderation.privacy.keyring import Keyring
from moderation.storage.database import Database
from moderation.storage.migrate import LATEST
from tests.engines_fixture import are_gone, wait_until
from tests.program import PROGRAM, free_port, run, started
from tests.seeding import Seed, add_comments
from tests.terminal import DONE, SITE, WRONG_USAGE, Operator, desk, members, owned, site

__all__ = ["desk", "owned", "site"]

GUIDE = Path(__file__).parents[2] / "docs" / "admins.md"


@pytest.fixture
async def database(owned: tuple[Path, EngineAddresses]) -> Any:
    """The database behind ``desk``."""
    pool = Database(owned[1].database_url, size=2)
    yield pool
    await pool.close()


def commands(
    group: click.Group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in members(group):
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


class TestUsage:
    """What is typed wrongly is refused before anything is opened."""

    @pytest.mark.parametrize(
        "words",
        [
            "frobnicate",
            "site add",
            "site add x",
            "site add x --url https://x.example --mode maybe",
            "site set x",
            "site set x novalue",
            "site set x =1",
            "site set x a..b=1",
            "site set x limits=1 limits.author=2",
            "site set x check_dns=true check_dns=false",
            "policy set x banned_words=@/nowhere/words.json",
            "site key revoke x not-an-id",
            "site key add x --dialect smoke",
            "site key add x --secret-file missing --dialect coral",
            "moderator add a@b.example --site x --role king",
            "author block x",
            "author block x --email a@b.example --name y",
            "comments show 12",
            "comments list x --limit 0",
            "privacy erase --email a@b.example",
            "serve --port 99999",
            "serve --workers 0",
            "restore /nowhere/at-all",
            "models score /nowhere/at-all",
        ],
    )
    def test_wrong_usage_is_code_2_with_nothing_on_standard_output(self, words: str, tmp_path: Path) -> None:
        env = {"MODERATION_DATA_DIR": str(tmp_path / "data")}
        done = CliRunner(env=env).invoke(program, words.split())
        assert (done.exit_code, done.stdout) == (WRONG_USAGE, "")
        assert "Error:" in done.stderr
        assert not (tmp_path / "data").exists()

    def test_every_command_takes_a_data_directory_and_can_answer_in_json(self) -> None:
        for path, command in commands(program):
            options = {option for parameter in command.params for option in parameter.opts}
            assert "--data-dir" in options, path
            assert "--json" in options or path == ("serve",), path

    def test_every_command_and_option_says_what_it_does(self) -> None:
        for path, command in commands(program):
            assert command.help, path
            for parameter in command.params:
                assert not isinstance(parameter, click.Option) or parameter.help, (path, parameter.name)

    def test_the_list_of_commands_says_what_each_says_of_itself(self) -> None:
        for name, command in members(program):
            said = COMMANDS[name][1].removesuffix(".")
            assert command.get_short_help_str(limit=400).removesuffix(".") == said
            assert said in " ".join(CliRunner().invoke(program, ["--help"]).stdout.split()), name

    def test_a_command_does_not_wait_for_what_others_need(self) -> None:
        heavy = {"aiohttp", "sklearn", "numpy", "redis", "dns", "moderation.intake.pipeline"}
        asked = "import sys; from moderation.cli.program import program; import moderation.cli.site; "
        seen = subprocess.run(
            [*PROGRAM[:1], "-c", asked + "print(*sys.modules)"], capture_output=True, text=True, check=True
        )
        assert not heavy & set(seen.stdout.split())

    def test_the_admins_guide_names_every_command(self) -> None:
        guide = " ".join(GUIDE.read_text("utf-8").split())
        for path, _ in commands(program):
            assert re.search(rf"moderation {' '.join(path)}\b", guide), path

    def test_the_admins_guide_and_the_help_name_every_setting_of_a_site(self) -> None:
        names = [field.name for field in fields(SiteSettings) if field.name != "limits"]
        names += [f"limits.{rule}" for rule in RULES]
        help_text = CliRunner().invoke(program, ["site", "set", "--help"]).stdout
        for name in names:
            assert re.search(rf"^\| `{name}[.`]", GUIDE.read_text("utf-8"), re.MULTILINE), name
            assert name in help_text

    def test_wrong_settings_are_all_named_at_once(self, tmp_path: Path) -> None:
        operator = Operator(tmp_path / "data", port="eighty", workers="0", colour="blue")
        said = operator.fail("site", "list", code=WRONG_USAGE)
        assert all(name in said for name in ("MODERATION_PORT", "MODERATION_WORKERS", "MODERATION_COLOUR"))

    def test_keys_that_are_none_refuse_the_start_before_anything_is_made(self, tmp_path: Path) -> None:
        said = Operator(tmp_path / "data", secret_keys="k1:zz").fail("serve", code=WRONG_USAGE)
        assert "MODERATION_SECRET_KEYS: key k1 has 1 bytes instead of 32" in said
        assert not (tmp_path / "data").exists()


class TestAlone:
    """Without a running service a command brings the engines up, and leaves none behind."""

    def test_the_first_command_makes_everything_and_the_next_finds_it(self, tmp_path: Path) -> None:
        operator = Operator(tmp_path / "data")
        made = operator.get("site", "add", "akhbar", *SITE)
        assert list(made) == ["site", "key", "webhook_secret", "inbound_secret"]
        assert made["site"] == "akhbar"
        assert made["key"].startswith("mds_")
        assert made["webhook_secret"].startswith("whsec_")
        assert made["inbound_secret"].startswith("whsec_")
        assert are_gone(operator.data_dir)
        assert [line["name"] for line in operator.get("site", "list")] == ["akhbar"]
        assert are_gone(operator.data_dir)

    @pytest.mark.parametrize("words", [("site", "list"), ("queue",), ("keys", "rotate"), ("backup", "file")])
    def test_a_mistyped_data_directory_is_not_made(self, tmp_path: Path, words: tuple[str, ...]) -> None:
        operator = Operator(tmp_path / "dta")
        assert "there is no data in" in operator.fail(*words)
        assert not operator.data_dir.exists()

    def test_a_command_that_is_stopped_takes_its_engines_along(self, engine_data: Path) -> None:
        operator = Operator(engine_data)
        process = subprocess.Popen(
            [*PROGRAM, "site", "add", "x", *SITE],
            env=operator.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: not are_gone(engine_data) or process.poll() is not None)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=50)
        wait_until(lambda: are_gone(engine_data))
        assert isinstance(operator.get("site", "list"), list), "the next command finds the database whole"


class TestSites:
    """Sites, keys, policies and people, beside running engines."""

    def test_a_site_is_listed_and_shown(self, desk: Operator) -> None:
        made = desk.get("site", "add", "listed", *SITE, "--name", "أخبار المدينة")
        (line,) = [line for line in desk.get("site", "list") if line["name"] == "listed"]
        assert (line["title"], line["mode"], line["open_tasks"]) == ("أخبار المدينة", "pre", 0)
        shown = desk.get("site", "show", "listed")
        assert shown["settings"]["limits"]["author"] == {"count": 1, "period_s": 15, "burst": 3}
        assert not {"key", "webhook_secret", "inbound_secret"} & set(shown)
        said = desk.say("site", "show", "listed")
        assert "أخبار المدينة" in said
        assert not any(made[name] in said for name in ("key", "webhook_secret", "inbound_secret"))

    def test_a_site_is_changed(self, desk: Operator, site: dict[str, str]) -> None:
        changed = desk.get(
            *("site", "set", "akhbar"),
            *(
                "name=أخبار",
                "limits.author=4",
                "limits.thread.burst=9",
                "required=author.name,text",
                "check_dns=true",
            ),
        )
        assert changed["title"] == "أخبار"
        assert changed["settings"]["limits"]["author"]["count"] == 4
        assert changed["settings"]["limits"]["thread"]["burst"] == 9
        assert changed["settings"]["required"] == ["author.name", "text"]
        back = desk.get(
            "site", "set", "akhbar", "limits.author=", "limits.thread=", "required=", "check_dns="
        )
        assert back["settings"]["required"] == ["author.name", "author.email", "text"]
        assert back["settings"]["limits"]["author"]["count"] == 1

    def test_every_fault_of_a_change_is_said_in_words(self, desk: Operator, site: dict[str, str]) -> None:
        said = desk.fail(
            "site",
            "set",
            "akhbar",
            "url=ftp://x",
            "max_text_length=long",
            "limits.author.burst=0",
            code=WRONG_USAGE,
        )
        assert "url: The website address is not valid." in said
        assert "max_text_length: The value has the wrong type; expected: whole number." in said
        assert "limits.author.burst: " in said

    def test_an_unknown_site_is_named_with_those_like_it(self, desk: Operator, site: dict[str, str]) -> None:
        assert desk.fail("site", "show", "akhbr") == "moderation: There is no site 'akhbr'; there is akhbar\n"

    def test_a_site_that_exists_already_is_refused(self, desk: Operator, site: dict[str, str]) -> None:
        assert "exists already" in desk.fail("site", "add", "akhbar", *SITE)

    def test_keys_are_added_listed_and_revoked(self, desk: Operator, site: dict[str, str]) -> None:
        made = desk.get("site", "key", "add", "akhbar", "--dialect", "native")
        assert list(made) == ["id", "key"]
        desk.say("site", "key", "revoke", "akhbar", made["id"])
        listed = desk.get("site", "key", "list", "akhbar")
        assert [line["id"] for line in listed if line["revoked_at"] is not None] == [made["id"]]
        assert len(listed) > 1
        assert made["key"] not in desk.say("site", "key", "list", "akhbar")

    def test_a_secret_that_coral_made_is_taken_over(
        self, desk: Operator, site: dict[str, str], tmp_path: Path
    ) -> None:
        file = tmp_path / "secret"
        file.write_text("empsec_0123456789abcdef0123456789\n")
        made = desk.get("site", "key", "add", "akhbar", "--dialect", "coral", "--secret-file", str(file))
        assert made["key"] == "empsec_0123456789abcdef0123456789"
        assert desk.get("site", "key", "list", "akhbar")[-1]["dialect"] == "coral"
        refused = desk.run("site", "key", "add", "akhbar", "--secret-file", str(file))
        assert (refused.returncode, "coral alone" in refused.stderr) == (WRONG_USAGE, True)

    def test_a_secret_is_renewed(self, desk: Operator, site: dict[str, str]) -> None:
        made = desk.get("site", "secret", "akhbar", "inbound")
        assert made["inbound_secret"].startswith("whsec_")
        assert made["inbound_secret"] != site["inbound_secret"]

    def test_a_webhook_address_to_which_nothing_will_be_sent_is_warned_of(self, desk: Operator) -> None:
        warned = "webhooks will not be sent to 127.1, which is not a public address"
        done = desk.run("site", "add", "at-home", *SITE, "--webhook-url", "http://127.1:9/", "--json")
        assert (done.returncode, json.loads(done.stdout)["site"]) == (DONE, "at-home")
        assert warned in done.stderr
        assert "localhost" in desk.run("site", "set", "at-home", "webhook_url=http://localhost:9/").stderr
        desk.say("site", "set", "at-home", "webhook_url=https://news.example/hear")
        desk.say("site", "set", "at-home", "allow_private_endpoint=true")
        desk.say("site", "set", "at-home", "webhook_url=http://127.1:9/")
        anywhere = Operator(desk.data_dir, allow_private_endpoints="true")
        anywhere.say("site", "add", "at-home-2", *SITE, "--webhook-url", "http://[::1]:9/")

    def test_a_site_is_removed(self, desk: Operator) -> None:
        desk.get("site", "add", "old", *SITE)
        desk.say("site", "remove", "old")
        assert "old" not in [line["name"] for line in desk.get("site", "list")]

    def test_people_get_roles_and_tokens_and_are_shut_out(self, desk: Operator, site: dict[str, str]) -> None:
        desk.get("moderator", "add", "Editor@Example.com", "--site", "akhbar", "--role", "lead")
        made = desk.get("moderator", "token", "editor@example.com")
        assert list(made) == ["token"]
        assert made["token"].startswith("mdu_")
        (line,) = desk.get("moderator", "list", "--site", "akhbar")
        assert (line["email"], line["roles"], line["tokens"]) == ("editor@example.com", {"akhbar": "lead"}, 1)
        desk.say("moderator", "disable", "editor@example.com")
        assert "is disabled" in desk.fail("moderator", "token", "editor@example.com")

    def test_a_policy_is_versioned(self, desk: Operator, site: dict[str, str], tmp_path: Path) -> None:
        words = tmp_path / "words.json"
        words.write_text('[{"name": "mine", "action": "hold", "words": ["قزح"]}]', "utf-8")
        before = desk.get("policy", "show", "akhbar")
        made = desk.get(
            "policy", "set", "akhbar", "link_limit=null", "trust_after=5", f"banned_words=@{words}"
        )
        assert made["version"] == before["version"] + 1
        assert (made["policy"]["link_limit"], made["policy"]["trust_after"]) == (None, 5)
        assert made["policy"]["banned_words"][0]["words"] == ["قزح"]
        assert made["created_by"].startswith("cli:")
        assert "قزح" in desk.say("policy", "show", "akhbar")
        said = desk.fail("policy", "set", "akhbar", "audit_share=2", "colour=blue", code=WRONG_USAGE)
        assert "audit_share: " in said
        assert "colour: This field is not known." in said

    def test_an_author_is_blocked_and_cleared_again(self, desk: Operator, site: dict[str, str]) -> None:
        named = ("akhbar", "--email", "troll@example.com")
        assert desk.get("author", "block", *named)["standing"] == "blocked"
        assert desk.get("author", "show", *named)["standing"] == "blocked"
        assert desk.get("author", "clear", *named)["standing"] == "none"
        assert "no ground for trust" in desk.fail(
            "author", "trust", "akhbar", "--name", "x", code=WRONG_USAGE
        )


class TestLooking:
    """Comments, the queue and deliveries."""

    async def test_comments_are_shown_without_obeying_them(self, desk: Operator, database: Database) -> None:
        desk.get("site", "add", "looked-at", *SITE)  # whatever other tests put into theirs, before or after
        async with database.connection() as connection:
            site_id = await connection.fetchval("SELECT id FROM sites WHERE name = 'looked-at'")
        text = "سطر أول\nسطر ثان \x1b[2J\x9b31m\u202eعكس"
        (comment_id,) = await add_comments(database, site_id, [Seed(text=text)])

        listed = desk.say("comments", "list", "looked-at")
        shown = desk.say("comments", "show", str(comment_id))
        for said in (listed, shown):
            assert "سطر أول" in said
            assert not {"\x1b", "\x9b", "\u202e"} & set(said)
        assert "سطر أول\nسطر ثان" in shown
        (line,) = desk.get("comments", "list", "looked-at", "--state", "held")
        assert (line["text"], line["state"]) == (text, "held")
        found = desk.get("comments", "show", str(comment_id), "--with-email")
        assert (found["text"], found["email"], len(found["history"])) == (text, None, 1)
        assert "\x9b" not in desk.run("comments", "show", str(comment_id), "--json").stdout

        (waiting,) = [line for line in desk.get("queue") if line["site"] == "looked-at"]
        assert (waiting["kind"], waiting["open"]) == ("held", 1)
        assert waiting["oldest_age_s"] > 0
        assert "looked-at  held" in desk.say("queue", "--site", "looked-at")

    def test_an_unknown_comment_is_said_so(self, desk: Operator, site: dict[str, str]) -> None:
        unknown = "01950000-0000-7000-8000-000000000000"
        for command in ("show", "records"):
            assert desk.fail("comments", command, unknown) == f"moderation: There is no comment {unknown}\n"

    async def test_given_up_events_are_listed_and_sent_again(
        self, desk: Operator, site: dict[str, str], database: Database
    ) -> None:
        async with database.connection() as connection:
            site_id = await connection.fetchval("SELECT id FROM sites WHERE name = 'akhbar'")
            (comment_id,) = await add_comments(database, site_id, [Seed(task=None)])
            await connection.execute(
                "INSERT INTO dead_letters VALUES ($1, 1, $2, 'server_error', now())", comment_id, site_id
            )
        (line,) = [line for line in desk.get("deliveries", "list") if line["site"] == "akhbar"]
        assert (line["pending"], line["dead"]) == (0, 1)
        assert "server_error" in desk.say("deliveries", "list", "--site", "akhbar")
        assert desk.get("deliveries", "redrive", "akhbar") == {"site": "akhbar", "redriven": 1}
        found = desk.get("deliveries", "list", "--site", "akhbar")
        assert ([line["comment_id"] for line in found["pending"]], found["dead"]) == ([str(comment_id)], [])

    def test_a_person_is_exported_and_erased(self, desk: Operator, site: dict[str, str]) -> None:
        person = ("--email", "nobody@example.com", "--site", "akhbar")
        assert json.loads(desk.say("privacy", "export", *person))["comments"] == []
        erased = desk.get("privacy", "erase", *person)
        assert erased == {"site": "akhbar", "comments": 0, "still_blocked": False}

    def test_the_schema_is_up_to_date_already(self, desk: Operator, site: dict[str, str]) -> None:
        assert desk.get("migrate") == {"applied": []}

    def test_keys_are_rotated(self, desk: Operator, site: dict[str, str]) -> None:
        before = (desk.data_dir / "secrets.json").read_text()
        done = desk.get("keys", "rotate")
        assert (done["outcome"], done["unreadable"], done["environment"]) == ("rotated", 0, None)
        assert done["resealed"] >= 2
        after = (desk.data_dir / "secrets.json").read_text()
        assert after != before
        assert done["current"] in after


class TestOutsideDatabase:
    """With an address of its own a database is used as it is, and what is wrong with it is said."""

    @pytest.fixture
    def keys(self) -> str:
        return Keyring.new().as_text()

    def test_commands_need_no_engine_and_no_file(
        self, fresh_database_url: str, keys: str, tmp_path: Path
    ) -> None:
        operator = Operator(tmp_path / "data", database_url=fresh_database_url, secret_keys=keys)
        operator.get("site", "add", "akhbar", *SITE)
        assert [line["name"] for line in operator.get("site", "list")] == ["akhbar"]
        assert not operator.data_dir.exists()
        other = Operator(
            tmp_path / "data", database_url=fresh_database_url, secret_keys=Keyring.new().as_text()
        )
        assert "the data is encrypted with the secret key" in other.fail("site", "list")

    def test_without_keys_it_is_refused(self, fresh_database_url: str, tmp_path: Path) -> None:
        operator = Operator(tmp_path / "data", database_url=fresh_database_url)
        assert "MODERATION_SECRET_KEYS is required" in operator.fail("site", "list", code=WRONG_USAGE)

    def test_keys_are_rotated_in_two_steps(self, fresh_database_url: str, keys: str, tmp_path: Path) -> None:
        operator = Operator(tmp_path / "data", database_url=fresh_database_url, secret_keys=keys)
        operator.get("site", "add", "akhbar", *SITE)
        asked = operator.get("keys", "rotate")
        assert asked["outcome"] == "set_environment"
        renewed = Operator(
            tmp_path / "data", database_url=fresh_database_url, secret_keys=asked["environment"]
        )
        done = renewed.get("keys", "rotate")
        assert (done["outcome"], done["resealed"]) == ("finished", 2)
        last = Operator(tmp_path / "data", database_url=fresh_database_url, secret_keys=done["environment"])
        assert [line["name"] for line in last.get("site", "list")] == ["akhbar"]

    async def test_an_older_schema_is_told_from_an_unknown_one(
        self, fresh_database_url: str, keys: str, tmp_path: Path
    ) -> None:
        operator = Operator(tmp_path / "data", database_url=fresh_database_url, secret_keys=keys)
        connection = await asyncpg.connect(fresh_database_url)
        await connection.execute("INSERT INTO schema_versions (version) VALUES (99)")
        assert "use a newer program" in operator.fail("site", "list")
        assert "use a newer program" in operator.fail("migrate")
        assert "use a newer program" in operator.run("status").stdout
        await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        assert "run `moderation migrate`" in operator.fail("site", "list")
        await connection.close()
        assert operator.get("migrate")["applied"][-1] == LATEST
        assert operator.get("site", "list") == []

    async def test_a_step_that_landed_after_a_later_one_is_made_up_for(
        self, fresh_database_url: str, keys: str, tmp_path: Path
    ) -> None:
        operator = Operator(tmp_path / "data", database_url=fresh_database_url, secret_keys=keys)
        connection = await asyncpg.connect(fresh_database_url)
        await connection.execute(
            "DELETE FROM schema_versions WHERE version = 5; DROP INDEX decisions_by_people"
        )
        assert "run `moderation migrate`" in operator.fail("site", "list")
        assert operator.get("migrate")["applied"] == [5]
        assert await connection.fetchval("SELECT to_regclass('decisions_by_people')") == "decisions_by_people"
        await connection.close()
        assert operator.get("migrate")["applied"] == []
        assert operator.get("site", "list") == []

    def test_a_server_that_is_away_or_a_name_that_is_wrong_is_one_sentence(
        self, fresh_database_url: str, keys: str, tmp_path: Path
    ) -> None:
        away = Operator(
            tmp_path / "data", database_url="postgresql://desk:hunter2@127.0.0.1:9/desk", secret_keys=keys
        )
        said = away.fail("site", "list")
        assert said == "moderation: PostgreSQL does not answer; is it running, and is the address right?\n"
        wrong = re.sub(r"/test_\w+", "/no_such_database", fresh_database_url)
        operator = Operator(tmp_path / "data", database_url=wrong, secret_keys=keys)
        assert 'database "no_such_database" does not exist' in operator.fail("site", "list")
        assert 'refused: database "no_such_database" does not exist' in operator.run("status").stdout
        assert "does not answer; is it running" in away.run("status").stdout


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_beside_the_running_service_changes_take_effect_at_once(engine_data: Path) -> None:
    operator, port = Operator(engine_data), free_port()
    site = operator.get("site", "add", "akhbar", *SITE)
    async with started(engine_data, port=port) as service, aiohttp.ClientSession(service.url) as session:
        said = await asyncio.to_thread(operator.fail, "serve", "--port", str(free_port()))
        assert "belong to process" in said

        async def post(number: int) -> tuple[int, Any]:
            comment = {
                "thread": {"id": "12"},
                "author": {"name": "ليلى", "email": f"layla{number}@example.com"},
                "text": f"تعليق رقم {number} على الخبر",
            }
            headers = {"Authorization": f"Bearer {site['key']}"}
            async with session.post("/v1/comments", json=comment, headers=headers) as answer:
                return answer.status, await answer.json()

        status, first = await post(1)
        assert (status, first["state"]) == (201, "held")
        assert operator.get("comments", "show", first["id"], "--with-email")["email"] == "layla1@example.com"

        well = {line["part"]: line["well"] for line in operator.get("status")}
        parts = {"disk", "engines", "valkey", "postgresql", "schema", "keys", "models", "queue", "deliveries"}
        assert well.keys() == parts
        assert all(well[part] for part in parts - {"disk"})  # how full the tests' machine is is not ours

        rotated = operator.get("keys", "rotate")
        assert (rotated["outcome"], rotated["unreadable"]) == ("rotated", 0)
        status, second = await post(2)
        assert status == 201
        for comment, number in ((first, 1), (second, 2)):
            shown = operator.get("comments", "show", comment["id"], "--with-email")
            assert shown["email"] == f"layla{number}@example.com"

        operator.get("site", "set", "akhbar", "mode=post")
        assert policy_version(operator, "akhbar") == 2
        operator.get("author", "block", "akhbar", "--email", "layla3@example.com")
        _, third = await post(3)
        assert "blocked_author" in [reason["code"] for reason in third["reasons"]]

        assert "stop the service first" in operator.fail("restore", str(backup_of(operator)), "--force")
        assert service.stop() == 0
    assert "nobody runs those" in operator.run("status").stdout
    assert operator.run("status").returncode == 1
    assert "secrets.json" not in operator.run("status").stdout
    keys = operator.data_dir / "secrets.json"
    kept = keys.read_bytes()
    keys.unlink()
    assert f"{keys} is missing: a database that was in use" in operator.run("status").stdout
    keys.write_bytes(b"{")
    assert f"{keys} is damaged" in operator.run("status").stdout
    keys.write_bytes(kept)
    assert are_gone(engine_data)


def policy_version(operator: Operator, site: str) -> int:
    """The version of the policy in force, as an admin sees it."""
    return int(operator.get("policy", "show", site)["version"])


def backup_of(operator: Operator) -> Path:
    file = operator.data_dir.parent / "beside.backup"
    operator.get("backup", str(file), "--with-keys")
    return file


def test_a_port_that_is_taken_is_said_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = run("serve", "--port", str(port), data_dir=tmp_path / "data", check=False)
    assert refused.returncode == 1
    said = f"moderation: http://127.0.0.1:{port} is taken by another program: stop it, or choose another port"
    assert refused.stderr.startswith(said)
    assert len(refused.stderr.splitlines()) == 1
    assert not (tmp_path / "data").exists()
