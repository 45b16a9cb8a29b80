"""Reads by MLflow's own client what was logged to the server at a URL; runs in the environment of mlflow."""

import sys
from pathlib import Path

from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts


def main(url: str) -> int:
    """Prints each run; 1 where none has a curve, a dataset, the gate's figures and its pages."""
    client = MlflowClient(tracking_uri=url)
    whole = 0
    for experiment in client.search_experiments(filter_string="name LIKE 'bincount-%'"):
        for run in client.search_runs([experiment.experiment_id]):
            curve = client.get_metric_history(run.info.run_id, "validation/rmse")
            pages = [file.path for file in client.list_artifacts(run.info.run_id, "evaluation")]
            inputs = [each.dataset.name for each in run.inputs.dataset_inputs]
            metrics, gate = run.data.metrics, run.data.tags.get("bincount.gate", "-")
            print(
                f"{experiment.name}: {run.info.run_name} {run.info.status}, "
                f"{len(run.data.params)} parameters, {len(metrics)} metrics, "
                f"{len(curve)} epochs, test RMSE {metrics.get('model/test/rmse')}, "
                f"dataset {inputs}, gate {gate}, {len(pages)} pages"
            )
            if curve and inputs and "gate/accuracy" in metrics and "evaluation/report.html" in pages:
                place = download_artifacts(
                    run_id=run.info.run_id, artifact_path="evaluation/report.html", tracking_uri=url
                )
                whole += "<html" in Path(place).read_text(encoding="utf-8")
    print(f"{whole} runs are whole")
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
