"""Admission: places, the measured time to an answer, and what an error says."""

import contextlib

import pytest

from inference.http.admission import Admission
from inference.http.errors import RequestError


def accept(admission: Admission, stack: contextlib.ExitStack, times: int) -> None:
    for _ in range(times):
        stack.enter_context(admission.accept())


def error_of(admission: Admission) -> RequestError:
    with pytest.raises(RequestError) as caught, admission.accept():
        pass
    return caught.value


def test_workers_and_queue_are_the_places():
    admission = Admission(workers=2, queue_limit=3, deadline_seconds=10, service_seconds=0.01)
    with contextlib.ExitStack() as stack:
        accept(admission, stack, 5)
        error = error_of(admission)
    assert (error.status, error.code, error.retry_after) == (503, "overloaded", 1)


def test_a_place_is_free_again_once_it_is_left():
    admission = Admission(workers=1, queue_limit=0, deadline_seconds=10, service_seconds=0.01)
    for _ in range(3):
        with admission.accept():
            assert admission.accepted == 1
    assert admission.accepted == 0


def test_a_place_is_left_by_an_error_too():
    admission = Admission(workers=1, queue_limit=0, deadline_seconds=10, service_seconds=0.01)
    with pytest.raises(ZeroDivisionError), admission.accept():
        raise ZeroDivisionError
    assert admission.accepted == 0


def test_a_request_that_would_miss_the_deadline_is_rejected():
    """2 workers at 1 s each, deadline 4 s: with 4 accepted one more is done after 3 s, with 5 later."""
    admission = Admission(workers=2, queue_limit=100, deadline_seconds=4, service_seconds=1)
    with contextlib.ExitStack() as stack:
        accept(admission, stack, 5)
        error = error_of(admission)
    assert error.retry_after == 3, "5 requests at 1 s on 2 workers leave the server after 2.5 s"


def test_a_free_worker_takes_a_request_however_slow_the_last_ones_were():
    admission = Admission(workers=1, queue_limit=1, deadline_seconds=1, service_seconds=60)
    with admission.accept():
        assert error_of(admission).code == "overloaded"
    with admission.accept():
        assert admission.accepted == 1


def test_the_estimate_follows_the_measured_times():
    admission = Admission(workers=1, queue_limit=10, deadline_seconds=1, service_seconds=60)
    for _ in range(100):
        admission.served(0.01)
    with admission.accept(), admission.accept():
        assert admission.accepted == 2


def test_looking_whether_there_is_a_place_takes_none():
    admission = Admission(workers=1, queue_limit=0, deadline_seconds=7, service_seconds=0.01)
    for _ in range(3):
        admission.check()
    with admission.accept(), pytest.raises(RequestError, match="the server is full"):
        admission.check()
