import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mds_lightning.cohort.simulation import render
from mds_lightning.cohort.simulation.simulated_cohort import SimulationParameters, simulate_cohort


def contents(directory):
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_the_manifest_names_every_file(cohort, parameters):
    table = pd.read_csv(cohort / "manifest.csv", keep_default_na=False)
    columns = "image,patient_id,label,site,external,mask,age,sex,who_type,ipss_r,blasts"
    assert ",".join(table.columns) == columns
    assert len(table) == 3 * 2 + 2 + 4 + 2 + 1
    counts = table[~table["external"]].groupby("label")["patient_id"].nunique()
    assert counts.to_dict() == dict(parameters.patients)
    assert set(table.loc[table["external"], "site"]) == {"external"}
    assert set(table.loc[~table["external"], "site"]) == {"site-1", "site-2"}
    named = {*table["image"], *table["mask"], "manifest.csv", "simulation.json"}
    assert named == set(contents(cohort))
    assert table.groupby("patient_id")[["label", "site", "age", "sex", "blasts"]].nunique().max().max() == 1
    assert json.loads((cohort / "simulation.json").read_text())["seed"] == 5


def test_images_are_jpeg_and_masks_are_grey_png_of_the_same_size(cohort):
    for row in pd.read_csv(cohort / "manifest.csv").itertuples():
        with Image.open(cohort / row.image) as image, Image.open(cohort / row.mask) as mask:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (320, 240))
            assert (mask.format, mask.mode, mask.size) == ("PNG", "L", (320, 240))
            assert (4 in np.unique(mask)) <= (row.label != "donor")


def test_the_number_of_processes_changes_no_byte(cohort, parameters, tmp_path, monkeypatch):
    monkeypatch.setattr(render, "_FIELDS_PER_PROCESS", 1)
    manifest = simulate_cohort(tmp_path / "again", parameters, workers=2)
    assert manifest == tmp_path / "again" / "manifest.csv"
    assert contents(tmp_path / "again") == contents(cohort)


def test_a_complete_cohort_is_not_changed(cohort, parameters, monkeypatch):
    monkeypatch.setattr(render, "_draw_file", None)
    before = {path: path.stat().st_mtime_ns for path in cohort.rglob("*")}
    assert simulate_cohort(cohort, parameters) == cohort / "manifest.csv"
    assert {path: path.stat().st_mtime_ns for path in cohort.rglob("*")} == before


def test_an_interrupted_simulation_is_continued(cohort, parameters, tmp_path, monkeypatch):
    directory = tmp_path / "interrupted"
    real, drawn = render._draw_file, []

    def interrupted(directory, parameters, key):
        if len(drawn) == 5:
            raise KeyboardInterrupt
        drawn.append(key)
        real(directory, parameters, key)

    monkeypatch.setattr(render, "_draw_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        simulate_cohort(directory, parameters, workers=1)
    assert not (directory / "manifest.csv").exists()
    (directory / "masks" / f"{drawn[2].mask[6:]}").unlink()
    (directory / "images" / ".MDS-001-1.0123456789ab.jpg").write_bytes(b"half")

    redrawn = []
    monkeypatch.setattr(render, "_draw_file", lambda *call: (redrawn.append(call[-1]), real(*call)))
    simulate_cohort(directory, parameters, workers=1)
    assert len(redrawn) == 15 - 4
    assert not {key.image for key in drawn} - {drawn[2].image} & {key.image for key in redrawn}
    (directory / "images" / ".MDS-001-1.0123456789ab.jpg").unlink()  # too recent to be regarded as abandoned
    assert contents(directory) == contents(cohort)


def test_another_simulation_is_refused_with_the_differences(cohort, parameters):
    other = SimulationParameters(**{**vars(parameters), "signal": 0.0, "seed": 6})
    before = contents(cohort)
    with pytest.raises(
        ValueError,
        match=r"another simulation \(seed 5 in the folder, 6 requested; signal 1.0 in the folder, 0.0",
    ):
        simulate_cohort(cohort, other)
    assert contents(cohort) == before


def test_foreign_files_are_refused_and_named(parameters, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "holiday.jpg").write_bytes(b"beach")
    with pytest.raises(ValueError, match=r"did not write \(images/holiday\.jpg\)"):
        simulate_cohort(tmp_path, parameters)
    assert set(contents(tmp_path)) == {"images/holiday.jpg"}


def test_an_invalid_record_is_refused(parameters, tmp_path):
    (tmp_path / "simulation.json").write_text("[1")
    with pytest.raises(ValueError, match=r"simulation\.json is not a record of a simulation"):
        simulate_cohort(tmp_path, parameters)


def test_a_file_in_place_of_the_folder_is_refused(parameters, tmp_path):
    (tmp_path / "cohort").write_text("")
    with pytest.raises(ValueError, match="is a file"):
        simulate_cohort(tmp_path / "cohort", parameters)


@pytest.mark.parametrize("workers", [-1, 0])
def test_without_workers_nothing_is_drawn(parameters, tmp_path, workers):
    with pytest.raises(ValueError, match="workers"):
        simulate_cohort(tmp_path / "cohort", parameters, workers=workers)
    assert not (tmp_path / "cohort").exists()
