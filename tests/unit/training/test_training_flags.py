"""The command line of train.py."""

import subprocess
import sys
from pathlib import Path

import pytest

from bintrain.errors import TrainingError
from bintrain.flags import parse_call
from bintrain.settings import Settings


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """What SageMaker's toolkit sets, as far as the job reads it."""
    (tmp_path / "dataset").mkdir()
    return {
        "SM_CHANNEL_DATASET": str(tmp_path / "dataset"),
        "SM_MODEL_DIR": str(tmp_path / "model"),
        "SM_OUTPUT_DATA_DIR": str(tmp_path / "output" / "data"),
        "SAGEMAKER_BASE_DIR": str(tmp_path),
    }


def test_without_flags_the_defaults_are_the_measured_recipe(env: dict[str, str]) -> None:
    settings = parse_call([], env=env).settings

    assert settings == Settings()
    assert (settings.arch, settings.image_size, settings.label_sigma) == ("resnet50", 224, 0.7)


def test_hyperparameters_arrive_as_kebab_flags_with_text_values(env: dict[str, str]) -> None:
    argv = ["--epochs", "3", "--batch-size", "16", "--learning-rate", "3e-4", "--arch", "resnet18"]

    settings = parse_call(argv, env=env).settings

    assert (settings.epochs, settings.batch_size, settings.learning_rate) == (3, 16, 3e-4)


@pytest.mark.parametrize(
    ("text", "value"), [("True", True), ("true", True), ("False", False), ("false", False)]
)
def test_booleans_arrive_as_words(env: dict[str, str], text: str, value: bool) -> None:
    assert parse_call(["--freeze-backbone", text], env=env).settings.freeze_backbone is value


def test_every_fault_of_a_call_is_reported_in_one_line(env: dict[str, str]) -> None:
    del env["SM_MODEL_DIR"]
    argv = ["--epochs", "0", "--learning-rate", "fast", "--arch", "resnet19", "--batch_size", "8"]

    with pytest.raises(TrainingError) as caught:
        parse_call(argv, env=env)

    text = str(caught.value)
    assert "\n" not in text
    assert "--epochs: input should be greater than or equal to 1, came '0'" in text
    assert "--learning-rate" in text and "'fast'" in text
    assert "--arch" in text and "did you mean resnet18?" in text and ", resnet152," in text
    assert "--batch_size: unknown flag; did you mean --batch-size?" in text
    assert "--model-dir: missing; give the flag or set SM_MODEL_DIR" in text


@pytest.mark.parametrize("argv", [["--epochs"], ["stray"], ["--learning-rate", "nan"], ["--epochs", ""]])
def test_malformed_calls_are_rejected(env: dict[str, str], argv: list[str]) -> None:
    with pytest.raises(TrainingError):
        parse_call(argv, env=env)


def test_flags_win_over_the_environment(env: dict[str, str], tmp_path: Path) -> None:
    places = parse_call(["--model-dir", str(tmp_path / "mine")], env=env).places

    assert places.model == tmp_path / "mine"
    assert places.dataset == tmp_path / "dataset"
    assert places.weights is None


def test_a_channel_that_is_no_folder_is_rejected(env: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="--dataset: .*nowhere is not a folder"):
        parse_call(["--dataset", str(tmp_path / "nowhere")], env=env)


def test_checkpoints_go_to_the_mounted_folder_under_the_job_s_name(
    env: dict[str, str], tmp_path: Path
) -> None:
    env["TRAINING_JOB_NAME"] = "trial-007"
    assert parse_call([], env=env).places.checkpoints is None

    (tmp_path / "checkpoints").mkdir()
    assert parse_call([], env=env).places.checkpoints == tmp_path / "checkpoints" / "trial-007"

    env["SM_CHECKPOINT_DIR"] = str(tmp_path / "elsewhere")
    assert parse_call([], env=env).places.checkpoints == tmp_path / "elsewhere" / "trial-007"


def test_help_says_what_each_flag_takes_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_call(["--help"], env={})
    shown = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 0
    assert "passes over the training images (default 12; 1 to 1000)" in shown
    assert "AdamW's peak rate (default 0.001; above 0 to 1)" in shown
    assert "averaging of weights over steps; 0: none (default 0.99; 0 to below 1)" in shown
    assert "timm:<model> (default resnet50)" in shown
    assert "(default soft; soft, emd, corn, binomial)" in shown
    assert "Ge(" not in shown


@pytest.mark.parametrize("words", [["--help"], ["--epochs", "0"]])
def test_help_and_a_wrong_flag_do_not_wait_for_torch(words: list[str]) -> None:
    train = Path(__file__).parents[3] / "training" / "train.py"
    loaded = [sys.executable, "-X", "importtime", str(train), *words]
    done = subprocess.run(loaded, capture_output=True, text=True, check=False)
    names = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "bintrain.flags" in names and not names & {"torch", "scipy", "matplotlib"}
