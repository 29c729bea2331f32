"""What admins change, on a real database: checked, noticed by running processes, and written down."""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from moderation.domain.comment import Author
from moderation.domain.errors import (
    ConflictError,
    InvalidConfigurationError,
    NotFoundError,
    UnknownCommentError,
    UnknownSiteError,
)
from moderation.domain.ids import CommentId, SiteId, new_uuid
from moderation.domain.nesting import UNSET
from moderation.domain.policy import Mode, Standing
from moderation.domain.site import Person, Role, SiteCaller
from moderation.domain.verdict import State
from moderation.privacy.keyring import Keyring
from moderation.privacy.vault import KeyedVault
from moderation.storage.administration import authors, comments, moderators, policies, queue, site_keys, sites
from moderation.storage.administration.comments import CommentFilter
from moderation.storage.administration.sites import NewSite, SiteCredentials
from moderation.storage.database import Database
from moderation.storage.directory import Directory
from tests.seeding import START, Seed, add_comments

ACTOR = "test"


@pytest.fixture
def vault() -> KeyedVault:
    return KeyedVault(Keyring.new())


@pytest.fixture
async def paper(database: Database, vault: KeyedVault) -> SiteCredentials:
    return await sites.add_site(database, vault, NewSite("paper", "https://paper.example"), actor=ACTOR)


async def site_id(database: Database, name: str = "paper") -> SiteId:
    async with database.connection() as connection:
        return SiteId(await connection.fetchval("SELECT id FROM sites WHERE name = $1", name))


async def audited(database: Database) -> list[str]:
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT actor, action FROM audit ORDER BY id")
    assert {row["actor"] for row in rows} <= {ACTOR}
    return [row["action"] for row in rows]


async def config_version(database: Database) -> int:
    async with database.connection() as connection:
        return int(await connection.fetchval("SELECT config_version FROM instance"))


def faults(error: InvalidConfigurationError) -> set[str]:
    return {fault.pointer for fault in error.errors}


async def refused(work: Awaitable[Any]) -> set[str]:
    with pytest.raises(InvalidConfigurationError) as caught:
        await work
    return faults(caught.value)


class TestSites:
    """Sites are added whole, changed all or nothing, and closed for good."""

    async def test_a_new_site_can_call_and_be_called_at_once(
        self, database: Database, vault: KeyedVault, paper: SiteCredentials
    ) -> None:
        caller = await Directory(database).caller(paper.key)
        assert isinstance(caller, SiteCaller)
        site = caller.site
        assert (site.name, site.title, site.language) == ("paper", "paper", "ar")
        assert (site.policy.version, site.policy.mode) == (1, Mode.PRE)
        assert [vault.open(s, "webhook_secret") for s in site.webhook_secrets] == [paper.webhook_secret]
        assert [vault.open(s, "inbound_secret") for s in site.inbound_secrets] == [paper.inbound_secret]
        assert paper.webhook_secret != paper.inbound_secret
        assert await audited(database) == ["site.added"]

    async def test_neither_key_nor_secret_is_stored_readably(
        self, database: Database, paper: SiteCredentials
    ) -> None:
        async with database.connection() as connection:
            names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            rows = [await connection.fetch(f"SELECT t::text AS row FROM {name} t") for (name,) in names]
        text = "\n".join(row["row"] for table in rows for row in table)
        assert hashlib.sha256(paper.key.encode()).hexdigest() in text, "the search sees what is stored"
        for secret in (paper.key, paper.webhook_secret, paper.inbound_secret):
            assert secret not in text
            assert secret.encode().hex() not in text
            assert secret not in repr(paper)

    async def test_every_fault_of_a_new_site_is_named_and_nothing_is_stored(
        self, database: Database, vault: KeyedVault
    ) -> None:
        new = NewSite("good", "javascript:x", title="a\x00b", language="arabic!", webhook_url="ftp://x")
        wrong = await refused(sites.add_site(database, vault, new, actor=ACTOR))
        assert wrong == {"/url", "/title", "/language", "/webhook_url"}
        assert await refused(
            sites.add_site(database, vault, NewSite("x", "https://x.example", mode="maybe"), actor=ACTOR)
        )
        assert await sites.list_sites(database) == []
        assert await audited(database) == []

    @pytest.mark.parametrize("name", ["", "A", "a b", "-a", "a-", "a" * 64, "مقال", "a/b", "a\n"])
    async def test_a_name_that_cannot_stand_in_an_address_is_refused(
        self, database: Database, vault: KeyedVault, name: str
    ) -> None:
        work = sites.add_site(database, vault, NewSite(name, "https://x.example"), actor=ACTOR)
        assert await refused(work) == {"/site"}

    @pytest.mark.parametrize(
        "url",
        [
            "https://",
            "https://x:99999",
            "https://a b",
            "http://[::1",
            "//x.example",
            "https://x\x7f.example\n/",
        ],
    )
    async def test_what_is_no_web_address_is_refused(
        self, database: Database, vault: KeyedVault, url: str
    ) -> None:
        assert await refused(sites.add_site(database, vault, NewSite("x", url), actor=ACTOR)) == {"/url"}

    async def test_a_name_is_used_once_even_after_the_site_is_gone(
        self, database: Database, vault: KeyedVault, paper: SiteCredentials
    ) -> None:
        again = NewSite("paper", "https://other.example")
        with pytest.raises(ConflictError, match="exists already"):
            await sites.add_site(database, vault, again, actor=ACTOR)
        await sites.remove_site(database, "paper", actor=ACTOR)
        with pytest.raises(ConflictError, match="was removed"):
            await sites.add_site(database, vault, again, actor=ACTOR)

    async def test_two_admins_adding_the_same_site_at_once_make_one(
        self, database: Database, vault: KeyedVault
    ) -> None:
        new = NewSite("paper", "https://paper.example")
        results = await asyncio.gather(
            *(sites.add_site(database, vault, new, actor=ACTOR) for _ in range(4)), return_exceptions=True
        )
        assert sum(isinstance(result, SiteCredentials) for result in results) == 1
        assert sum(isinstance(result, ConflictError) for result in results) == 3

    async def test_an_unknown_site_is_named_with_those_like_it(
        self, database: Database, paper: SiteCredentials
    ) -> None:
        with pytest.raises(UnknownSiteError) as caught:
            await sites.show_site(database, "papr")
        assert "'papr'" in caught.value.detail
        assert caught.value.context["near"] == ["paper"]

    async def test_a_running_process_notices_a_change(
        self, database: Database, paper: SiteCredentials
    ) -> None:
        directory = Directory(database)
        await directory.refresh()
        assert (await directory.site("paper")).settings.max_text_length == 10_000
        changes = {
            "max_text_length": 500,
            "limits": {"author": 7},
            "webhook_url": "https://paper.example/hook",
        }
        await sites.set_site(database, "paper", changes, actor=ACTOR)
        await directory.refresh()
        site = await directory.site("paper")
        assert (site.settings.max_text_length, site.settings.limits.author.count) == (500, 7)
        assert site.webhook_url == "https://paper.example/hook"
        assert site.policy.version == 1

    async def test_settings_change_one_by_one_and_go_back_to_their_defaults(
        self, database: Database, paper: SiteCredentials
    ) -> None:
        first = {"limits": {"author": {"count": 2, "burst": 4}}, "check_dns": True}
        await sites.set_site(database, "paper", first, actor=ACTOR)
        found = await sites.set_site(database, "paper", {"limits": {"author": {"burst": 9}}}, actor=ACTOR)
        assert (found.settings.limits.author.count, found.settings.limits.author.burst) == (2, 9)
        assert found.settings.check_dns
        back = {"limits": {"author": UNSET}, "check_dns": UNSET, "webhook_url": UNSET}
        found = await sites.set_site(database, "paper", back, actor=ACTOR)
        assert found.settings.limits.author.count == 1
        assert not found.settings.check_dns
        assert found.webhook_url is None

    async def test_every_fault_of_a_change_is_named_and_nothing_is_changed(
        self, database: Database, paper: SiteCredentials
    ) -> None:
        before, version = await sites.show_site(database, "paper"), await config_version(database)
        changes = {
            "url": "nowhere",
            "title": "new",
            "mode": "maybe",
            "max_text_length": "long",
            "required": ["text", "shoe size"],
            "limits": {"author": {"burst": 0}, "moon": 1},
            "colour": "blue",
        }
        wrong = await refused(sites.set_site(database, "paper", changes, actor=ACTOR))
        expected = {
            "/url",
            "/mode",
            "/max_text_length",
            "/required",
            "/limits/author/burst",
            "/limits/moon",
            "/colour",
        }
        assert wrong == expected
        assert await sites.show_site(database, "paper") == before
        assert await config_version(database) == version
        assert await audited(database) == ["site.added"]

    async def test_another_mode_is_a_new_version_of_the_policy(
        self, database: Database, paper: SiteCredentials
    ) -> None:
        found = await sites.set_site(database, "paper", {"mode": "post"}, actor=ACTOR)
        assert (found.policy.version, found.policy.policy["mode"]) == (2, "post")

    async def test_a_removed_site_is_gone_for_its_callers_and_for_admins(
        self, database: Database, vault: KeyedVault, paper: SiteCredentials
    ) -> None:
        directory = Directory(database)
        assert await directory.caller(paper.key) is not None
        await sites.remove_site(database, "paper", actor=ACTOR)
        await directory.refresh()
        assert await directory.caller(paper.key) is None
        async with database.connection() as connection:
            assert await connection.fetchval("SELECT revoked_at FROM site_keys") is not None
        assert await sites.list_sites(database) == []
        for work in (sites.show_site(database, "paper"), sites.remove_site(database, "paper", actor=ACTOR)):
            with pytest.raises(UnknownSiteError):
                await work

    async def test_a_renewed_secret_leaves_the_one_before_good_until_the_next(
        self, database: Database, vault: KeyedVault, paper: SiteCredentials
    ) -> None:
        async def renew(*, keep_old: bool) -> str:
            return await sites.renew_secret(
                database, vault, "paper", "webhook", actor=ACTOR, keep_old=keep_old
            )

        async def live() -> list[str]:
            site = await Directory(database).site("paper")
            assert [vault.open(s, "inbound_secret") for s in site.inbound_secrets] == [paper.inbound_secret]
            return [vault.open(s, "webhook_secret") for s in site.webhook_secrets]

        second = await renew(keep_old=True)
        assert await live() == [second, paper.webhook_secret]
        third = await renew(keep_old=True)
        assert await live() == [third, second]
        fourth = await renew(keep_old=False)
        assert await live() == [fourth]


class TestSiteKeys:
    """Several keys live side by side; a revoked one ends."""

    async def test_a_second_key_works_beside_the_first_until_it_is_revoked(
        self, database: Database, paper: SiteCredentials
    ) -> None:
        directory = Directory(database)
        second = await site_keys.add_key(database, "paper", actor=ACTOR)
        assert second.key.startswith("mds_")
        assert await directory.caller(second.key) is not None
        await site_keys.revoke_key(database, "paper", second.id, actor=ACTOR)
        await site_keys.revoke_key(database, "paper", second.id, actor=ACTOR)
        await directory.refresh()
        assert await directory.caller(second.key) is None
        assert await directory.caller(paper.key) is not None
        lines = await site_keys.list_keys(database, "paper")
        assert [line.revoked_at is None for line in lines] == [True, False]

    async def test_a_dialects_key_is_good_for_that_dialect_alone(
        self, database: Database, paper: SiteCredentials
    ) -> None:
        key = await site_keys.add_key(database, "paper", actor=ACTOR, dialect="perspective")
        caller = await Directory(database).caller(key.key)
        assert isinstance(caller, SiteCaller)
        assert caller.dialect == "perspective"

    async def test_signing_secrets_are_kept_sealed_rotated_and_are_no_tokens(
        self, database: Database, vault: KeyedVault, paper: SiteCredentials
    ) -> None:
        directory = Directory(database)
        site = await directory.site("paper")
        await directory.refresh()
        assert await directory.signing_secrets(site.id, "coral") == ()
        made = await site_keys.add_signing_key(database, vault, "paper", actor=ACTOR, dialect="coral")
        theirs = await site_keys.add_signing_key(
            database, vault, "paper", actor=ACTOR, dialect="coral", secret="empsec_0123456789abcdef"
        )
        await directory.refresh()
        sealed = await directory.signing_secrets(site.id, "coral")
        assert [vault.open(secret, "site_key") for secret in sealed] == [theirs.key, made.key]
        assert await directory.caller(made.key) is None
        await site_keys.revoke_key(database, "paper", made.id, actor=ACTOR)
        await directory.refresh()
        assert len(await directory.signing_secrets(site.id, "coral")) == 1

    @pytest.mark.parametrize("secret", ["short", "x" * 201, "سرّ طويل بما يكفي للتوقيع", "a\x00" * 20])
    async def test_a_secret_that_cannot_sign_is_refused(
        self, database: Database, vault: KeyedVault, paper: SiteCredentials, secret: str
    ) -> None:
        with pytest.raises(InvalidConfigurationError, match="/secret"):
            await site_keys.add_signing_key(
                database, vault, "paper", actor=ACTOR, dialect="coral", secret=secret
            )

    async def test_an_akismet_key_is_found_by_its_keyed_hash_and_good_for_that_dialect_only(
        self, database: Database, vault: KeyedVault, paper: SiteCredentials
    ) -> None:
        directory = Directory(database)
        made = await site_keys.add_akismet_key(database, vault, "paper", actor=ACTOR)
        assert re.fullmatch("[0-9a-f]{12}", made.key)
        digest = site_keys.akismet_key_hash(vault, made.key)
        for _ in range(2):  # from the database, then from memory
            caller = await directory.site_caller("akismet", digest)
            assert caller is not None
            assert (caller.site.name, caller.dialect, caller.key_id) == ("paper", "akismet", str(made.id))
            assert await directory.site_caller("perspective", digest) is None
        assert await directory.caller(made.key) is None
        assert hashlib.sha256(made.key.encode()).digest() != digest
        async with database.connection() as connection:
            sealed = await connection.fetchval("SELECT sealed FROM site_keys WHERE id = $1", made.id)
        assert vault.open(sealed, site_keys.SEALED_AS) == made.key
        await site_keys.revoke_key(database, "paper", made.id, actor=ACTOR)
        await directory.refresh()
        assert await directory.site_caller("akismet", digest) is None

    async def test_another_sites_key_cannot_be_revoked(
        self, database: Database, vault: KeyedVault, paper: SiteCredentials
    ) -> None:
        await sites.add_site(database, vault, NewSite("other", "https://other.example"), actor=ACTOR)
        (key,) = await site_keys.list_keys(database, "paper")
        for wrong in (key.id, new_uuid()):
            with pytest.raises(NotFoundError, match="has no key"):
                await site_keys.revoke_key(database, "other", wrong, actor=ACTOR)
        assert await Directory(database).caller(paper.key) is not None


class TestModerators:
    """People, known by e-mail, with a role on each site."""

    async def add(
        self,
        database: Database,
        vault: KeyedVault,
        email: str = "Editor@Example.com",
        role: Role = Role.MODERATOR,
    ) -> Any:
        return await moderators.add_moderator(database, vault, email, site="paper", role=role, actor=ACTOR)

    async def person(self, database: Database, token: str) -> Person | None:
        found = await Directory(database).caller(token)
        assert found is None or isinstance(found, Person)
        return found

    async def test_a_token_makes_its_bearer_the_person_with_their_role(
        self, database: Database, vault: KeyedVault, paper: SiteCredentials
    ) -> None:
        made = await self.add(database, vault, role=Role.LEAD)
        token = await moderators.add_token(database, vault, "editor@EXAMPLE.com", actor=ACTOR)
        assert token.startswith("mdu_")
        found = await self.person(database, token)
        assert found is not None
        assert (found.id, found.roles) == (made, {await site_id(database): Role.LEAD})

    async def test_the_same_address_in_other_letters_is_the_same_person(
        self, database: Database, vault: KeyedVault, paper: SiteCredentials
    ) -> None:
        assert await self.add(database, vault) == await self.add(
            database, vault, "EDITOR@example.COM", Role.ADMIN
        )
        (line,) = await moderators.list_moderators(database, vault)
        assert (line.email, line.roles) == ("editor@example.com", {"paper": "admin"})

    async def test_a_disabled_person_is_shut_out_and_regains_no_role_by_being_enabled_elsewhere(
        self, database: Database, vault: KeyedVault, paper: SiteCredentials
    ) -> None:
        await sites.add_site(database, vault, NewSite("other", "https://other.example"), actor=ACTOR)
        await self.add(database, vault, role=Role.ADMIN)
        token = await moderators.add_token(database, vault, "editor@example.com", actor=ACTOR)
        await moderators.disable_moderator(database, vault, "editor@example.com", actor=ACTOR)
        assert await self.person(database, token) is None
        with pytest.raises(ConflictError, match="is disabled"):
            await moderators.add_token(database, vault, "editor@example.com", actor=ACTOR)
        await moderators.add_moderator(
            database, vault, "editor@example.com", site="other", role=Role.MODERATOR, actor=ACTOR
        )
        assert await self.person(database, token) is None, "old tokens stay dead"
        (line,) = await moderators.list_moderators(database, vault)
        assert (line.roles, line.disabled_at, line.tokens) == ({"other": "moderator"}, None, 0)

    async def test_a_role_can_be_taken_away_on_one_site(
        self, database: Database, vault: KeyedVault, paper: SiteCredentials
    ) -> None:
        await sites.add_site(database, vault, NewSite("other", "https://other.example"), actor=ACTOR)
        await self.add(database, vault)
        await moderators.add_moderator(
            database, vault, "editor@example.com", site="other", role=Role.LEAD, actor=ACTOR
        )
        await moderators.remove_role(database, vault, "editor@example.com", site="paper", actor=ACTOR)
        assert await moderators.list_moderators(database, vault, "paper") == []
        (line,) = await moderators.list_moderators(database, vault, "other")
        assert line.roles == {"other": "lead"}
        with pytest.raises(NotFoundError, match="has no role"):
            await moderators.remove_role(database, vault, "editor@example.com", site="paper", actor=ACTOR)

    async def test_what_is_no_address_and_who_is_not_known_are_told_apart(
        self, database: Database, vault: KeyedVault, paper: SiteCredentials
    ) -> None:
        assert await refused(self.add(database, vault, "editor")) == {"/email"}
        with pytest.raises(NotFoundError, match="There is no moderator"):
            await moderators.add_token(database, vault, "nobody@example.com", actor=ACTOR)

    async def test_the_audit_names_people_by_id_alone(
        self, database: Database, vault: KeyedVault, paper: SiteCredentials
    ) -> None:
        await self.add(database, vault)
        await moderators.add_token(database, vault, "editor@example.com", actor=ACTOR)
        await moderators.disable_moderator(database, vault, "editor@example.com", actor=ACTOR)
        assert await audited(database) == [
            "site.added",
            "moderator.role_set",
            "moderator.token_added",
            "moderator.disabled",
        ]
        async with database.connection() as connection:
            text = await connection.fetchval("SELECT string_agg(t::text, '') FROM audit t")
        assert "editor" not in text


class TestPolicies:
    """Each change is a version of its own, whole."""

    async def test_a_version_holds_every_key_and_the_one_before_stays(
        self, database: Database, paper: SiteCredentials
    ) -> None:
        made = await policies.set_policy(
            database,
            "paper",
            {"link_limit": None, "thresholds": {"ar": {"spam": {"doubt": 0.4, "reject": None}}}},
            actor=ACTOR,
        )
        assert (made.version, made.created_by) == (2, ACTOR)
        assert made.policy["link_limit"] is None
        assert made.policy["mode"] == "pre"
        made = await policies.set_policy(
            database,
            "paper",
            {"link_limit": UNSET, "thresholds": {"ar": {"spam": {"reject": 0.9}}}},
            actor=ACTOR,
        )
        assert made.version == 3
        assert made.policy["link_limit"] == 2
        assert made.policy["thresholds"]["ar"]["spam"] == {"doubt": 0.4, "reject": 0.9}
        async with database.connection() as connection:
            stored = await connection.fetch("SELECT policy FROM policies ORDER BY version")
        assert [row["policy"]["link_limit"] for row in stored] == [2, None, 2]
        assert all(set(row["policy"]) == set(made.policy) for row in stored)
        assert await policies.show_policy(database, "paper") == made

    async def test_every_fault_is_named_and_no_version_is_made(
        self, database: Database, paper: SiteCredentials
    ) -> None:
        changes = {"audit_share": 2, "link_limit": "many", "colour": "blue"}
        wrong = await refused(policies.set_policy(database, "paper", changes, actor=ACTOR))
        assert wrong == {"/audit_share", "/link_limit", "/colour"}
        assert (await policies.show_policy(database, "paper")).version == 1

    async def test_admins_at_the_same_time_make_versions_one_after_the_other(
        self, database: Database, paper: SiteCredentials
    ) -> None:
        made = await asyncio.gather(
            *(policies.set_policy(database, "paper", {"link_limit": n}, actor=ACTOR) for n in range(6))
        )
        assert sorted(version.version for version in made) == [2, 3, 4, 5, 6, 7]

    async def test_a_running_process_judges_by_the_new_version(
        self, database: Database, paper: SiteCredentials
    ) -> None:
        directory = Directory(database)
        await directory.refresh()
        await directory.site("paper")
        await policies.set_policy(database, "paper", {"mode": "post"}, actor=ACTOR)
        await directory.refresh()
        policy = (await directory.site("paper")).policy
        assert (policy.version, policy.mode) == (2, Mode.POST)


class TestAuthors:
    """Standings by keyed hash: of one site, of one kind of name."""

    async def set(self, database: Database, vault: KeyedVault, standing: Standing, author: Author) -> Any:
        return await authors.set_standing(database, vault, "paper", author, standing, actor=ACTOR)

    async def show(
        self, database: Database, vault: KeyedVault, author: Author, site: str = "paper"
    ) -> Standing:
        return (await authors.show_standing(database, vault, site, author)).standing

    @pytest.mark.parametrize(
        ("named", "same", "other"),
        [
            (
                Author(email="Troll@Example.com"),
                Author(email="troll@EXAMPLE.com"),
                Author(email="trol@example.com"),
            ),
            (Author(name="أبو  علي"), Author(name=" أبو علي"), Author(name="أبو عليّ")),
            (Author(external_id="77"), Author(external_id="77"), Author(external_id="78")),
            (Author(address="192.0.2.7"), Author(address="::ffff:192.0.2.7"), Author(address="192.0.2.8")),
            (Author(address="2001:db8::1"), Author(address="2001:db8::2"), Author(address="2001:db8:0:1::1")),
        ],
    )
    async def test_a_block_finds_the_same_author_and_no_other(
        self,
        database: Database,
        vault: KeyedVault,
        paper: SiteCredentials,
        named: Author,
        same: Author,
        other: Author,
    ) -> None:
        await self.set(database, vault, Standing.BLOCKED, named)
        assert await self.show(database, vault, same) is Standing.BLOCKED
        assert await self.show(database, vault, other) is Standing.NONE

    async def test_a_block_is_of_one_site(
        self, database: Database, vault: KeyedVault, paper: SiteCredentials
    ) -> None:
        await sites.add_site(database, vault, NewSite("other", "https://other.example"), actor=ACTOR)
        author = Author(email="troll@example.com")
        await self.set(database, vault, Standing.BLOCKED, author)
        assert await self.show(database, vault, author, "other") is Standing.NONE

    async def test_clearing_forgets_whom_there_is_nothing_else_to_know_of(
        self, database: Database, vault: KeyedVault, paper: SiteCredentials
    ) -> None:
        author = Author(email="troll@example.com")
        await self.set(database, vault, Standing.BLOCKED, author)
        await self.set(database, vault, Standing.NONE, author)
        async with database.connection() as connection:
            assert await connection.fetchval("SELECT count(*) FROM authors") == 0

    async def test_a_standing_keeps_the_counts_of_what_people_decided(
        self, database: Database, vault: KeyedVault, paper: SiteCredentials
    ) -> None:
        author = Author(email="reader@example.com")
        await self.set(database, vault, Standing.TRUSTED, author)
        async with database.connection() as connection:
            await connection.execute("UPDATE authors SET approved = 4, rejected = 1")
        found = await self.set(database, vault, Standing.NONE, author)
        assert (found.standing, found.approved, found.rejected) == (Standing.NONE, 4, 1)

    @pytest.mark.parametrize("author", [Author(name="ليلى"), Author(address="192.0.2.7")])
    async def test_nobody_is_trusted_for_what_others_can_have_too(
        self, database: Database, vault: KeyedVault, paper: SiteCredentials, author: Author
    ) -> None:
        assert await refused(self.set(database, vault, Standing.TRUSTED, author)) <= {"/name", "/address"}

    @pytest.mark.parametrize(
        "author",
        [
            Author(),
            Author(name="  "),
            Author(email="x"),
            Author(address="300.1.1.1"),
            Author(name="a", external_id="b"),
        ],
    )
    async def test_whoever_is_not_named_by_exactly_one_thing_is_refused(
        self, database: Database, vault: KeyedVault, paper: SiteCredentials, author: Author
    ) -> None:
        assert await refused(self.set(database, vault, Standing.BLOCKED, author))

    async def test_the_audit_tells_that_it_was_done_and_not_to_whom(
        self, database: Database, vault: KeyedVault, paper: SiteCredentials
    ) -> None:
        author = Author(email="troll@example.com")
        await self.set(database, vault, Standing.BLOCKED, author)
        await self.set(database, vault, Standing.NONE, author)
        assert await audited(database) == ["site.added", "author.blocked", "author.cleared"]
        async with database.connection() as connection:
            text = await connection.fetchval("SELECT string_agg(t::text, '') FROM audit t")
        identity = vault.fingerprint("identity", "paper", "email", "troll@example.com")
        assert "troll" not in text
        assert identity.hex() not in text


class TestLooking:
    """Lists of comments and the queue, for an operator."""

    async def fill(self, database: Database) -> list[CommentId]:
        seeds = [
            Seed(text="الأول"),
            Seed(text="الثاني", state=State.APPROVED, task=None, thread="article-2"),
            Seed(text="الثالث"),
        ]
        return await add_comments(database, await site_id(database), seeds)

    async def test_comments_are_listed_newest_first_in_pages_by_state_and_thread(
        self, database: Database, paper: SiteCredentials
    ) -> None:
        first, second, third = await self.fill(database)

        async def ids(wanted: CommentFilter) -> list[CommentId]:
            return [comment.id for comment in await comments.list_comments(database, "paper", wanted)]

        assert await ids(CommentFilter()) == [third, second, first]
        assert await ids(CommentFilter(limit=2)) == [third, second]
        assert await ids(CommentFilter(before=second)) == [first]
        assert await ids(CommentFilter(state=State.HELD)) == [third, first]
        assert await ids(CommentFilter(thread="article-2")) == [second]

    async def test_another_sites_comments_are_not_listed(
        self, database: Database, vault: KeyedVault, paper: SiteCredentials
    ) -> None:
        await self.fill(database)
        await sites.add_site(database, vault, NewSite("other", "https://other.example"), actor=ACTOR)
        assert await comments.list_comments(database, "other", CommentFilter()) == []

    async def test_an_email_is_shown_only_when_asked_for_and_then_written_down(
        self, database: Database, vault: KeyedVault, paper: SiteCredentials
    ) -> None:
        first, *_ = await self.fill(database)
        async with database.connection() as connection:
            sealed = vault.seal("layla@example.com", "email")
            await connection.execute("UPDATE comments SET email_sealed = $2 WHERE id = $1", first, sealed)

        async def show(*, with_email: bool) -> comments.ShownComment:
            return await comments.show_comment(database, vault, first, with_email=with_email, actor=ACTOR)

        plain = await show(with_email=False)
        assert (plain.comment.text, plain.email, len(plain.history)) == ("الأول", None, 1)
        assert await audited(database) == ["site.added"]
        told = await show(with_email=True)
        assert told.email == "layla@example.com"
        assert "layla@example.com" not in repr(told)
        assert await audited(database) == ["site.added", "comment.email_shown"]
        async with database.connection() as connection:
            row = await connection.fetchrow("SELECT subject, details FROM audit ORDER BY id DESC LIMIT 1")
        assert (row["subject"], row["details"]) == (str(first), {})

    async def test_a_comment_that_is_not_there_is_said_so(
        self, database: Database, vault: KeyedVault, paper: SiteCredentials
    ) -> None:
        with pytest.raises(UnknownCommentError):
            await comments.show_comment(database, vault, CommentId(new_uuid()), with_email=True, actor=ACTOR)

    async def test_the_queue_is_counted_by_site_and_kind_with_its_oldest(
        self, database: Database, paper: SiteCredentials
    ) -> None:
        *_, third = await self.fill(database)
        async with database.connection() as connection:
            await connection.execute(
                "UPDATE tasks SET kind = 'escalated', claim_id = $2, claimed_by = $2,"
                " claim_expires_at = now() + interval '1 minute' WHERE comment_id = $1",
                third,
                new_uuid(),
            )
        lines = await queue.count_queue(database)
        assert [(line.site, line.kind, line.open, line.claimed) for line in lines] == [
            ("paper", "escalated", 1, 1),
            ("paper", "held", 1, 0),
        ]
        assert {line.oldest_at for line in lines} == {START}
        await sites.remove_site(database, "paper", actor=ACTOR)
        assert await queue.count_queue(database) == []


CHANGES: dict[str, Callable[[Database, KeyedVault], Awaitable[Any]]] = {
    "add a site": lambda d, v: sites.add_site(d, v, NewSite("new", "https://n.example"), actor=ACTOR),
    "set a site": lambda d, _: sites.set_site(d, "paper", {"title": "x"}, actor=ACTOR),
    "remove a site": lambda d, _: sites.remove_site(d, "paper", actor=ACTOR),
    "renew a secret": lambda d, v: sites.renew_secret(d, v, "paper", "inbound", actor=ACTOR, keep_old=True),
    "add a key": lambda d, _: site_keys.add_key(d, "paper", actor=ACTOR),
    "add an akismet key": lambda d, v: site_keys.add_akismet_key(d, v, "paper", actor=ACTOR),
    "set a policy": lambda d, _: policies.set_policy(d, "paper", {"link_limit": 1}, actor=ACTOR),
    "add a moderator": lambda d, v: moderators.add_moderator(
        d, v, "new@example.com", site="paper", role=Role.LEAD, actor=ACTOR
    ),
    "block an author": lambda d, v: authors.set_standing(
        d, v, "paper", Author(name="x"), Standing.BLOCKED, actor=ACTOR
    ),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_every_change_raises_the_version_and_leaves_one_line_in_the_audit(
    database: Database, vault: KeyedVault, paper: SiteCredentials, change: str
) -> None:
    version, before = await config_version(database), len(await audited(database))
    await CHANGES[change](database, vault)
    assert await config_version(database) == version + 1
    assert len(await audited(database)) == before + 1
