"""Which labels are collected: the last word of a person, on the text it was said of, with its weight; never our own verdicts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from moderation.domain.ids import SiteId
from moderation.domain.label import Label, LabelSource, Targets
from moderation.privacy.clocks import Due, delete
from moderation.protocols.authentication import DIRECTORY
from moderation.storage.collection import CollectedLabel, stream_labels, weight_of
from moderation.storage.database import Database
from moderation.storage.labels import keep_labels
from tests.service import RunningService, comment, seed_moderator


async def collected(service: RunningService) -> list[CollectedLabel]:
    async with service.database.transaction() as connection:
        return [label async for label in stream_labels(connection, [SiteId(service.site.id)])]


async def submit(service: RunningService, text: str) -> dict[str, Any]:
    _, body = await service.submit(text)
    return body


async def decide(
    service: RunningService, token: str, body: dict[str, Any], verdict: str, **more: Any
) -> None:
    ruling = {"verdict": verdict, "revision": body["revision"], **more}
    status, said = await service.call("POST", f"/v1/comments/{body['id']}/decision", key=token, json=ruling)
    assert status == 200, said


async def test_only_a_person_s_last_word_that_stands_is_a_label(service: RunningService) -> None:
    token = await seed_moderator(service.database, {service.site.id: "lead"})
    approved, rejected, undone, changed, held, ours = [
        await submit(service, f"تعليق هادئ رقم {n}") for n in range(6)
    ]
    await decide(service, token, approved, "approve")
    await decide(service, token, rejected, "reject", reason="insult")
    await decide(service, token, undone, "reject", reason="spam")
    await service.call("POST", f"/v1/comments/{undone['id']}/undo", key=token, json={})
    await decide(service, token, changed, "reject", reason="spam")
    await decide(service, token, changed, "approve", sequence=2)
    await decide(service, token, held, "approve")
    await decide(service, token, held, "hold", sequence=2)
    found = {label.comment_id: label for label in await collected(service)}
    assert set(found) == {approved["id"], rejected["id"], changed["id"]}
    assert found[approved["id"]].targets == Targets(spam=0, abuse=0, reject=0)
    assert found[rejected["id"]].targets == Targets(abuse=1, insult=1, reject=1)
    assert (found[rejected["id"]].reason, found[rejected["id"]].source) == ("insult", "desk")
    assert found[changed["id"]].targets == Targets(spam=0, abuse=0, reject=0)
    assert ours["id"] not in found
    assert all(label.weight == 1 for label in found.values())


async def test_a_decision_stays_with_the_text_it_was_said_of(service: RunningService) -> None:
    token = await seed_moderator(service.database, {service.site.id: "moderator"})
    body = await submit(service, "النص الأول")
    await decide(service, token, body, "approve")
    await service.call("PUT", f"/v1/comments/{body['id']}", json={"text": "نص آخر تماما"})
    assert [label.text for label in await collected(service)] == ["النص الأول"]


async def test_history_and_words_from_elsewhere_are_labels_with_their_source(service: RunningService) -> None:
    line = comment(
        "قديم",
        external_id="1",
        state="rejected",
        reason="spam",
        decided_at="2024-05-01T12:00:00Z",
        moderator="sam",
    )
    async with service.request("POST", "/v1/comments/batch", json=line) as answer:
        await answer.text()
    (history,) = await collected(service)
    assert (history.source, history.actor, history.targets.spam) == ("import", f"{service.site.name}:sam", 1)
    label = Label(
        SiteId(service.site.id),
        bytes(16),
        LabelSource.AKISMET,
        "إعلان",
        Targets(spam=1, reject=1),
        datetime(2026, 11, 1, tzinfo=UTC),
        weight=0.5,
    )
    about = replace(
        label, key=bytes(15) + b"1", comment_id=history.comment_id, targets=Targets(spam=0, reject=0)
    )
    async with service.database.connection() as connection:
        await keep_labels(connection, [label, about])
    found = {(one.source, one.targets.spam, one.weight) for one in await collected(service)}
    assert found == {("akismet", 1, 0.5), ("akismet", 0, 1.0)}
    early = replace(about, labelled_at=about.labelled_at - timedelta(days=2000))
    async with service.database.connection() as connection:
        await connection.execute("DELETE FROM labels WHERE comment_id IS NOT NULL")
        await keep_labels(connection, [early])
    assert ("import", 1, 1.0) in {
        (one.source, one.targets.spam, one.weight) for one in await collected(service)
    }


async def test_a_label_that_forgot_its_people_still_goes_with_the_decision_on_its_comment(
    service: RunningService,
) -> None:
    # Not so long ago that the service's own retention, which begins with the service, may come first.
    yesterday = datetime.now(UTC) - timedelta(days=1)
    line = comment("قديم", external_id="1", state="rejected", decided_at=yesterday.isoformat())
    async with service.request("POST", "/v1/comments/batch", json=line) as answer:
        await answer.text()
    (history,) = await collected(service)
    said = Label(
        SiteId(service.site.id),
        bytes(16),
        LabelSource.IMPORT,
        "قديم",
        Targets(insult=1),
        yesterday,
        comment_id=history.comment_id,
        identity=bytes(32),
    )
    async with service.database.connection() as connection:
        await keep_labels(connection, [said])
    (before,) = await collected(service)
    assert (before.targets.insult, before.targets.reject) == (1, 1)
    later = datetime.now(UTC) + timedelta(days=1)
    async with service.database.transaction() as connection:
        due = Due(service.site.id, later, later)
        assert (await delete(connection, "label_identity", due)).removed == 1
        assert (await delete(connection, "label_identity", due)).removed == 0
    assert await collected(service) == [before]


async def test_an_audited_verdict_weighs_the_inverse_of_its_share(
    service: RunningService, database: Database
) -> None:
    token = await seed_moderator(service.database, {service.site.id: "moderator"})
    async with service.database.transaction() as connection:
        await connection.execute(
            "INSERT INTO policies (site_id, version, policy, created_by) VALUES ($1, 2, $2, 'test')",
            service.site.id,
            {"mode": "post", "audit_share": 1.0},
        )
        await connection.execute("UPDATE instance SET config_version = config_version + 1")
    await service.client.app[DIRECTORY].refresh()
    body = await submit(service, "تعليق هادئ جديد")
    assert body["policy"] == 2
    async with service.database.connection() as connection:
        await connection.execute(
            "UPDATE policies SET policy = $1 WHERE version = 2", {"mode": "post", "audit_share": 0.25}
        )
    await decide(service, token, body, "approve")
    assert [label.weight for label in await collected(service)] == [4.0]


def test_weights() -> None:
    assert weight_of(is_audited=False, audit_share=0.02) == 1
    assert weight_of(is_audited=True, audit_share=0.02) == 50
    assert weight_of(is_audited=True, audit_share=None) == 100
    assert weight_of(is_audited=True, audit_share=0.0) == 1
