"""Commands give the same files from any folder, also for relative paths and studies of version 0.1.0."""

import json
import shutil

import pytest
import yaml

from ..unrecorded import forget_record

pytestmark = pytest.mark.study


@pytest.fixture(scope="module")
def home(workplace, mds_lightning, small, tmp_path_factory):
    """A folder with a study whose manifest and images were given by paths relative to it."""
    folder = tmp_path_factory.mktemp("relative") / "home"
    smears = next((workplace / "data").glob("simulated-*"))
    shutil.copytree(smears, folder / "smears")
    (folder / "tables").mkdir()
    (folder / "smears/manifest.csv").rename(folder / "tables/manifest.csv")
    given = [word for word in small if not word.startswith("cohort.")]
    trained = mds_lightning(
        "train", "-m", "study=small", *given, "cohort.manifest=tables/manifest.csv", "cohort.root=smears",
        "trainer.max_epochs=1", cwd=folder,
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    return folder


@pytest.fixture
def call(mds_lightning):
    """`call(folder, "evaluate", ...)` runs a command in a folder and expects it to succeed."""

    def run(folder, *arguments):
        done = mds_lightning(*arguments, cwd=folder)
        assert done.returncode == 0, done.stderr
        return done

    return run


def written(folder, pattern="**/*"):
    """Relative path to content, without times: they differ between any two calls."""
    files = {path.relative_to(folder): path for path in folder.glob(pattern) if path.is_file()}
    return {name: path.read_bytes() for name, path in sorted(files.items())}


def test_every_command_gives_the_same_files_from_another_folder(home, tmp_path, call):
    away = shutil.copytree(home, tmp_path / "copy" / "home")
    # A folder of the same name where the command is called must not be taken for that of the study.
    (tmp_path / "elsewhere/smears").mkdir(parents=True)
    results = []
    for place, study in ((home, "runs/small"), (tmp_path / "elsewhere", str(away / "runs/small"))):
        call(place, "test", f"study={study}", "maps=3")
        call(
            place, "explain", f"run={study}/squeezenet1_1/fold-0", "images=1", "explain.method=layer_gradcam"
        )
        call(place, "evaluate", f"study={study}", "n_resamples=100")
        call(place, "report", f"study={study}", "n_resamples=100")
        folder = home if place == home else away
        results.append(written(folder / "runs/small"))
        assert not list((tmp_path / "elsewhere").rglob("*.*")), "nothing is written there"
    assert results[0].keys() == results[1].keys()
    names = {name.as_posix() for name in results[0]}
    assert "evaluation/squeezenet1_1/figure3_maps.png" in names
    assert "evaluation/table1_patients.csv" in names
    different = [name.as_posix() for name, content in results[0].items() if results[1][name] != content]
    assert different == []


def test_a_study_of_version_0_1_0_is_read_from_another_folder(home, tmp_path, call):
    study = shutil.copytree(home, tmp_path / "home") / "runs/small"
    for run in study.glob("*/fold-*"):
        forget_record(run)
        record = json.loads((run / "provenance.json").read_text())
        for key in ("folder", "root"):
            del record[key]
        (run / "provenance.json").write_text(json.dumps(record))
        settings = yaml.safe_load((run / "config.yaml").read_text())
        settings["explain"] |= {"mode": "exact", "tolerance": 0.1}
        del settings["explain"]["faithfulness"]
        (run / "config.yaml").write_text(yaml.safe_dump(settings))
    assert "and explained" in call(tmp_path, "test", f"study={study}", "maps=4").stderr
    call(tmp_path, "explain", f"study={study}", "images=1", "explain.method=layer_gradcam")
    assert len(list(study.glob("*/fold-*/layer_gradcam/*.npz"))) == 2
    call(tmp_path, "evaluate", f"study={study}", "n_resamples=100")
    assert (study / "evaluation/squeezenet1_1/figure3_maps.png").is_file()
