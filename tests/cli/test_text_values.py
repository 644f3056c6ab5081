import shlex

import pandas as pd
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mds_lightning.cli.text_values import quote_text_values
from mds_lightning.commands.schema import TrainParameters

#: What a path or label may contain; `$` starts a reference to another key.
TEXT = st.text(st.characters(exclude_characters="\x00$", exclude_categories=("Cs",)), min_size=1, max_size=30)


def read(override: str):
    parsed = OverridesParser.create().parse_override(override)
    assert not parsed.is_sweep_override()
    return parsed.value()


def quoted(*overrides: str) -> list[str]:
    return quote_text_values(overrides, TrainParameters)


@given(TEXT)
@example("Müller [2026]/a=b, c.csv")
@example('it\'s/"quoted"')
def test_a_path_is_read_as_typed(text):
    # Quotes and escapes of Hydra's grammar, and its sweeps, keep their meaning.
    assume(text[0] not in "'\"~" and "\\" not in text and text == text.strip())
    assume(text != "???" and text.lower() != "null" and not text.endswith(")"))
    [override] = quoted(f"cohort.manifest={text}")
    assert read(override) == text


@pytest.mark.parametrize("name", ["1e3", "007", "null", "true", "1.0", "inf", "[a]", "{a:1}", "ä", "a,b"])
def test_a_name_remains_text(name):
    [override] = quoted(f"study={name}")
    assert read(override) == name


@pytest.mark.parametrize(
    "override",
    [
        "study=demo", "backbone.name=a,b", "variant=choice(a,b)", "cohort.manifest=null", "fold=0,1", "-m",
        "cohort.manifest='a b'", 'cohort.manifest="ä"', "cohort.manifest=a\\,b.csv", "~callbacks.progress",
        "cohort.manifest=${paths.data}/m.csv", "experiment=mds_vs_donor", "hydra.sweeper.n_trials=3",
        "+trainer.limit_train_batches=1", "backbone=resnet18,densenet121", "task.classes=[a,b]",
        "data.image_size=[32,48]", "explain.window=[0.1,0.2]", "augmentation.further=[{Blur: {p: 0.3}}]",
        "cohort.root=",        "classifier.learning_rate=interval(1e-5,1e-2)",
    ],
)  # fmt: skip
def test_what_can_be_read_is_unchanged(override):
    assert quoted(override) == [override]


def test_labels_in_a_list_are_text():
    [override] = quoted('task.classes=[gesund (ä), 007, "a, b", 1e3, del(5q)]')
    assert read(override) == ["gesund (ä)", "007", "a, b", "1e3", "del(5q)"]
    assert quoted("task.classes=[]") == ["task.classes=[]"]


def test_the_home_folder_is_expanded(monkeypatch):
    monkeypatch.setenv("HOME", "/home/anna")
    assert quoted("cohort.manifest=~/m.csv") == ["cohort.manifest=/home/anna/m.csv"]


@pytest.mark.parametrize("override", ["callbacks.checkpoint.filename=ä=b", "+logger.wandb.notes=it's"])
def test_the_advice_for_other_keys_can_be_followed(override):
    with pytest.raises(ValueError, match="quote it twice") as error:
        quoted(override)
    [line] = [line for line in str(error.value).splitlines() if line.startswith("  ")]
    [followed] = shlex.split(line)
    assert quoted(followed) == [followed]
    assert read(followed) == override.partition("=")[2]


def test_odd_paths_labels_and_names_work_through_the_commands(tmp_path, mds_lightning):
    """Also in a sweep, where a comma separates values, and the overrides are written again for each job."""
    cohort, positive, study = "Müller's [2026], a=b", "MDS (del5q), ä", "1e3"
    drawn = mds_lightning(
        "simulate",
        f"cohort.directory={cohort}",
        "cohort.simulation.patients={MDS:8,AML:0,donor:8}",
        "cohort.simulation.fields={MDS:1,AML:1,donor:1}",
        "cohort.simulation.width=96",
        "cohort.simulation.height=96",
        cwd=tmp_path,
    )
    assert drawn.returncode == 0, drawn.stderr
    manifest = tmp_path / cohort / "manifest.csv"
    table = pd.read_csv(manifest, dtype=str, keep_default_na=False)
    table.assign(label=table["label"].replace("MDS", positive)).to_csv(manifest, index=False)
    shared = (f"cohort.manifest={cohort}/manifest.csv", f"task.positive={positive}", "task.negative=donor")
    checked = mds_lightning("check", *shared, "folds.n_splits=2", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert checked.returncode == 0, checked.stderr
    assert r"M\xfcller's [2026], a=b/manifest.csv: 0 errors" in checked.stdout
    trained = mds_lightning(
        "train", "-m", *shared, f"study={study}", "folds.n_splits=2", "backbone=squeezenet1_1",
        "data.image_size=64", "callbacks.occlusion_maps.images=0", "logger=none",
        "trainer.max_epochs=1", "+trainer.limit_train_batches=1", cwd=tmp_path,
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    rows = pd.read_parquet(tmp_path / f"runs/{study}/squeezenet1_1/fold-0/predictions.parquet")
    assert f"prob_{positive}" in rows.columns
