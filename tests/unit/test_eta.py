"""The time left of long work follows its speed so far."""

from __future__ import annotations

from collections.abc import Callable

from cocadesk.eta import EtaEstimator


def clock_of(*times_s: float) -> Callable[[], float]:
    """A clock that reads these times, one a look."""
    return iter(times_s).__next__


def test_the_rest_takes_as_long_an_item_as_what_is_done() -> None:
    """Ten items in five seconds: thirty more take fifteen."""
    assert EtaEstimator(clock=clock_of(100.0, 105.0)).seconds_left(10, 40) == 15.0


def test_nothing_is_said_before_the_first_item() -> None:
    """There is no speed yet."""
    assert EtaEstimator(clock=clock_of(0.0, 9.0)).seconds_left(0, 40) is None


def test_nothing_is_said_of_work_of_unknown_length() -> None:
    """A scan does not know how many files there are."""
    assert EtaEstimator(clock=clock_of(0.0, 9.0)).seconds_left(3, None) is None


def test_finished_work_takes_no_more_time() -> None:
    """Also where there was nothing to do at all."""
    eta = EtaEstimator(clock=clock_of(0.0))
    assert eta.seconds_left(4, 4) == 0.0
    assert eta.seconds_left(0, 0) == 0.0


def test_items_of_an_earlier_run_say_nothing_of_the_speed() -> None:
    """Work that goes on at 90 of 100 is judged by what it did since."""
    eta = EtaEstimator(90, clock=clock_of(0.0, 4.0))
    assert eta.seconds_left(90, 100) is None
    assert eta.seconds_left(92, 100) == 16.0


def test_the_seconds_count_from_the_beginning() -> None:
    """Whatever is done meanwhile."""
    eta = EtaEstimator(clock=clock_of(100.0, 100.0, 110.0))
    assert [eta.seconds, eta.seconds] == [0.0, 10.0]
