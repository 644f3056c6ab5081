"""A study from somebody else is data: what it names is neither built, called nor shown."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from mds_lightning.maps.map_file import map_files, read_map, write_map
from mds_lightning.studies.layout import RunDirectory
from mds_lightning.studies.provenance import describe_file
from mds_lightning.studies.recording import finish_run

from .conftest import Attack

#: What the settings of a study say about the sections that hold classes.
SECTIONS = ("trainer", "callbacks", "logger", "hpo", "explain", "classifier", "backbone", "paths")


def payload(marker: Path) -> dict[str, Any]:
    """Runs a command where `_target_` is obeyed and `lightning.*` may be built."""
    return {
        "_target_": "lightning.pytorch.cli.instantiate_class",
        "args": [f"touch {marker}"],
        "init": {"class_path": "os.system"},
    }


def change(run: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    """Change the settings of a run, and record the changed file as its maker would."""
    file = run / "config.yaml"
    settings = yaml.safe_load(file.read_text())
    edit(settings)
    file.write_text(yaml.safe_dump(settings, sort_keys=False))
    record(run)


def record(run: Path) -> None:
    """Hashes prove that files belong together, not that they are harmless."""
    directory = RunDirectory(run)
    outcome = json.loads(directory.done.read_text())
    finish_run(directory, {key: value for key, value in outcome.items() if key not in ("files", "hash")})


def test_classes_in_the_settings_are_not_built(attack: Attack) -> None:
    """In every section, beside the stored keys and instead of one."""

    def edit(settings: dict[str, Any]) -> None:
        for section in SECTIONS:
            settings[section] = {**(settings.get(section) or {}), "harm": payload(attack.marker)}
        settings["trainer"] |= {"_target_": "os.system", "command": f"touch {attack.marker}"}
        settings["trainer"] |= {key: payload(attack.marker) for key in ("barebones", "profiler", "plugins")}
        settings["callbacks"]["checkpoint"] |= {"_target_": "os.system"}

    for run in attack.runs:
        change(run, edit)
    done = attack.every_verb()
    assert done["evaluate"].returncode == 0, done["evaluate"].stderr


@pytest.mark.parametrize("scheme", ["http", "ftp", "s3"])
def test_addresses_in_the_study_are_not_called(attack: Attack, scheme: str) -> None:
    url = f"{scheme}://{attack.trap.host}/smears"
    for number, run in enumerate(attack.runs):
        facts = json.loads((run / "provenance.json").read_text())
        facts["manifest"] = {**facts["manifest"], "path": f"{url}/manifest.csv"}
        (run / "provenance.json").write_text(json.dumps(facts | {"root": url}))

        def edit(settings: dict[str, Any], number: int = number) -> None:
            settings["cohort"] |= {"manifest": f"{url}/manifest.csv", "root": url if number else None}
            settings["backbone"] |= {"pretrained": True, "weights": f"{url}/weights.pth"}
            settings["cache"]["directory"] = f"{url}/cache"

        change(run, edit)
    for words in (("explain", "images=1"), ("test", "maps=4"), ("report", "n_resamples=100")):
        done = attack.command(*words, "study=runs/small")
    assert "cohort.manifest=" in done.stderr, "the message says how to follow it"


def test_a_checkpoint_downloads_and_reads_nothing(attack: Attack) -> None:
    for number, run in enumerate(attack.runs):
        file = run / "checkpoints/best.ckpt"
        content = torch.load(file, weights_only=True)
        content["hyper_parameters"] |= {"pretrained": True} if number else {"weights": str(attack.marker)}
        content |= {"hparams_name": "backbone", "_instantiator": "os.system"}
        torch.save(content, file)
        record(run)
    done = attack.command("explain", "study=runs/small", "images=1", "explain.method=integrated_gradients")
    assert done.returncode == 2
    assert "unknown hyperparameters" in done.stderr


def test_maps_show_no_picture_of_the_reader(attack: Attack) -> None:
    """Neither `..`, an absolute name nor a link makes a picture of the reader's disk part of the report."""
    private = attack.folder.parent / "private.png"
    Image.fromarray(np.full((40, 60, 3), 99, np.uint8)).save(private)
    [root] = (attack.folder / "data").glob("simulated-*")
    (root / "link.png").symlink_to(private)
    names = ("../" * 9 + str(private)[1:], str(private), "link.png", "../../../private.png")
    for run in attack.runs:
        for file, name in zip(map_files(run / "occlusion"), names, strict=False):
            one = read_map(file)
            write_map(replace(one, explained=replace(one.explained, image=name)))
        record(run)
    attack.command("report", "study=runs/small", "n_resamples=100")
    attack.command("evaluate", "study=runs/small", "n_resamples=100")
    page = attack.study / "evaluation/report.html"
    assert "private" not in page.read_text()


def test_a_local_manifest_elsewhere_gives_no_files_to_a_report(attack: Attack) -> None:
    """A table that the study names is used only if its rows are those of the predictions."""
    secret = attack.folder.parent / "secret.csv"
    secret.write_text("image,patient_id,label,password\na.png,P1,MDS,hunter2\n")
    for run in attack.runs:
        facts = json.loads((run / "provenance.json").read_text())
        (run / "provenance.json").write_text(json.dumps(facts | {"manifest": describe_file(secret)}))
        change(run, lambda settings: settings["cohort"].update(manifest=str(secret), root="/"))
    attack.command("report", "study=runs/small", "n_resamples=100")
    attack.command("evaluate", "study=runs/small", "n_resamples=100")
    written = [path.read_bytes() for path in (attack.study / "evaluation").rglob("*") if path.is_file()]
    assert not any(b"hunter2" in content for content in written)


def test_nothing_is_written_through_a_link(attack: Attack) -> None:
    """The folder of the results, a folder in it, and the folder of the maps of a method."""
    private = attack.folder.parent / "private"
    private.mkdir()
    (private / "metrics.csv").write_text("mine")
    variant = attack.runs[0].parent.name
    for link in (attack.study / "evaluation", attack.study / "evaluation" / variant):
        shutil.rmtree(link, ignore_errors=True)
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(private)
        for verb in ("evaluate", "report"):
            done = attack.command(verb, "study=runs/small", "n_resamples=100")
            assert done.returncode == 2
            assert f"evaluation leads to {private}" in done.stderr or f"{variant} leads" in done.stderr
        link.unlink()
    for run in attack.runs:
        shutil.rmtree(run / "layer_gradcam", ignore_errors=True)
        (run / "layer_gradcam").symlink_to(private)
    done = attack.command("explain", "study=runs/small", "images=1", "explain.method=layer_gradcam")
    assert done.returncode == 2
    assert "output=DIR" in done.stderr
    assert [file.name for file in private.iterdir()] == ["metrics.csv"]
    assert (private / "metrics.csv").read_text() == "mine"
