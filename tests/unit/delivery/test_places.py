"""Places: fair between sites, few for those that fail."""

from hypothesis import given
from hypothesis import strategies as st

from moderation.delivery.places import ASIDE, FAILING_AFTER, OVERALL, PER_SITE, SLOW_AFTER_S, Place, Places


def fail(places: Places, *sites: int) -> None:
    for site in sites:
        for _ in range(FAILING_AFTER):
            places.failed(site)


def take(places: Places, shares: dict[int, int]) -> list[Place]:
    return [places.take(site) for site, count in shares.items() for _ in range(count)]


def test_a_site_has_no_more_than_its_bound():
    places = Places(per_site=3, overall=10)
    held = take(places, places.share([1]))
    assert places.share([1]) == {}
    assert places.share([1, 2]) == {2: 3}
    places.give_back(held[0])
    assert places.share([1]) == {1: 1}


def test_places_are_divided_evenly_when_they_are_short():
    shares = Places(per_site=8, overall=10).share([1, 2, 3])
    assert sorted(shares.values()) == [3, 3, 4]


def test_whoever_comes_first_changes_from_time_to_time():
    places = Places(per_site=1, overall=1)
    assert {next(iter(places.share([1, 2, 3]))) for _ in range(3)} == {1, 2, 3}


def test_a_failing_site_has_one_place_until_it_succeeds():
    places = Places(per_site=4, overall=10)
    fail(places, 1)
    assert places.share([1]) == {1: 1}
    assert places.succeeded(1)
    assert places.share([1]) == {1: 4}
    assert not places.succeeded(1)


def test_failing_sites_together_leave_half_of_the_places_free():
    places = Places(per_site=4, overall=8)
    fail(places, *range(20))
    take(places, places.share(list(range(20))))
    assert not places.is_full
    assert places.share(list(range(20))) == {}
    assert places.share([*range(20), 99]) == {99: 4}


def test_no_place_is_left_when_all_are_taken():
    places = Places(per_site=8, overall=4)
    take(places, places.share([1]))
    assert places.is_full
    assert places.share([2]) == {}


class Seconds:
    """A clock in the test's hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_one_request_that_hangs_holds_up_no_other_of_its_site_unless_others_want_the_places():
    seconds = Seconds()
    places = Places(per_site=4, overall=6, seconds=seconds)
    places.take(1)
    seconds.now_s += SLOW_AFTER_S
    assert places.share([1]) == {1: 2}  # one is aside, so a site may have three
    assert places.share([1, 2, 3]) == {2: 3, 3: 3}


def test_whoever_lets_us_wait_stands_aside_and_gets_less_the_more_stand_there():
    seconds = Seconds()
    places = Places(per_site=2, overall=4, seconds=seconds)
    held = take(places, places.share([1, 2]))
    assert places.is_full
    seconds.now_s += SLOW_AFTER_S
    assert places.share([1, 2, 3]) == {3: 1}  # all aside is a third full, and so is what a site may have
    first, second = (place for place in held if place.site == 1)
    places.give_back(first)
    assert places.share([1]) == {}  # its other one hangs still
    places.give_back(second)
    assert places.share([1]) == {1: 1}


def test_sites_that_begin_to_hang_at_once_never_hold_all_places():
    """For a hundred of them, each with more due than it may have, there is a place for another within a second."""
    seconds = Seconds()
    places = Places(seconds=seconds)
    sites = list(range(100))
    for _ in range(9):  # an attempt takes ten seconds at most: then they are known
        take(places, places.share(sites))
        seconds.now_s += SLOW_AFTER_S
        assert places.share([*sites, 999]).get(999), seconds.now_s


def test_a_crowd_for_which_there_is_no_room_goes_last_once_its_attempts_have_failed():
    seconds = Seconds()
    places = Places(seconds=seconds)
    sites, held = list(range(300)), list[Place]()
    while not places.is_full:
        held += take(places, places.share(sites))
        seconds.now_s += SLOW_AFTER_S
    for place in held:
        places.give_back(place)
        places.failed(place.site)
    take(places, places.share(sites))
    seconds.now_s += SLOW_AFTER_S
    for _ in range(50):  # whoever's turn it is
        assert places.share([*sites, 999]).get(999)


def test_attempts_have_a_bound_whatever_hangs():
    seconds = Seconds()
    places = Places(seconds=seconds)
    held = 0
    for turn in range(50):
        held += len(take(places, places.share(range(turn * 100, turn * 100 + 100))))
        seconds.now_s += SLOW_AFTER_S
    assert held == OVERALL * (1 + ASIDE)
    assert places.is_full
    assert PER_SITE * 8 == OVERALL


@given(
    st.lists(st.integers(1, 30), unique=True, max_size=30),
    st.sets(st.integers(1, 30)),
    st.integers(1, 9),
    st.integers(2, 70),
)
def test_shares_never_exceed_a_bound_and_leave_no_place_idle(
    sites: list[int], failing: set[int], per_site: int, overall: int
):
    places = Places(per_site=per_site, overall=overall)
    fail(places, *failing)
    shares = places.share(sites)
    assert sum(shares.values()) <= overall
    assert all(0 < count <= (1 if site in failing else per_site) for site, count in shares.items())
    assert sum(count for site, count in shares.items() if site in failing) <= overall // 2
    healthy = [site for site in sites if site not in failing]
    if sum(shares.values()) < overall:
        assert all(shares.get(site, 0) == per_site for site in healthy)
