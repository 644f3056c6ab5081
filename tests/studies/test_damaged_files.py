"""Hundreds of mutations of each file of a study: refused by name, or read with the same result."""

import logging
import math
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from mds_lightning import load_study
from mds_lightning.cli import conf_directory
from mds_lightning.cli.user_errors import explain_user_error
from mds_lightning.maps.digest import digest_weights
from mds_lightning.models.classifier import SmearClassifier
from mds_lightning.statistics.predictions import Predictions, check_predictions
from mds_lightning.studies.checkpoint import load_checkpoint
from mds_lightning.studies.checkpoint_origin import ORIGIN, describe_origin
from mds_lightning.studies.layout import RunDirectory, StudyDirectory
from mds_lightning.studies.pooled_rows import read_runs
from mds_lightning.studies.provenance import FORMAT, read_provenance, write_provenance
from mds_lightning.studies.recording import finish_run
from mds_lightning.studies.settings import read_settings
from mds_lightning.studies.stored_recalibration import read_recalibrations, write_recalibration

from .. import mutations
from ..mutations import Mutation, mutate

VARIANT = "resnet18"
CLASSES = ("donor", "MDS")
log = logging.getLogger(__name__)


@pytest.fixture(scope="module")
def plain_study(made_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study whose runs have no recorded hashes, as those of earlier versions."""
    study = tmp_path_factory.mktemp("plain") / "made"
    shutil.copytree(made_study, study)
    shutil.rmtree(study / "squeezenet1_1")
    for fold, run in StudyDirectory(study).runs(VARIANT).items():
        write_recalibration(run, check_predictions(pd.read_parquet(run.predictions), "rows"))
        (run.path / "skipped.csv").write_text("image,lost_patient,reason\n")
        model = SmearClassifier("squeezenet1_1", CLASSES)
        checkpoint = {
            "state_dict": model.state_dict(),
            "hyper_parameters": dict(model.hparams),
            "pytorch-lightning_version": "2.6.6",
            ORIGIN: describe_origin({"study": "made", "variant": VARIANT}, read_provenance(run.provenance)),
        }
        run.best_checkpoint.parent.mkdir()
        torch.save(checkpoint, run.best_checkpoint)
        if fold:
            shutil.rmtree(run.path / "occlusion")
        else:
            for file in sorted((run.path / "occlusion").glob("*.npz"))[2:]:
                file.unlink()
    return study


@pytest.fixture(scope="module")
def recorded_study(plain_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same study with recorded hashes."""
    study = tmp_path_factory.mktemp("recorded") / "made"
    shutil.copytree(plain_study, study)
    for run in StudyDirectory(study).runs(VARIANT).values():
        facts = read_provenance(run.provenance)
        write_provenance(run.provenance, facts | {"format": FORMAT})
        outcome = run.read_done()
        assert outcome is not None
        finish_run(run, outcome)
    return study


def plain(value: Any) -> Any:
    """A value that can be compared; NaN equals NaN."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, pd.DataFrame):
        return value.to_csv()
    if isinstance(value, np.ndarray):
        return value.tobytes()
    return "nan" if isinstance(value, float) and math.isnan(value) else value


def read_rows(study: Path) -> Any:
    return plain(read_runs(StudyDirectory(study))[VARIANT].table)


def read_outcome(study: Path) -> Any:
    done = load_study(study).fold(0).done or {}
    return plain({key: value for key, value in done.items() if key != "files"}), read_rows(study)


def read_config(study: Path) -> Any:
    return plain(read_settings(study / VARIANT / "fold-0/config.yaml"))


def read_facts(study: Path) -> Any:
    return plain(load_study(study).fold(0).provenance), read_rows(study)


def read_maps(study: Path) -> Any:
    return [
        (one.image, one.probabilities.tolist(), plain(one.importance), plain(one.low), one.settings)
        for one in load_study(study).fold(0).maps()
    ]


def read_recalibration(study: Path) -> Any:
    return read_recalibrations(StudyDirectory(study).runs(VARIANT), pool_once(study), "mean")


@cache
def pool_once(study: Path) -> Predictions:
    return read_runs(StudyDirectory(study))[VARIANT]


def read_weights(study: Path) -> Any:
    return digest_weights(load_checkpoint(RunDirectory(study / VARIANT / "fold-0"), CLASSES))


def read_curves(study: Path) -> Any:
    return plain(load_study(study).fold(0).curves)


def read_skipped(study: Path) -> Any:
    return load_study(study).fold(0).skipped, read_rows(study)


Read = Callable[[Path], Any]
KINDS: dict[str, tuple[str, tuple[Mutation, ...], Read]] = {
    "predictions": ("fold-0/predictions.parquet", mutations.TABLE, read_rows),
    "done": ("fold-0/done.json", mutations.JSON, read_outcome),
    "config": ("fold-0/config.yaml", mutations.YAML, read_config),
    "provenance": ("fold-0/provenance.json", mutations.JSON, read_facts),
    "maps": ("fold-0/occlusion/0.npz", mutations.ARRAYS, read_maps),
    "checkpoint": ("fold-0/checkpoints/best.ckpt", mutations.CHECKPOINT, read_weights),
    "recalibration": ("fold-0/recalibration.json", mutations.JSON, read_recalibration),
    "folds": ("../folds.json", mutations.JSON, read_rows),
    "metrics": ("fold-0/metrics.csv", mutations.TEXT[:-2], read_curves),
    "skipped": ("fold-0/skipped.csv", mutations.ANY, read_skipped),
}


def count_outcomes(study: Path, kind: str, seeds: Iterable[int]) -> Counter[str]:
    """Read mutated files of one kind, and count the outcomes."""
    place, made, read = KINDS[kind]
    file = study / VARIANT / place
    content, expected = file.read_bytes(), read(study)
    outcomes: Counter[str] = Counter(dict.fromkeys(("refused", "same", "different", "traceback"), 0))
    try:
        for seed in seeds:
            changed = mutate(content, made, seed)
            if changed == content:
                continue
            # A new file, so that its content is not known from before.
            file.unlink()
            file.write_bytes(changed)
            outcome = find_outcome(study, read, expected)
            outcomes[outcome] += 1
            if outcome not in ("refused", "same"):
                log.warning("%s, seed %d: %s", file.name, seed, outcome)
    finally:
        file.write_bytes(content)
    return outcomes


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Callable[[str, Counter[str]], None]:
    """Print the counts, also of a test that passes."""

    def write(kind: str, outcomes: Counter[str]) -> None:
        with capsys.disabled():
            counts = " / ".join(f"{name} {times}" for name, times in outcomes.items())
            sys.stdout.write(f"\n{KINDS[kind][0]}: {counts}\n")

    return write


def find_outcome(study: Path, read: Read, expected: Any) -> str:
    try:
        found = read(study)
    except Exception as error:
        said = explain_user_error(error, "evaluate", conf_directory())
        if said is None:
            log.warning("%r", error)
        return "traceback" if said is None else "refused"
    return "same" if found == expected else "different"


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_refused_or_read_with_the_same_result(
    recorded_study: Path, kind: str, show
) -> None:
    outcomes = count_outcomes(recorded_study, kind, range(220))
    show(kind, outcomes)
    assert outcomes["traceback"] == outcomes["different"] == 0
    assert outcomes["refused"] > 100


@pytest.mark.study
@pytest.mark.parametrize("kind", KINDS)
def test_further_damage_is_refused_or_read_with_the_same_result(
    recorded_study: Path, kind: str, show
) -> None:
    outcomes = count_outcomes(recorded_study, kind, range(1000, 1300))
    show(kind, outcomes)
    assert outcomes["traceback"] == outcomes["different"] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_without_a_record_ends_in_no_traceback(plain_study: Path, kind: str, show) -> None:
    outcomes = count_outcomes(plain_study, kind, range(100))
    show(kind, outcomes)
    assert outcomes["traceback"] == 0
    assert outcomes["refused"] > 20
