"""Following the advice of an error message works, also where the first start of a run or sweep failed."""

import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from mds_lightning.models.backbones import build_backbone

#: Two classes, two folds, one step an epoch.
TINY = (
    "cohort.manifest=cohort/manifest.csv",
    "folds.n_splits=2",
    "backbone=squeezenet1_1",
    "data.image_size=64",
    "trainer.max_epochs=1",
    "+trainer.limit_train_batches=1",
    "callbacks.occlusion_maps.images=0",
    "logger=none",
)
SHOW_MAPS = "callbacks.occlusion_maps.images=1"
#: Neither a GPU nor a network, whatever the machine has.
ISOLATED = {"CUDA_VISIBLE_DEVICES": "", "https_proxy": "http://127.0.0.1:9", "TORCH_HOME": "absent"}
#: What stands in messages for something that the user has to choose.
PLACEHOLDERS = {"FILE": "weights.safetensors", "NAME": "renamed"}


@dataclass(frozen=True)
class Advice:
    """A mistake, and the key of the message that corrects it."""

    mistake: tuple[str, ...]
    key: str
    multirun: bool = False


ADVICE = {
    "broken image": Advice(("cohort.manifest=broken/manifest.csv",), "data.on_error"),
    "broken image in a sweep": Advice(("cohort.manifest=broken/manifest.csv",), "data.on_error", True),
    "weights offline": Advice(("backbone.pretrained=true",), "backbone.weights"),
    "no weights offline": Advice(("backbone.pretrained=true",), "backbone.pretrained"),
    "fixed input": Advice(("backbone=timm", "backbone.name=test_vit"), "data.image_size"),
    "fixed input in a sweep": Advice(("backbone=timm", "backbone.name=test_vit"), "data.image_size", True),
    "no GPU": Advice(("trainer=gpu",), "trainer"),
    "small side": Advice(("data.image_size=16",), "data.image_size"),
    "no label": Advice(("task.positive=null",), "task.positive"),
    "small cache": Advice(("data.image_size=80", "cache.max_gb=1e-6"), "cache.enabled"),
    "precision of maps": Advice(
        ("explain.method=layer_gradcam", "explain.precision=bfloat16", SHOW_MAPS), "explain.precision"
    ),
    "maps of tiles": Advice(("data.view=tiles", "explain.method=layer_gradcam", SHOW_MAPS), "explain.method"),
    "small images": Advice(("data.view=tiles", "data.image_size=[128,128]"), "data.view"),
    "tiles of another scale": Advice(("data.magnification=0.9",), "data.view"),
    "new key": Advice(("trainer.limit_val_batches=1",), "+trainer.limit_val_batches"),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory, mds_lightning) -> Path:
    """A folder with a cohort, the same cohort with a broken image, and a file of weights."""
    folder = tmp_path_factory.mktemp("remedies")
    drawn = mds_lightning(
        "simulate",
        "cohort.directory=cohort",
        "cohort.simulation.patients={MDS:8,AML:0,donor:8}",
        "cohort.simulation.fields={MDS:1,AML:1,donor:1}",
        "cohort.simulation.width=96",
        "cohort.simulation.height=96",
        cwd=folder,
    )
    assert drawn.returncode == 0, drawn.stderr
    shutil.copytree(folder / "cohort", folder / "broken")
    image = folder / "broken" / pd.read_csv(folder / "broken/manifest.csv")["image"][0]
    image.write_bytes(image.read_bytes()[:200])
    with torch.random.fork_rng():
        network = build_backbone("squeezenet1_1", 2)
    save_file(
        {key: value.contiguous() for key, value in network.state_dict().items()},
        folder / "weights.safetensors",
    )
    return folder


def _follow(message: str, key: str) -> str:
    """The override `key=VALUE` that the message gives."""
    pattern = rf"(?<![\w.+]){re.escape(key)}=(\[[^\]]*\]|[^\s,;:)]+)"
    found = re.findall(pattern, message)
    assert found, f"no {key}= in: {message}"
    # The remedy is at the end of a message.
    return f"{key}={PLACEHOLDERS.get(found[-1], found[-1].rstrip('.'))}"


@pytest.mark.parametrize("name", ADVICE)
def test_the_same_command_with_the_advice_succeeds(place, mds_lightning, name):
    advice = ADVICE[name]
    command = [
        "train",
        *(["-m"] if advice.multirun else ["fold=0"]),
        f"study={name.replace(' ', '_')}",
        *TINY,
    ]
    command += advice.mistake
    refused = mds_lightning(*command, cwd=place, **ISOLATED)
    assert refused.returncode == 2, refused.stderr
    assert "Traceback" not in refused.stderr
    kept = [word for word in command if not f"+{word}".startswith((f"{advice.key}=", f"+{advice.key}="))]
    corrected = mds_lightning(*kept, _follow(refused.stderr, advice.key), cwd=place, **ISOLATED)
    assert corrected.returncode == 0, corrected.stderr


def test_rows_may_be_removed_after_a_start_that_failed(place, mds_lightning):
    shutil.copytree(place / "broken", place / "corrected")
    manifest = place / "corrected/manifest.csv"
    command = ["train", "fold=0", "study=corrected", *TINY, f"cohort.manifest={manifest}"]
    refused = mds_lightning(*command, cwd=place)
    assert "Repair them or remove their rows" in refused.stderr
    pd.read_csv(manifest, dtype=str).iloc[1:].to_csv(manifest, index=False)
    corrected = mds_lightning(*command, cwd=place)
    assert corrected.returncode == 0, corrected.stderr
    assert "they are made again" in corrected.stderr
    # From here on, the cohort is fixed.
    pd.read_csv(manifest, dtype=str).iloc[1:].to_csv(manifest, index=False)
    for fold in (0, 1):
        refused = mds_lightning(*command, f"fold={fold}", cwd=place)
        assert refused.returncode == 2
        assert "the cohort has changed" in refused.stderr
    # A fold file that was copied from another study is never replaced.
    copy = place / "runs/copied/folds.json"
    copy.parent.mkdir()
    shutil.copy(place / "runs/corrected/folds.json", copy)
    refused = mds_lightning("train", "fold=0", "study=copied", *TINY, cwd=place)
    assert refused.returncode == 2
    assert "the cohort has changed" in refused.stderr
    assert copy.read_bytes() == (place / "runs/corrected/folds.json").read_bytes()


def test_a_failed_start_leaves_no_list_of_skipped_images(place, mds_lightning):
    shutil.copytree(place / "broken", place / "repaired")
    command = ["train", "fold=0", "study=repaired", *TINY, "cohort.manifest=repaired/manifest.csv"]
    refused = mds_lightning(*command, "data.on_error=skip", "trainer.devices=0", cwd=place)
    assert refused.returncode == 2
    run = place / "runs/repaired/squeezenet1_1/fold-0"
    assert (run / "skipped.csv").is_file()
    image = pd.read_csv(place / "repaired/manifest.csv")["image"][0]
    shutil.copy(place / "cohort" / image, place / "repaired" / image)
    assert mds_lightning(*command, cwd=place).returncode == 0
    assert not (run / "skipped.csv").exists()
    assert (run / "done.json").is_file()


@pytest.mark.parametrize("start", [("fold=0",), ("-m",)], ids=["run", "sweep"])
def test_the_advice_for_a_name_with_folders_can_be_followed(place, mds_lightning, start):
    command = ["train", *start, *TINY]
    refused = mds_lightning(*command, f"study=proj/of{len(start[0])}", cwd=place)
    assert refused.returncode == 2
    words = re.search(r"give (paths.runs=\S+) (study=\S+),", refused.stderr)
    assert words, refused.stderr
    assert mds_lightning(*command, *words.groups(), cwd=place).returncode == 0
    folder = Path(*(word.partition("=")[2] for word in words.groups()))
    if start == ("-m",):
        shown = mds_lightning("study", "show", f"study={folder}", cwd=place)
        assert "2 of 2 finished" in shown.stdout
    refused = mds_lightning(*command, "variant=a/b", cwd=place)
    assert refused.returncode == 2
    assert "give variant=a_b" in refused.stderr


def test_a_copied_study_is_continued_under_its_new_name(place, mds_lightning):
    trained = mds_lightning("train", "-m", "study=original", *TINY, cwd=place)
    assert trained.returncode == 0, trained.stderr
    copy = place / "runs/copy of 2026"
    shutil.copytree(place / "runs/original", copy)
    before = (place / "runs/original/squeezenet1_1/fold-1/done.json").stat().st_mtime_ns
    shutil.rmtree(copy / "squeezenet1_1/fold-1")
    (copy / "squeezenet1_1/fold-0/done.json").unlink()
    evaluated = mds_lightning("evaluate", f"study={copy}", cwd=place)
    told = evaluated.stderr.partition("Continue with: ")[2]
    for wanted in (f"study={copy}", f"run={copy}/squeezenet1_1/fold-0"):
        explained = mds_lightning("explain", wanted, cwd=place)
        assert explained.returncode == 2
        assert told in explained.stderr
    words = shlex.split(told)
    assert words[:3] == ["mds-lightning", "train", "-m"]
    continued = mds_lightning(*words[1:], cwd=place)
    assert continued.returncode == 0, continued.stderr
    assert (copy / "squeezenet1_1/fold-1/done.json").is_file()
    assert (place / "runs/original/squeezenet1_1/fold-1/done.json").stat().st_mtime_ns == before
    assert mds_lightning("evaluate", f"study={copy}", "n_resamples=100", cwd=place).returncode == 0
    assert "2 of 2 finished" in mds_lightning("study", "show", f"study={copy}", cwd=place).stdout
