"""The dataset's page in a real browser, made from drawn bins, some of which cannot be taken."""

from pathlib import Path

from data_prep.cli import make_dataset
from data_prep.request import parse_request
from data_prep.steps.open_run import open_run
from data_prep.storage.directory_store import DirectoryStore
from demo.bins.generate import generate
from tests.browser.look import complaints, look


def test_counts_rejects_and_examples_show_on_desk_phone_and_paper(tmp_path: Path) -> None:
    source = tmp_path / "bins"
    generate(out=source, images=60, seed=0, counts=range(1, 4))
    empty, cut = sorted((source / "bin-images").iterdir())[:2]
    empty.write_bytes(b"")
    cut.write_bytes(cut.read_bytes()[:700])
    request = {"source": {"directory": str(source)}, "file_list": str(source / "file_list.json")}
    run = open_run(DirectoryStore(tmp_path / "target"), parse_request(request, directories=True))
    sealed = make_dataset(run, quiet=True)

    page = tmp_path / "target" / sealed["prefix"] / "dataset.html"
    views = look(page, tmp_path / "views")

    assert complaints(page, views) == []
    for view in views.values():
        assert view.title == f"Dataset {sealed['dataset_id']}"
        lines = view.text.split("\n")
        assert lines[lines.index("images") - 1] == "58"
        assert lines[lines.index("rejected") - 1] == "2"
        for shown in ("empty", "undecodable", "1 object", "3 objects"):
            assert any(line.split("\t")[0] == shown for line in lines), shown
