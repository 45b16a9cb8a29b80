"""When the service calls itself healthy."""

import asyncio

import pytest

from inference.http.health import Health


class Model:
    """Something that answers, breaks or hangs, as asked, and counts how often it was asked."""

    def __init__(self) -> None:
        self.mood = "answers"
        self.asked = 0

    async def probe(self) -> None:
        self.asked += 1
        if self.mood == "breaks":
            raise RuntimeError("the network is gone")
        if self.mood == "hangs":
            await asyncio.Event().wait()


def checked(*moods: str) -> list[bool]:
    """What a Health says after each probe of a model in these moods."""
    model = Model()
    health = Health(probe=model.probe, every=60, patience=0.01)
    states = [health.healthy]
    for mood in moods:
        model.mood = mood
        asyncio.run(health.check())
        states.append(health.healthy)
    return states


def test_it_is_unhealthy_before_the_first_answer():
    assert checked() == [False]


@pytest.mark.parametrize("fault", ["breaks", "hangs"])
def test_health_follows_whether_the_model_answers(fault):
    assert checked("answers", fault, fault, "answers") == [False, True, False, False, True]


async def watched(model: Model, health: Health, *, probes: int) -> None:
    task = asyncio.create_task(health.watch())
    while model.asked < probes:
        await asyncio.sleep(0.001)
    task.cancel()


def test_it_looks_by_itself_where_nobody_asks():
    model = Model()
    health = Health(probe=model.probe, every=0.001, patience=1)
    asyncio.run(watched(model, health, probes=3))
    assert health.healthy


def test_a_failed_request_is_followed_by_a_new_look():
    model = Model()
    health = Health(probe=model.probe, every=0.02, patience=1)
    health.succeeded()
    health.failed()
    model.mood = "breaks"
    asyncio.run(watched(model, health, probes=1))
    assert not health.healthy
