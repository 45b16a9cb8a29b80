"""The release machine where the answer of a write is lost, and where an execution is killed in a state.

Every state and every write: what became of each is written to build/release-kills.md.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from embedded_cloud.testing import fill_bucket, toy_project

from tests.e2e.losing_cloud import LosingCloud, lost
from tests.e2e.release_stage_kit import DEFINITION, SCENARIOS, Outcome, Stage, approval, bad_end, outcome
from tests.infra.machines import every_state

pytestmark = pytest.mark.e2e

TABLE_FILE = Path(__file__).parents[2] / "build" / "release-kills.md"
READS = ("get", "list", "describe", "invoke")
WRITES = {
    name: state
    for name, state in every_state(DEFINITION)
    if state["Type"] == "Task" and not state["Resource"].split(":")[-1].startswith(READS)
}
CASES = [
    (name, fault)
    for name, state in WRITES.items()
    # Where any fault is tried again one is enough for all; else what the state makes of each counts.
    for fault in ["connection", *(["server"] if "States.TaskFailed" not in str(state["Retry"]) else [])]
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("losing")
    with LosingCloud(data_dir=folder, project=toy_project(folder)) as cloud:
        fill_bucket(cloud)
        yield Stage(cloud)


# A state is killed in the first of these that comes to it.
KILLED = ("it_is_released", "it_is_rolled_back", "it_fails_its_smoke_test", "another_holds_the_lock")
KILLS = [
    *[(name, "before") for name in DEFINITION["States"]],
    *[(name, "after") for name in WRITES],
]
WAY_BACK = ("WriteParameter", "UpdateStack", "ReleaseLock")
KILLS_OF_A_RESTORE = [(name, when) for name in WAY_BACK for when in ("before", "after")]
Undisturbed = dict[str, tuple[Outcome, list[str], set[str]]]


@pytest.fixture(scope="module")
def undisturbed(stage: Stage) -> Undisturbed:
    """Every scenario without a fault: its end, the states that it entered, those whose tasks were done."""
    found: Undisturbed = {}
    for name in SCENARIOS:
        execution = stage.name()
        ended = outcome(stage, name, execution)
        found[name] = ended, stage.entered_by(execution), stage.did(execution)
    return found


@pytest.fixture(scope="module")
def table() -> Iterator[list[tuple[str, ...]]]:
    """Rows: what happened, in which scenario, what was seen then, and how it ended."""
    rows: list[tuple[str, ...]] = []
    yield rows
    head = ("state", "fault", "in", "then", "outcome")
    lines = [" | ".join(("", *row, "")).strip() for row in (head, ("---",) * len(head), *rows)]
    TABLE_FILE.parent.mkdir(exist_ok=True)
    TABLE_FILE.write_text("\n".join(lines) + "\n")
    print("\n" + TABLE_FILE.read_text())


def test_a_scenario_reaches_every_state(undisturbed: Undisturbed) -> None:
    reached = {state for _, states, _ in undisturbed.values() for state in states}
    assert DEFINITION["States"].keys() - reached == set()


@pytest.mark.parametrize(("state", "fault"), CASES)
def test_a_write_whose_answer_is_lost_changes_no_end(
    stage: Stage, undisturbed: Undisturbed, table: list[tuple[str, ...]], state: str, fault: str
) -> None:
    name = next(name for name, (_, _, done) in undisturbed.items() if state in done)
    execution = stage.name(lose=f"{state}-{fault}")
    found = outcome(stage, name, execution)
    assert lost(execution) in stage.cloud.log_file.read_text()
    table.append((state, f"answer lost ({fault})", name, "the same end", f"{found[0]} {found[2]}"))
    assert found == undisturbed[name][0]


@pytest.mark.parametrize(("state", "when"), KILLS)
def test_after_a_kill_in_any_state_the_next_one_ends_well(
    stage: Stage, undisturbed: Undisturbed, table: list[tuple[str, ...]], state: str, when: str
) -> None:
    name = next(name for name in KILLED if state in undisturbed[name][1])
    # The event of the bad end is lost in every other case: then the next release finds the dead lock itself.
    reported = KILLS.index((state, when)) % 2 == 0
    table.append((state, f"killed {when}", name, *_after_a_kill(stage, name, state, when, reported=reported)))


@pytest.mark.parametrize(("state", "when"), KILLS_OF_A_RESTORE)
def test_after_a_kill_of_what_puts_back_the_next_one_ends_well(
    stage: Stage, table: list[tuple[str, ...]], state: str, when: str
) -> None:
    """The end of a restore starts no second one: the next release does it."""
    name = "an_aborted_release_is_put_back"
    table.append((state, f"killed {when}", name, *_after_a_kill(stage, name, state, when, reported=False)))


def _after_a_kill(stage: Stage, scenario: str, state: str, when: str, *, reported: bool) -> tuple[str, str]:
    """What follows: the restore that the bad end starts and a rollback, or the next release alone."""
    given = SCENARIOS[scenario](stage)
    killed = stage.run(given, stage.name(kill=f"{state}-{when}"))
    assert killed["status"] == "ABORTED", killed
    assert stage.entered(killed)[-1] == state
    then = "no event of the end"
    if reported:
        restored = stage.run(bad_end(killed["executionArn"]), stage.name())
        then = f"bad end: {stage.entered(restored)[-1]} {restored.get('error', '')}".strip()
        wanted = stage.package(stage.other_than_the_former())
        stage.package(stage.approved)
        given = {"rollback": {"model_package": wanted}}
    else:
        wanted = stage.package(stage.other_than_the_former())
        given = approval(wanted)
    ended = stage.run(given, stage.name())
    assert ended["status"] == "SUCCEEDED", ended
    assert json.loads(ended["output"]).get("model_package") == wanted, ended
    assert stage.is_at_rest() == stage.model_of(wanted)
    return then, f"next {'rollback' if reported else 'release'}: {stage.entered(ended)[-1]}"
