import shutil

import pandas as pd


def test_evaluate_writes_what_it_shows(workplace, mds_lightning):
    shown = mds_lightning("evaluate", "study=runs/small", "n_resamples=200", cwd=workplace)
    assert shown.returncode == 0, shown.stderr
    folder = workplace / "runs/small/evaluation/squeezenet1_1"
    table = pd.read_csv(folder / "metrics.csv")
    assert {"image", "patient"} <= set(table["level"])
    assert (folder / "roc.png").stat().st_size > 10_000
    assert str((folder / "metrics.csv").relative_to(workplace)) in shown.stdout
    for heading in ("Accuracy", "Precision, MDS", "Recall, donor", "ROC-AUC"):
        assert heading in shown.stdout


def test_an_unfinished_study_is_refused_with_the_command_to_go_on(workplace, mds_lightning):
    done = workplace / "runs/small/squeezenet1_1/fold-1/done.json"
    kept = done.read_bytes()
    done.unlink()
    try:
        refused = mds_lightning("evaluate", "study=runs/small", cwd=workplace)
    finally:
        done.write_bytes(kept)
    assert refused.returncode == 2
    assert "fold 1 is not finished" in refused.stderr
    assert "mds-lightning train" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_study_of_a_colleague_is_evaluated_explained_and_reported_elsewhere(
    workplace, mds_lightning, tmp_path
):
    shutil.copytree(workplace / "data", tmp_path / "data")
    study = shutil.copytree(workplace / "runs/small", tmp_path / "runs/small")
    (study / "squeezenet1_1/fold-0.bak").mkdir()
    (study / "squeezenet1_1/fold-1.tar.gz").touch()
    shutil.rmtree(study / "evaluation", ignore_errors=True)

    def files():
        return {path: path.stat().st_mtime_ns for path in study.rglob("*")}

    before = files()
    for arguments in (
        ("evaluate", "n_resamples=100"),
        ("report", "n_resamples=100"),
        ("explain", "images=1", "explain.window=0.9", "explain.stride=0.9"),
    ):
        done = mds_lightning(*arguments, "study=runs/small", "output=mine", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert files() == before
    written = {path.relative_to(tmp_path / "mine").as_posix() for path in (tmp_path / "mine").rglob("*")}
    assert {"squeezenet1_1/metrics.csv", "table1_patients.csv", "report.html", "model_card.md"} <= written
    assert any(name.startswith("fold-0/") and name.endswith(".npz") for name in written)
