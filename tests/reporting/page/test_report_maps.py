"""Maps in the report: every method, the run's own settings, and faithfulness."""

from dataclasses import replace

import numpy as np
from PIL import Image

from mds_lightning import load_study
from mds_lightning.maps.map_file import map_files, read_map, read_record, write_map
from mds_lightning.reporting.page.html_report import write_report
from mds_lightning.reporting.page.report_maps import choose_explained
from mds_lightning.statistics.estimates import Settings

QUICK = Settings(n_resamples=100)
FAINT = "no single region is decisive"


def write(study, tmp_path):
    page = write_report(load_study(study), QUICK, tmp_path / "report.html")
    return page, (tmp_path / "report.html").read_text()


def test_a_study_that_was_explained_by_grad_cam_alone_shows_its_maps(make_study, tmp_path):
    study = make_study(tmp_path, patients=12, method="layer_gradcam").write()
    page, text = write(study, tmp_path)
    [method] = page.maps
    assert (method.title, method.explained) == ("Grad-CAM", 3 * 8)
    assert method.pictures
    assert "<h3>Grad-CAM</h3>" in text
    assert "under its map (Grad-CAM)" in text
    assert "Largest drop" not in text
    assert FAINT not in text


def test_the_least_drop_of_the_run_marks_maps(make_study, tmp_path):
    texts = {}
    for least_drop in (0.0, 0.9):
        folder = tmp_path / str(least_drop)
        folder.mkdir()
        study = make_study(folder, patients=12, least_drop=least_drop).write()
        page, texts[least_drop] = write(study, folder)
        assert all(one.is_faint == (least_drop > 0) for one in page.maps[0].pictures)
    assert FAINT not in texts[0.0]
    assert FAINT in texts[0.9]


def test_curves_are_averaged_and_compared_with_the_random_order(make_study, tmp_path):
    page, text = write(make_study(tmp_path, patients=12).write(), tmp_path)
    [method] = page.maps
    assert method.title == "Occlusion sensitivity"
    assert method.faithfulness.maps == 3 * 2
    # In the study that is written here deletion ends at 0.1, insertion at 0.2 and the random order at 0.3.
    assert method.faithfulness.lower_deletion == 6
    assert method.faithfulness.higher_insertion == 0
    assert "lower in 6 of 6 maps" in text
    assert "Mean deletion curve of Occlusion sensitivity over 6 maps" in text


def test_images_are_chosen_by_rule(make_study, tmp_path):
    study = make_study(tmp_path, patients=12).write()
    records = [read_record(file) for file in map_files(study / "resnet18/fold-0/occlusion")]
    chosen = choose_explained(records)
    assert len({one.file for _, one in chosen}) == len(chosen)
    wrong = sorted((one for one in records if not one.is_correct), key=lambda one: -one.margin)
    assert [one for kind, one in chosen if kind == "wrong"] == wrong[:2]
    assert all(one.is_correct for kind, one in chosen if kind == "typical")
    assert choose_explained(records[::-1]) == chosen


def test_a_map_cannot_show_a_file_outside_the_folder_of_the_images(make_study, tmp_path):
    """Not through the name in the map, nor through a link: the picture of the reader is not in the page."""
    maker = make_study(tmp_path, patients=12)
    study, private = maker.write(), tmp_path / "private.png"
    Image.fromarray(np.full((40, 60, 3), 99, np.uint8)).save(private)
    (tmp_path / "smears/link.png").symlink_to(private)
    files = [file for run in study.glob("resnet18/fold-*") for file in map_files(run / "occlusion")]
    names = ["../private.png", str(private), "link.png", "../smears/../private.png"]
    for file, name in zip(files, names * len(files), strict=False):
        one = read_map(file)
        write_map(replace(one, explained=replace(one.explained, image=name)))
    page, _ = write(study, tmp_path)
    assert page.maps == ()
