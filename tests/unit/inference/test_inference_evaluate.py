"""The gate's evaluation, run as its processing job runs it: folders in, a verdict out."""

import gzip
import hashlib
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from inference.evaluate.paired import chance_of_worse
from tests.browser.look import complaints, look

ROOT = Path(__file__).parents[3]
FLOORS = {"min-accuracy": 0, "max-rmse": 100, "min-within-one": 0, "min-coverage": 0, "level": 0.05}


@dataclass
class Case:
    """The job's folder; `evaluate` runs the program."""

    folder: Path
    counts: dict[str, int] = field(default_factory=dict)
    field: set[str] = field(default_factory=set)
    champion: str = "none"
    stderr: str = ""

    def add_bins(self, counts: list[int], gray: Callable[..., bytes], *, shards: bool = False) -> None:
        images = {
            f"{number:05}": gray(40 * count, size=(64, 48 + number)) for number, count in enumerate(counts)
        }
        self.counts = dict(zip(images, counts, strict=True))
        target = self.folder / "input" / "bins"
        target.mkdir(parents=True)
        if shards:
            with tarfile.open(target / "test-000000.tar", "w") as shard:
                for name, data in images.items():
                    add_member(shard, f"{name}.jpg", data)
                    add_member(shard, f"{name}.cls", b"0")
        for name, data in images.items() if not shards else []:
            path = target / str(self.counts[name]) / f"{name}.jpg"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        (target / "unlisted.jpg").write_bytes(b"of the other half")
        self.write_manifest()

    def write_manifest(self) -> None:
        lines = [{"id": name, "count": count, "split": "test"} for name, count in self.counts.items()]
        lines.append({"id": "unlisted", "count": 1, "split": "validation"})
        lines = [line | ({"source": "field"} if line["id"] in self.field else {}) for line in lines]
        path = self.folder / "input" / "manifest" / "manifest.jsonl.gz"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))

    def add_model(self, role: str, model: Path) -> None:
        path = self.folder / "input" / role / "model.tar.gz"
        path.parent.mkdir(parents=True)
        with tarfile.open(path, "w:gz") as archive:
            for file in model.iterdir():
                archive.add(file, arcname=file.name)
        if role == "champion":
            self.champion = "s3://bins/champion.tar.gz"

    def run(self, **rules: float) -> int:
        given = {**FLOORS, **{name.replace("_", "-"): value for name, value in rules.items()}}
        options = [text for name, value in given.items() for text in (f"--{name}", str(value))]
        command = [sys.executable, "-m", "inference.evaluate", "--dataset-id", "bins-0123456789ab", *options]
        command += ["--input", str(self.folder / "input"), "--output", str(self.folder / "output")]
        command += ["--baseline", str(self.folder / "baseline"), "--baseline-images", "5"]
        command += ["--message", str(self.folder / "message"), "--challenger", "s3://bins/challenger.tar.gz"]
        done = subprocess.run(
            [*command, "--champion", self.champion], cwd=ROOT, capture_output=True, text=True, check=False
        )
        self.stderr = done.stderr
        return done.returncode

    def evaluate(self, **rules: float) -> dict[str, Any]:
        assert self.run(**rules) == 0, self.stderr
        verdict = json.loads((self.folder / "output" / "verdict.json").read_text())
        schema = json.loads((ROOT / "docs" / "schemas" / "verdict.schema.json").read_text())
        jsonschema.Draft202012Validator(schema).validate(verdict)
        return verdict

    @property
    def message(self) -> str:
        return (self.folder / "message").read_text()


def add_member(shard: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    shard.addfile(member, io.BytesIO(data))


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_each_model_is_evaluated_by_the_answers_that_it_would_serve(case, make_model, gray) -> None:
    """At temperature 20 the likeliest count of a black image is 0, the median 1; of a bright one 5 and 4."""

    def unsure(rule: str) -> Path:
        return make_model(lambda model: model["calibration"].update({"temperature": 20.0, "answer": rule}))

    case.add_bins([0, 5] * 10, gray)
    case.add_model("challenger", unsure("median"))
    case.add_model("champion", unsure("most_probable"))
    verdict = case.evaluate()
    figures = {role: verdict[role]["metrics"] for role in ("challenger", "champion")}
    assert (figures["challenger"]["accuracy"], figures["challenger"]["within_one"]) == (0.0, 1.0)
    assert figures["champion"]["accuracy"] == 1.0
    assert not verdict["accepted"]
    assert verdict["smoke"]["count"] in (1, 4)


def test_a_first_model_is_evaluated_by_the_floors_alone(case, make_model, gray) -> None:
    case.add_bins([0, 1, 2, 3, 4, 5], gray)
    case.add_model("challenger", make_model())
    verdict = case.evaluate(min_accuracy=1, max_rmse=0.1, min_within_one=1, min_coverage=1)
    assert (verdict["accepted"], verdict["reasons"], verdict["champion"]) == (True, [], None)
    assert verdict["challenger"]["metrics"]["accuracy"] == 1.0
    assert verdict["challenger"]["metrics"]["images"] == 6
    assert case.message == "accepted"
    assert "brightness-1: accepted" in (case.folder / "output" / "report.html").read_text()
    baseline = (
        case.folder / "baseline" / "brightness-1"
    )  # the challenger's, by its id; 5 images were asked for
    about = json.loads((baseline / "about.json").read_text())
    assert (about["images"], about["sizes"]) == (5, "original")
    assert about["model_data"] == "s3://bins/challenger.tar.gz"
    lines = [
        json.loads(each)
        for each in gzip.decompress((baseline / "observations.jsonl.gz").read_bytes()).splitlines()
    ]
    assert len(lines) == 5 and all(line["count"] == case.counts[line["id"]] for line in lines)


def test_shards_give_the_verdict_that_folders_give(case, tmp_path, make_model, gray) -> None:
    verdicts = []
    for name, shards in (("folders", False), ("shards", True)):
        case = Case(tmp_path / name)
        case.folder.mkdir()
        case.add_bins([0, 1, 2, 3], gray, shards=shards)
        case.add_model("challenger", make_model(step=60))
        verdicts.append(case.evaluate())
    assert verdicts[0] == verdicts[1]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"min_accuracy": 0.9}, "accuracy is 0.5000, at least 0.9 is wanted"),
        ({"max_rmse": 0.5}, "rmse is 0.7071, at most 0.5 is wanted"),
        ({"min_within_one": 1.01}, "within_one is 1.0000, at least 1.01 is wanted"),
        ({"min_coverage": 1.01}, "coverage is 1.0000, at least 1.01 is wanted"),
    ],
)
def test_a_figure_below_its_floor_rejects_and_is_named(case, make_model, gray, rule, words) -> None:
    case.add_bins([0, 1, 2, 3], gray)
    case.counts |= {"00000": 1, "00001": 2}  # two labels that the model cannot meet
    case.write_manifest()
    case.add_model("challenger", make_model(lambda d: d["calibration"]["interval"].update(score_quantile=1)))
    verdict = case.evaluate(**rule)
    assert (verdict["accepted"], verdict["reasons"]) == (False, [words])
    assert case.message == f"rejected: {words}"


def test_a_challenger_worse_beyond_noise_is_rejected_by_both_figures(case, make_model, gray) -> None:
    case.add_bins([count % 6 for count in range(60)], gray)
    case.add_model("champion", make_model())
    case.add_model("challenger", make_model(step=60))
    verdict = case.evaluate()
    assert not verdict["accepted"]
    assert [reason.split()[0] for reason in verdict["reasons"]] == ["accuracy", "rmse"]
    assert "against the champion's 1.0000 on the same 60 bins" in verdict["reasons"][0]
    assert verdict["comparison"]["accuracy"]["p"] < 0.001


def test_fewer_bins_than_wanted_need_a_person(case, make_model, gray) -> None:
    case.add_bins([0, 1, 2, 3], gray)
    case.add_model("challenger", make_model())
    verdict = case.evaluate(min_images=5)
    words = "it was evaluated on 4 bins, at least 5 are wanted"
    assert (verdict["accepted"], verdict["needs_person"]) == (True, [words])
    assert case.message == f"accepted, needs a person: {words}"
    assert case.evaluate(min_images=4)["needs_person"] == []


def test_a_challenger_without_a_class_of_the_champion_needs_a_person(case, make_model, gray) -> None:
    case.add_bins([0, 1, 2], gray)
    case.add_model("champion", make_model())
    fewer = make_model(lambda d: d["classes"].update(counts=[0, 1, 2], open_top=True))
    case.add_model("challenger", fewer)
    verdict = case.evaluate()
    assert verdict["needs_person"] == ["it has no class for 3, 4, 5, the champion has"]
    page = (case.folder / "output" / "report.html").read_text()
    assert "A person must decide" in page
    assert "<td>0 to 2+</td><td>0 to 5</td>" in page


def test_a_browser_shows_what_was_rejected_why_and_against_what(case, make_model, gray, tmp_path) -> None:
    case.add_bins([count % 6 for count in range(60)], gray)
    case.add_model("champion", make_model())
    case.add_model("challenger", make_model(lambda d: d.update(model_id="a" * 63), step=60))
    verdict = case.evaluate(min_accuracy=0.9)
    page = case.folder / "output" / "report.html"
    views = look(page, tmp_path / "views")
    assert complaints(page, views) == []
    accuracy = f"{verdict['challenger']['metrics']['accuracy']:.4f}"
    for view in views.values():
        assert view.title == f"{'a' * 63}: rejected"
        for shown in (
            *verdict["reasons"],
            accuracy,
            "at least 0.9",
            "serves now, is brightness-1",
            "60 bins of dataset bins-0123456789ab",
        ):
            assert shown in view.text


def test_a_challenger_that_is_worse_by_one_bin_is_within_noise(case, make_model, gray) -> None:
    case.add_bins([0, 1, 2, 1, 2, 2, 1], gray)
    case.add_model("champion", make_model())
    case.add_model("challenger", make_model(step=54))  # takes 2 (brightness 80) for 1 … and so do others
    verdict = case.evaluate(level=0.0001)
    assert verdict["accepted"]
    assert verdict["comparison"]["accuracy"]["challenger"] <= verdict["comparison"]["accuracy"]["champion"]


def test_models_of_other_classes_are_compared_on_what_both_can_say(case, make_model, gray) -> None:
    """The champion says "2 or more" for 3, 4 and 5: it is not worse there than one that counts them."""
    case.add_bins([1, 2, 3, 4, 5], gray)
    open_at_two = make_model(lambda d: d["classes"].update(counts=[0, 1, 2], open_top=True))
    case.add_model("champion", open_at_two)
    case.add_model("challenger", make_model())
    verdict = case.evaluate()
    assert verdict["comparison"]["capped_at"] == 2
    assert verdict["comparison"]["accuracy"] == {"challenger": 1.0, "champion": 1.0, "p": 1.0}
    assert verdict["champion"]["metrics"]["accuracy"] == 1.0


def test_the_smoke_bin_is_the_one_that_the_challenger_is_surest_about(case, make_model, gray) -> None:
    case.add_bins([0, 1, 2, 3], gray)
    case.add_model("challenger", make_model())
    smoke = case.evaluate()["smoke"]
    image = (case.folder / "output" / "smoke.jpg").read_bytes()
    assert smoke["sha256"] == hashlib.sha256(image).hexdigest()
    assert smoke["model"] == "brightness-1"
    assert smoke["count"] in (0, 5) or image in [p.read_bytes() for p in case.folder.rglob("*/*.jpg")]


def test_few_unreadable_bins_are_left_out_and_listed(case, make_model, gray) -> None:
    case.add_bins([1] * 120, gray)
    (case.folder / "input" / "bins" / "1" / "00007.jpg").write_bytes(b"\xff\xd8 damaged")
    case.add_model("challenger", make_model())
    verdict = case.evaluate()
    assert (verdict["images"], verdict["unreadable"]) == (119, ["00007"])


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda c: (c.folder / "input/bins/1/00000.jpg").unlink(), "1 of the 4 images of the split `test`"),
        (lambda c: (c.folder / "input/bins/1/00000.jpg").write_bytes(b"?"), "1 of 4 bins cannot be read"),
        (
            lambda c: (c.folder / "input/manifest/manifest.jsonl.gz").write_bytes(b"?"),
            "expected a dataset's manif",
        ),
        (lambda c: (c.folder / "input/challenger/model.tar.gz").write_bytes(b"?"), "expected a model.tar.gz"),
        (lambda c: setattr(c, "champion", "s3://bins/gone.tar.gz"), "champion/model.tar.gz"),
    ],
)
def test_without_a_fair_comparison_there_is_no_verdict(case, make_model, gray, damage, words) -> None:
    case.add_bins([1, 1, 1, 1], gray)
    case.add_model("challenger", make_model())
    damage(case)
    assert case.run() == 1
    assert words in case.stderr and len(case.stderr.splitlines()) == 1
    assert case.message.startswith("no verdict: ")
    assert not (case.folder / "output" / "verdict.json").exists()


def test_an_archive_that_leaves_its_folder_is_rejected(case, gray, tmp_path) -> None:
    case.add_bins([1], gray)
    path = case.folder / "input" / "challenger" / "model.tar.gz"
    path.parent.mkdir()
    with tarfile.open(path, "w:gz") as archive:
        add_member(archive, "../../escaped.txt", b"x")
    assert case.run() == 1
    assert "cannot be unpacked" in case.stderr
    assert not list(tmp_path.rglob("escaped.txt"))


class TestChanceOfWorse:
    def test_no_difference_is_no_evidence(self) -> None:
        assert chance_of_worse(np.zeros(1000, dtype=np.int64)) == 1.0

    def test_it_is_mcnemars_exact_test_on_right_and_wrong_answers(self) -> None:
        """7 bins lost, 1 won: the binomial tail of 8 coins with 7 or more heads is 9 / 256."""
        harm = np.array([1] * 7 + [-1] + [0] * 92)
        assert chance_of_worse(harm) == pytest.approx(9 / 256, abs=0.005)

    def test_the_same_answers_give_the_same_figure_in_any_order(self) -> None:
        harm = np.random.default_rng(1).integers(-9, 10, 5000)
        assert chance_of_worse(harm) == chance_of_worse(np.sort(harm))

    def test_models_of_equal_worth_are_rejected_as_often_as_the_level_says(self) -> None:
        random = np.random.default_rng(2)
        rejected = sum(chance_of_worse(random.integers(-4, 5, 300)) < 0.05 for _ in range(400))
        assert 8 <= rejected <= 34  # 20 expected, three standard deviations

    def test_a_real_step_back_is_found_among_500_000_bins(self) -> None:
        """Two points of accuracy lost on 53,000 bins, where the models disagree on a third of them."""
        random = np.random.default_rng(3)
        harm = random.choice([-1, 0, 1], size=53_000, p=[0.155, 0.67, 0.175])
        assert chance_of_worse(harm) < 0.001
