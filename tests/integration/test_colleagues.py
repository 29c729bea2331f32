"""Who moderates a site, by the names that their colleagues know."""

import pytest

from moderation.domain.errors import InvalidConfigurationError
from moderation.domain.site import Role
from moderation.storage.administration.moderators import add_moderator, remove_role
from tests.service import RunningService, seed_moderator, seed_site


async def test_colleagues_have_names_for_each_other_and_no_address(service: RunningService) -> None:
    database, vault, site = service.database, service.vault, service.site.name
    token = await seed_moderator(database, {service.site.id: "moderator"})
    layla = await add_moderator(
        database, vault, "layla@example.com", site=site, role=Role.LEAD, actor="test", name=" ليلى  سعد "
    )
    left = await add_moderator(
        database, vault, "left@example.com", site=site, role=Role.MODERATOR, actor="test", name="وائل"
    )
    await remove_role(database, vault, "left@example.com", site=site, actor="test")
    await add_moderator(database, vault, "layla@example.com", site=site, role=Role.MODERATOR, actor="test")
    status, body = await service.call("GET", f"/v1/colleagues?site={site}", key=token)
    assert status == 200
    found = {one["id"]: (one["name"], one["role"]) for one in body["items"]}
    assert (found[str(layla)], found[str(left)]) == (("ليلى سعد", "moderator"), ("وائل", None))
    assert len(found) == 3
    assert "@" not in str(body)


@pytest.mark.parametrize(
    "path", ["/v1/colleagues", "/v1/queue/counts", "/v1/health", "/v1/queue", "/v1/search"]
)
async def test_a_parameter_that_no_list_knows_is_named(service: RunningService, path: str) -> None:
    token = await seed_moderator(service.database, {service.site.id: "lead"})
    status, problem = await service.call("GET", f"{path}?site={service.site.name}&kid=held", key=token)
    assert (status, problem["type"]) == (400, "/problems/malformed-request")
    assert "kid" in problem["detail"]


async def test_nobody_else_learns_who_they_are(service: RunningService) -> None:
    other = await seed_site(service.database, service.vault)
    stranger = await seed_moderator(service.database, {other.id: "admin"})
    path = f"/v1/colleagues?site={service.site.name}"
    assert (await service.call("GET", path, key=stranger))[0] == 404
    assert (await service.call("GET", path))[0] == 403  # the site's own key
    assert (await service.call("GET", "/v1/colleagues", key=stranger))[0] == 404


@pytest.mark.parametrize("name", ["layla@example.com", " ", "x" * 81, "a\x00b"])
async def test_a_name_is_no_address(service: RunningService, name: str) -> None:
    with pytest.raises(InvalidConfigurationError):
        await add_moderator(
            service.database,
            service.vault,
            "l@example.com",
            site=service.site.name,
            role=Role.LEAD,
            actor="test",
            name=name,
        )
