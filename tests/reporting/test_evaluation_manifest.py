"""What the manifest adds to an evaluation: characteristics, subgroups and maps."""

from collections.abc import Callable
from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import pytest
import yaml
from fsspec.implementations.memory import MemoryFileSystem
from PIL import Image

from mds_lightning.commands.evaluate import evaluate
from mds_lightning.explain.faithfulness_curves import FaithfulnessCurves
from mds_lightning.explain.parameters import ExplanationParameters
from mds_lightning.maps.explained_image import ExplainedImage

from .small_study import CLASSES, config, make_study, pooled_rows


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return make_study(tmp_path / "study")


def with_manifest(study: Path, save_map: Callable[..., object]) -> pd.DataFrame:
    """Give the study a manifest with clinical columns and an explained image; returns the manifest."""
    rows = pooled_rows(study).reset_index(drop=True)
    number = rows["patient_id"].str[1:].astype(int)
    manifest = rows[["image", "patient_id", "label"]].assign(
        age=40 + number, sex=np.where(number < 20, "f", "m")
    )
    folder = study.parent / "smears"
    folder.mkdir()
    manifest.to_csv(folder / "manifest.csv", index=False)
    settings = {"study": study.name, "paths": {"runs": "runs"}}
    settings |= {"cohort": {"manifest": str(folder / "manifest.csv"), "root": None}}
    (study / "resnet18/fold-0/config.yaml").write_text(yaml.safe_dump(settings))
    image = pooled_rows(study).query("fold == 0 and target == 1 and prob_MDS > 0.5").iloc[0]
    Image.fromarray(np.full((48, 64, 3), 200, np.uint8)).save(folder / image["image"])
    for method in ("occlusion", "layer_gradcam"):
        drops = np.full((2, 3, 4), 0.3, np.float32)
        explained = ExplainedImage(image["image"], 0, "test", 0, 1)
        probabilities = image[["prob_donor", "prob_MDS"]].to_numpy(np.float32)
        file = study / "resnet18/fold-0" / method / "one.npz"
        file.parent.mkdir()
        curves = FaithfulnessCurves(*(np.full(3, value, np.float32) for value in (0.1, 0.9, 0.5)))
        save_map(file, explained, CLASSES, probabilities, drops, ExplanationParameters(method), curves)
    return manifest


@pytest.mark.usefixtures("quick")
def test_the_manifest_adds_characteristics_subgroups_and_maps(
    study: Path, save_map: Callable[..., object]
) -> None:
    with_manifest(study, save_map)
    result = evaluate(config(study, n_resamples=100))
    folder = study / "evaluation"
    first = pd.read_csv(folder / "table1_patients.csv", keep_default_na=False)
    assert first.loc[0, ["characteristic", "all", "MDS", "donor"]].tolist() == ["n", "40", "20", "20"]
    subgroups = result.evidence["resnet18"].tables["subgroups"]
    assert set(subgroups["column"]) == {"age", "sex"}
    assert set(subgroups.query("column == 'sex'")["n_patients"]) == {20}
    # Maps of every method are shown, not only those of method occlusion.
    for name in ("figure3_maps.png", "figure3_maps_layer_gradcam.png"):
        assert (folder / "resnet18" / name).is_file()
        assert any(f"wrote {folder / 'resnet18' / name}" == line for line in result.summary)
    faithfulness = pd.read_csv(folder / "resnet18/faithfulness.csv")
    assert faithfulness["method"].tolist() == ["occlusion", "layer_gradcam"]
    assert faithfulness["deletion"].tolist() == pytest.approx([0.1, 0.1])
    assert faithfulness["insertion"].tolist() == pytest.approx([0.9, 0.9])


@pytest.mark.usefixtures("quick")
def test_a_remote_manifest_adds_them_too_and_estimates_do_not_need_its_server(
    study: Path,
    save_map: Callable[..., object],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_manifest(study, save_map)
    url = f"memory://{study.parent.name}"
    for path in (study.parent / "smears").iterdir():
        fsspec.filesystem("memory").pipe_file(f"{url}/{path.name}", path.read_bytes())
    settings = {"study": study.name, "paths": {"runs": "runs"}}
    settings |= {"cohort": {"manifest": f"{url}/manifest.csv", "root": None}}
    (study / "resnet18/fold-0/config.yaml").write_text(yaml.safe_dump(settings))
    folder = study / "evaluation"
    evaluate(config(study, n_resamples=100))
    assert (
        f"followed only if you name it. If you trust it, give the command again with cohort.manifest={url}/m"
        in (caplog.text)
    )
    assert not (folder / "table1_patients.csv").exists()
    named = {"manifest": f"{url}/manifest.csv", "root": None}
    with_all = evaluate(config(study, n_resamples=100, cohort=named))
    assert (folder / "resnet18/figure3_maps.png").is_file()
    assert (folder / "table1_patients.csv").is_file()

    def refuse(*arguments: object, **options: object) -> None:
        raise ConnectionError("Connection refused")

    monkeypatch.setattr(MemoryFileSystem, "ls", refuse)
    alone = evaluate(config(study, n_resamples=100, cohort=named))
    assert "the server cannot be reached (Connection refused)" in caplog.text
    assert "subgroups" not in alone.evidence["resnet18"].tables
    pd.testing.assert_frame_equal(
        alone.evidence["resnet18"].tables["metrics"], with_all.evidence["resnet18"].tables["metrics"]
    )


@pytest.mark.usefixtures("quick")
def test_a_changed_manifest_is_reported_and_not_used(
    study: Path, save_map: Callable[..., object], caplog: pytest.LogCaptureFixture
) -> None:
    manifest = with_manifest(study, save_map)
    manifest.iloc[2:].to_csv(study.parent / "smears/manifest.csv", index=False)
    result = evaluate(config(study, n_resamples=100))
    assert "has changed since the study was trained" in caplog.text
    assert "subgroups" not in result.evidence["resnet18"].tables
