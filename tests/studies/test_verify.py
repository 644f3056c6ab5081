"""Exchanged and changed files of a trained study are refused by every reader and listed by `study verify`."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch

from mds_lightning.studies.checkpoint_origin import read_origin

from ..unrecorded import forget_record

VARIANT = "squeezenet1_1"
FIRST, SECOND = f"{VARIANT}/fold-0", f"{VARIANT}/fold-1"


@pytest.fixture
def study(workplace: Path, tmp_path: Path) -> Path:
    """A copy of the trained study, under another name and in another place."""
    return Path(shutil.copytree(workplace / "runs/small", tmp_path / "moved/renamed"))


@pytest.fixture
def call(mds_lightning, workplace: Path) -> Callable[..., str]:
    """`call(code, "evaluate", ...)` runs a command, expects its exit code, and returns what it wrote."""

    def run(code: int, *arguments: str) -> str:
        done = mds_lightning(*arguments, cwd=workplace)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return " ".join((done.stdout + done.stderr).split())

    return run


def exchange(study: Path, name: str) -> None:
    """Exchange a file of the two folds."""
    first, second = (study / fold / name for fold in (FIRST, SECOND))
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)


def test_a_moved_and_renamed_study_is_verified(study: Path, call) -> None:
    shown = call(0, "study", "verify", f"study={study}")
    assert shown.count("verified") == 2
    assert "nothing differs from what was recorded" in shown


def test_a_checkpoint_carries_its_fold(study: Path) -> None:
    origin = read_origin(study / SECOND / "checkpoints/best.ckpt")
    folds = json.loads((study / "folds.json").read_text())
    assert origin == {
        "study": "small",
        "variant": VARIANT,
        "seed": 0,
        "fold": 1,
        "cohort_hash": folds["cohort"],
        "folds_hash": folds["hash"],
    }


def test_exchanged_checkpoints_are_refused(study: Path, call) -> None:
    exchange(study, "checkpoints/best.ckpt")
    said = call(2, "explain", f"run={study / FIRST}")
    assert f"{FIRST}/checkpoints/best.ckpt is not the file that was recorded when fold-0" in said
    assert f"it is checkpoints/best.ckpt of {SECOND}" in said
    assert f"or delete {study / FIRST} and train the fold again" in said
    assert "best.ckpt is not the file that was recorded" in call(2, "test", f"study={study}", "maps=4")
    shown = call(2, "study", "verify", f"study={study}")
    assert shown.count("checkpoints/best.ckpt is not the file") == 2
    assert "something differs" in shown
    # Without a record, the checkpoint itself says which fold it is of.
    for fold in (FIRST, SECOND):
        forget_record(study / fold)
    said = call(2, "explain", f"run={study / FIRST}")
    assert "is the checkpoint of another run (fold 1 in the checkpoint, 0 in the run)" in said
    assert "is of another run" in call(2, "study", "verify", f"study={study}")


def test_one_changed_bit_of_any_file_is_refused_by_name(study: Path, call) -> None:
    verbs = {
        "evaluate": ("predictions.parquet", "done.json", "config.yaml", "recalibration.json"),
        "report": ("metrics.csv", "provenance.json", "../../folds.json"),
        "explain": ("checkpoints/best.ckpt",),
    }
    for verb, names in verbs.items():
        for name in names:
            file = study / FIRST / name
            content = bytearray(file.read_bytes())
            content[len(content) // 2] ^= 1
            file.write_bytes(content)
            argument = f"run={study / FIRST}" if verb == "explain" else f"study={study}"
            assert file.name in call(2, verb, argument)
            assert file.name in call(2, "study", "verify", f"study={study}")
            content[len(content) // 2] ^= 1
            file.write_bytes(content)
    call(0, "study", "verify", f"study={study}")


def test_weights_that_are_not_numbers_are_refused(study: Path, call) -> None:
    forget_record(study / FIRST)
    file = study / FIRST / "checkpoints/best.ckpt"
    checkpoint = torch.load(file, weights_only=True)
    name = next(name for name in checkpoint["state_dict"] if name.endswith("weight"))
    checkpoint["state_dict"][name][0] = float("nan")
    torch.save(checkpoint, file)
    assert f"holds NaN or infinite weights ({name})" in call(2, "explain", f"run={study / FIRST}")


def test_forged_predictions_are_refused(study: Path, call) -> None:
    file = study / FIRST / "predictions.parquet"
    rows = pd.read_parquet(file)
    names = [name for name in rows if name.startswith("prob_")]
    for changed in (
        rows.assign(**dict(zip(names, (rows[name] for name in names[::-1]), strict=True))),
        rows.drop(index=rows[rows["split"] == "test"].index[0]),
    ):
        changed.to_parquet(file, index=False)
        for verb in ("evaluate", "report"):
            said = call(2, verb, f"study={study}", "n_resamples=100")
            assert f"{FIRST}/predictions.parquet is not the file that was recorded" in said


def test_maps_are_bound_to_their_fold(study: Path, call) -> None:
    folder = study / FIRST / "occlusion"
    foreign = next((study / SECOND / "occlusion").glob("*.npz"))
    own = next(folder.glob("*.npz"))
    shutil.copy(foreign, folder)
    said = call(2, "evaluate", f"study={study}", "n_resamples=100")
    assert f"occlusion/{foreign.name} is not among the files" in said
    (folder / foreign.name).unlink()
    kept = own.read_bytes()
    own.write_bytes(foreign.read_bytes())
    said = call(2, "report", f"study={study}", "n_resamples=100")
    assert f"occlusion/{own.name} is not the file that was recorded" in said
    assert f"is occlusion/{foreign.name} of {SECOND}" in said
    assert "is not the file that was recorded" in call(2, "explain", f"run={study / FIRST}")
    # As the message says: delete it, and explain computes it again.
    own.unlink()
    assert "computes it again" in call(2, "evaluate", f"study={study}", "n_resamples=100")
    call(0, "explain", f"run={study / FIRST}")
    assert own.read_bytes() == kept
    call(0, "explain", f"run={study / FIRST}", "explain.method=layer_gradcam", "images=1")
    shown = call(0, "study", "verify", f"study={study}")
    assert "nothing differs" in shown


def test_what_was_not_recorded_is_named_and_read(study: Path, call) -> None:
    for fold in (FIRST, SECOND):
        forget_record(study / fold)
    shown = call(0, "study", "verify", f"study={study}")
    assert shown.count("not recorded (finished by an earlier version)") == 2
    call(0, "evaluate", f"study={study}", "n_resamples=100")


def test_a_record_cannot_be_removed_alone(study: Path, call) -> None:
    done = study / FIRST / "done.json"
    record = json.loads(done.read_text())
    del record["files"], record["hash"]
    done.write_text(json.dumps(record))
    assert "has lost the record" in call(2, "evaluate", f"study={study}", "n_resamples=100")
