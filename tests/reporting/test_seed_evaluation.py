"""`evaluate` and `report` of a variant with several seeds: each seed, their mean and their ensemble."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mds_lightning import load_study
from mds_lightning.commands.evaluate import evaluate
from mds_lightning.reporting.page.html_report import write_report
from mds_lightning.statistics.estimates import Settings
from mds_lightning.statistics.intervals.newcombe import NEWCOMBE

from .small_study import config, make_study, pick

HEADLINE = {"level": "patient", "metric": "roc_auc_within_folds", "class": "MDS"}


def seeded(path: Path, seeds: int = 3, variants: tuple[str, ...] = ("resnet18",)) -> Path:
    """A made study whose variants have several seeds."""
    names = [f"{variant} {seed}" for variant in variants for seed in range(seeds)]
    study = make_study(path, tuple(names), external=("x1", "x2", "x3"))
    for variant in variants:
        (study / variant).mkdir()
        for seed in range(seeds):
            (study / f"{variant} {seed}").rename(study / variant / f"seed-{seed}")
    return study


@pytest.mark.usefixtures("quick")
def test_each_seed_their_mean_and_their_ensemble_are_evaluated(tmp_path: Path) -> None:
    study = seeded(tmp_path / "study")
    evaluation = evaluate(config(study))
    folder = study / "evaluation/resnet18"
    metrics, seeds = pd.read_csv(folder / "metrics.csv"), pd.read_csv(folder / "seeds.csv")
    summary = pick(pd.read_csv(folder / "seed_summary.csv"), **HEADLINE).iloc[0]
    by_seed = pick(seeds, **HEADLINE, interval=NEWCOMBE)
    assert by_seed["seed"].tolist() == [0, 1, 2]
    assert summary["mean"] == pytest.approx(by_seed["value"].mean())
    assert summary["sd"] == pytest.approx(by_seed["value"].std())
    ensemble = pick(metrics, **HEADLINE, interval=NEWCOMBE)
    held_out = ensemble[ensemble["patients"].str.startswith("held-out")].iloc[0]
    assert summary["ensemble"] == held_out["value"]
    # The mean of independent made models ranks better than each of them.
    assert held_out["value"] > by_seed["value"].max()
    # The interval of one training is wider than that of the trained models at the same value.
    assert summary["low"] < summary["mean"] < summary["high"]
    assert summary["high"] - summary["low"] > (by_seed["high"] - by_seed["low"]).min()
    assert (summary[["sd_patients", "sd_folds", "sd_seeds"]] >= 0).all()
    others = pd.read_csv(folder / "seed_summary.csv").drop(index=summary.name)
    assert others[["low", "high", "sd_seeds"]].isna().all(axis=None)

    performance = pd.read_csv(study / "evaluation/table2_performance.csv")
    models = performance.loc[performance["level"] == "patient", "model"].unique()
    assert models.tolist() == [
        "resnet18, ensemble of 3 seeds",
        "resnet18, one training (mean of 3 seeds)",
        *(f"resnet18, seed {seed}" for seed in range(3)),
    ]
    assert len(evaluation.evidence) == 1


@pytest.mark.usefixtures("quick")
def test_variants_are_compared_and_selected_by_their_ensembles(tmp_path: Path) -> None:
    study = seeded(tmp_path / "study", 2, ("densenet121", "resnet18"))
    evaluate(config(study, selection="inner_validation"))
    models = pd.read_csv(study / "evaluation/comparison_models.csv")
    for _, line in models.iterrows():
        table = pd.read_csv(study / "evaluation" / str(line["model"]) / "metrics.csv")
        value = pick(table, **HEADLINE, interval=NEWCOMBE)["value"].iloc[0]
        assert line["roc_auc_within_folds"] == pytest.approx(value)
    chosen = pd.read_csv(study / "evaluation/selected/selection.csv")
    assert set(chosen["variant"]) <= {"densenet121", "resnet18"}


def test_rows_and_metrics_of_a_seed_are_read_by_name(tmp_path: Path) -> None:
    study = load_study(seeded(tmp_path / "study"))
    key = ["fold", "image", "split"]
    mean = np.mean([study.rows(seed=seed).sort_values(key)["prob_MDS"] for seed in study.seeds()], axis=0)
    np.testing.assert_allclose(study.rows().sort_values(key)["prob_MDS"], mean, rtol=1e-6)
    quick = Settings(n_resamples=100)
    assert not study.metrics(settings=quick, seed=0).equals(study.metrics(settings=quick))
    assert study.fold(0, seed=2).directory.path.parent.name == "seed-2"
    assert [run.seed for run in study.fold_of_seeds(1)] == [0, 1, 2]
    with pytest.raises(ValueError, match="has no seed 7; there are 0, 1, 2"):
        study.rows(seed=7)


def test_an_unfinished_seed_is_named_and_a_missing_one_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    study = seeded(tmp_path / "study")
    (study / "resnet18/seed-1/fold-0/config.yaml").write_text("seeds: 4\n")
    assert len(load_study(study).by_seed["resnet18"]) == 3
    assert "resnet18: 3 of 4 seeds were trained; continue with: mds-lightning train -m" in caplog.text
    (study / "resnet18/seed-2/fold-3/done.json").unlink()
    with pytest.raises(ValueError, match=r"resnet18/seed-2: fold 3 is not finished"):
        _ = load_study(study).pooled


def test_the_report_has_a_section_of_the_seeds(make_study, tmp_path: Path) -> None:
    study = make_study(tmp_path).write(("seed-0", "seed-1"))
    (study / "resnet18").mkdir()
    for seed in range(2):
        (study / f"seed-{seed}").rename(study / "resnet18" / f"seed-{seed}")
    path = tmp_path / "report.html"
    page = write_report(load_study(study), Settings(n_resamples=100), path)
    text = path.read_text()
    assert list(page.seeds) == ["resnet18"]
    assert len(page.fold_training) == 6
    assert 'href="#seeds"' in text
    assert "These 3 ensembles of models" in text
    assert "One training (mean of 2 seeds)" in text
    assert "3-fold patient-wise cross-validation" in text
