"""Commands give the same files from any folder, also if the settings name the cohort by relative paths."""

import shutil
from importlib import import_module

import pytest
from hydra import compose, initialize_config_dir

from mds_lightning.cli import conf_directory
from mds_lightning.commands.schema import register_schemas
from mds_lightning.search.plugin import register_search

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


def call(verb, *overrides):
    register_schemas()
    register_search()
    with initialize_config_dir(str(conf_directory())):
        config = compose(verb, list(overrides))
    return getattr(import_module(f"mds_lightning.commands.{verb}"), verb)(config)


def written(folder, pattern="**/*"):
    """Relative path to content, without times: they differ between any two calls."""
    files = {path.relative_to(folder): path for path in folder.glob(pattern) if path.is_file()}
    return {name: path.read_bytes() for name, path in sorted(files.items())}


def test_every_command_gives_the_same_files_from_another_folder(home, tmp_path, monkeypatch):
    away = shutil.copytree(home, tmp_path / "copy" / "home")
    # A folder of the same name where the command is called must not be taken for that of the study.
    (tmp_path / "elsewhere/smears").mkdir(parents=True)
    results = []
    for place, study in ((home, "runs/small"), (tmp_path / "elsewhere", str(away / "runs/small"))):
        monkeypatch.chdir(place)
        call("test", f"study={study}", "maps=3")
        call("explain", f"run={study}/squeezenet1_1/fold-0", "images=1", "explain.method=layer_gradcam")
        call("evaluate", f"study={study}", "n_resamples=100")
        call("report", f"study={study}", "n_resamples=100")
        folder = home if place == home else away
        results.append(written(folder / "runs/small"))
        assert not list((tmp_path / "elsewhere").rglob("*.*")), "nothing is written there"
    assert results[0].keys() == results[1].keys()
    names = {name.as_posix() for name in results[0]}
    assert "evaluation/squeezenet1_1/figure3_maps.png" in names
    assert "evaluation/table1_patients.csv" in names
    different = [name.as_posix() for name, content in results[0].items() if results[1][name] != content]
    assert different == []
