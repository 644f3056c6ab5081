"""`mds-lightning explain`: the model that held a patient out is asked; what does not fit is refused."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from PIL import Image

import mds_lightning as package
from mds_lightning.cli import conf_directory
from mds_lightning.commands.explain import explain
from mds_lightning.commands.schema import register_schemas
from mds_lightning.search.plugin import register_search

from ..unrecorded import forget_record

VARIANT = "runs/small/squeezenet1_1"
RUN = f"run={VARIANT}/fold-0"


@pytest.fixture(scope="module")
def workplace(workplace, tmp_path_factory):
    """A copy: what is explained here must not stand in the study that other tests read."""
    return shutil.copytree(workplace, tmp_path_factory.mktemp("explain") / "workplace")


@pytest.fixture
def ask(workplace, monkeypatch):
    """`ask("run=...", ...)` runs the verb in this process, where the study was trained."""
    monkeypatch.chdir(workplace)
    register_schemas()
    register_search()

    def run(*overrides):
        with initialize_config_dir(str(conf_directory())):
            config = compose("explain", list(overrides))
        return explain(config)

    return run


@pytest.fixture
def images(workplace):
    """What fold 0 is to an image: test, val, train or external, to such images."""
    tables = [pd.read_parquet(workplace / VARIANT / f"fold-{fold}/predictions.parquet") for fold in (0, 1)]
    found = {split: rows["image"].tolist() for split, rows in tables[0].groupby("split")}
    held_out = tables[1].loc[tables[1]["split"] == "test", "image"]
    return found | {"train": [image for image in held_out if image not in found["val"]]}


def read(picture):
    assert picture.is_file()
    with np.load(picture.with_suffix(".npz"), allow_pickle=False) as arrays:
        return dict(arrays)


def test_the_command_explains_every_image_that_the_fold_held_out(workplace, mds_lightning, images):
    done = mds_lightning("explain", RUN, cwd=workplace)
    assert done.returncode == 0, done.stderr
    assert f"12 maps in {VARIANT}/fold-0/occlusion" in done.stdout
    study = package.load_study(workplace / "runs/small")
    assert sorted(one.image for one in study.fold(0).maps()) == sorted(images["test"])


def test_a_map_that_is_there_is_not_made_again(ask):
    first = ask(RUN, "images=2")
    before = [picture.stat().st_mtime_ns for picture in first]
    assert ask(RUN, "images=2") == first
    assert [picture.stat().st_mtime_ns for picture in first] == before


@pytest.mark.parametrize("method", ["captum_occlusion", "integrated_gradients", "layer_gradcam"])
def test_other_methods_stand_beside_occlusion(ask, method, images):
    image = images["test"][0]
    [ours], [theirs] = ask(RUN, f"images={image}"), ask(RUN, f"images={image}", f"explain.method={method}")
    assert theirs.parent.name == method
    arrays, reference = read(theirs), read(ours)
    assert str(arrays["method"]) == method
    assert arrays["importance"].shape == reference["importance"].shape
    np.testing.assert_allclose(arrays["probabilities"], reference["probabilities"], atol=1e-6)
    if method == "captum_occlusion":
        np.testing.assert_allclose(arrays["high"], reference["high"], atol=1e-5)


def test_several_windows_are_recorded_with_their_drops(ask, tmp_path):
    windows = ("explain.window=[0.125,0.25]", "explain.stride=0.0625")
    command = (RUN, "images=1", f"output={tmp_path / 'maps'}", *windows)
    [picture] = ask(*command)
    assert ask(*command) == [picture], "a folder outside the run may exist already"
    arrays = read(picture)
    assert arrays["window"].tolist() == [8, 16]
    assert arrays["drops"].shape != arrays["drops_2"].shape
    assert arrays["deletion"].shape == arrays["insertion"].shape == arrays["random"].shape == (11,)


@pytest.mark.parametrize(("split", "verb"), [("train", "trained"), ("val", "chosen")])
def test_the_model_of_another_fold_is_named(ask, images, split, verb):
    with pytest.raises(ValueError, match=f"fold-0 was {verb}.* fold 1 held .*run={VARIANT}/fold-1 images="):
        ask(RUN, f"images={images[split][0]}")


def test_a_copy_of_a_training_image_is_known_for_what_it_is(ask, images, workplace, tmp_path):
    manifest = next((workplace / "data").glob("simulated-*"))
    shutil.copy(manifest / images["train"][0], tmp_path / "copy.jpg")
    with pytest.raises(ValueError, match=f"fold-0 was trained.*{images['train'][0]}"):
        ask(RUN, f"images={tmp_path / 'copy.jpg'}")


def test_a_study_sends_every_image_to_its_fold(ask, images):
    pictures = ask("study=runs/small", f"images=[{images['test'][0]},{images['train'][0]}]")
    assert [(str(read(one)["image"]), int(read(one)["fold"])) for one in pictures] == [
        (images["test"][0], 0),
        (images["train"][0], 1),
    ]


def test_external_and_foreign_images_are_kept_apart_and_marked(ask, images, tmp_path):
    Image.fromarray(np.full((60, 80, 3), 200, np.uint8)).save(tmp_path / "foreign.png")
    before = sorted(ask(RUN, "images=1")[0].parent.glob("*.npz"))
    external, foreign = ask(RUN, f"images=[{images['external'][0]},{tmp_path / 'foreign.png'}]")
    assert (external.parent.name, foreign.parent.name) == ("external", "not_of_the_cohort")
    assert (str(read(external)["origin"]), str(read(foreign)["origin"])) == ("external", "foreign")
    assert int(read(foreign)["target"]) == -1
    assert sorted(external.parents[1].glob("*.npz")) == before
    with pytest.raises(ValueError, match=r"foreign.png has no label"):
        ask(RUN, f"images={tmp_path / 'foreign.png'}", "explain.target=labelled", f"output={tmp_path / 'x'}")


def test_the_plan_is_told_and_nothing_written(ask, capsys, tmp_path):
    assert ask(RUN, "plan=true", f"output={tmp_path / 'none'}") == []
    assert "multiplications" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ((), "give run=DIR"),
        (("run=runs/small",), "is a study"),
        (("run=runs/absent",), "is no run"),
        (("study=runs/small", "variant=b"), "no variant 'b'"),
        ((RUN, "images=0"), "from 1"),
        ((RUN, "images=absent.jpg"), "'absent.jpg' is neither in"),
        ((RUN, "explain.method=saliency"), "layer_gradcam"),
        ((RUN, "explain.stride=0.25"), "output=DIR"),
        ((RUN, "explain.window=0"), "explain.window"),
        ((RUN, "explain.method=layer_gradcam", "explain.precision=bfloat16"), "explain.precision=full"),
        ((RUN, "device=gpu"), "choose auto"),
        ((RUN, "cohort.manifest=absent.csv"), "absent.csv"),
    ],
    ids=lambda value: " ".join(value[-1:]) if isinstance(value, tuple) else "",
)
def test_what_makes_no_sense_is_refused(ask, overrides, said):
    with pytest.raises(ValueError, match=said):
        ask(*overrides)


@pytest.fixture
def copy(ask, workplace, tmp_path):
    """A copy of the study (without the images), to spoil."""
    shutil.copytree(workplace / "runs/small", tmp_path / "runs/small")
    return tmp_path / VARIANT / "fold-0"


def spoil_provenance(run):
    forget_record(run)
    path = run / "provenance.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"folds_hash": "0" * 64}))


def spoil_checkpoint(run):
    forget_record(run)
    (run / "checkpoints/best.ckpt").write_bytes(b"x")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda run: (run / "done.json").unlink(), r"not finished.* mds-lightning train -m .*study=small"),
        (lambda run: (run / "checkpoints/best.ckpt").unlink(), "best.ckpt is missing"),
        (lambda run: (run / "checkpoints/best.ckpt").write_bytes(b"x"), "best.ckpt is not the file"),
        (spoil_checkpoint, "best.ckpt is damaged"),
        (lambda run: (run.parents[1] / "folds.json").unlink(), "folds.json is missing"),
        (spoil_provenance, "was trained on other patients"),
    ],
    ids=["unfinished", "no checkpoint", "exchanged", "damaged", "no folds", "other folds"],
)
def test_a_run_that_is_not_what_it_was_is_refused(ask, copy, spoil, said):
    spoil(copy)
    with pytest.raises(ValueError, match=said):
        ask(f"run={copy}")


def test_a_cohort_that_has_moved_or_changed_is_refused(ask, copy, workplace, tmp_path, monkeypatch):
    data = next((workplace / "data").glob("simulated-*"))
    # The run records the places of its manifest and of its training: as if it were moved to another machine.
    forget_record(copy)
    provenance = json.loads((copy / "provenance.json").read_text())
    for key in ("manifest", "folder"):
        provenance.pop(key, None)
    (copy / "provenance.json").write_text(json.dumps(provenance))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ValueError, match=r"is neither where .* or give cohort.manifest=FILE and cohort.root=DIR"
    ):
        ask(f"run={copy}")
    options = (f"run={copy}", f"cohort.root={data}", "images=1")
    assert ask(*options, f"cohort.manifest={data / 'manifest.csv'}")
    rows = pd.read_csv(data / "manifest.csv", dtype=str)
    rows[rows["patient_id"] != rows["patient_id"].iloc[0]].to_csv(tmp_path / "fewer.csv", index=False)
    with pytest.raises(ValueError, match=r"has changed since it was written \(removed: patient"):
        ask(*options, f"cohort.manifest={tmp_path / 'fewer.csv'}")
