import json

import numpy as np
import pytest

from mds_lightning.explain.faithfulness_curves import FaithfulnessCurves
from mds_lightning.explain.parameters import ExplanationParameters
from mds_lightning.maps.explained_image import ExplainedImage
from mds_lightning.maps.map_file import group_map_files, map_files, read_fingerprint, read_map, read_record

CLASSES = ("donor", "MDS")
IMAGE = ExplainedImage("images/a.jpg", 2, "external", 7, 1, "MDS")
PROBABILITIES = np.array([0.25, 0.75], np.float32)
DROPS = np.random.default_rng(0).normal(0, 0.2, (2, 3, 4)).astype(np.float32)


def assert_same(found, expected):
    for key, value in vars(expected).items():
        if key == "drops":
            assert len(found.drops) == len(value)
            for one, other in zip(found.drops, value, strict=True):
                np.testing.assert_array_equal(one, other)
        elif key == "curves":
            assert (found.curves is None) == (value is None)
            if value is not None:
                for name, curve in vars(value).items():
                    np.testing.assert_array_equal(getattr(found.curves, name), curve)
        elif isinstance(value, np.ndarray):
            np.testing.assert_array_equal(getattr(found, key), value)
        else:
            assert getattr(found, key) == value, key


@pytest.mark.parametrize("method", ["occlusion", "captum_occlusion", "integrated_gradients", "layer_gradcam"])
def test_a_map_of_every_method_is_read_as_it_was_written(save_map, tmp_path, method):
    curves = FaithfulnessCurves(*(np.linspace(0, value, 5, dtype=np.float32) for value in (1, 2, 3)))
    parameters = ExplanationParameters(method)
    written = save_map(tmp_path / "a.npz", IMAGE, CLASSES, PROBABILITIES, DROPS, parameters, curves)
    assert_same(read_map(tmp_path / "a.npz"), written)
    record = read_record(tmp_path / "a.npz")
    assert not hasattr(record, "importance")
    assert (record.method, record.image, record.fold) == (method, "images/a.jpg", 2)
    assert (record.predicted, record.label, record.is_correct, record.margin) == ("MDS", "MDS", True, 0.5)
    assert record.largest_drop("MDS") == (pytest.approx(DROPS[1].max()) if method == "occlusion" else None)
    assert read_fingerprint(tmp_path / "a.npz") == written.fingerprint


def test_importance_is_restored_to_the_scale_of_the_score(save_map, tmp_path):
    one = save_map(tmp_path / "a.npz", IMAGE, CLASSES, PROBABILITIES, DROPS)
    np.testing.assert_allclose(one.unscaled("donor")[::8, ::8], DROPS[0], atol=1e-6)
    assert one.of_class("donor").min() == 0
    assert one.of_class("donor").max() == 1


def test_a_map_is_faint_by_the_setting_of_its_run(save_map, tmp_path):
    largest = float(DROPS[1].max())
    for least, expected in ((largest * 0.9, False), (largest * 1.1, True)):
        parameters = ExplanationParameters(least_drop=least)
        save_map(tmp_path / "a.npz", IMAGE, CLASSES, PROBABILITIES, DROPS, parameters)
        assert read_record(tmp_path / "a.npz").is_faint("MDS") == expected
    save_map(tmp_path / "a.npz", IMAGE, CLASSES, PROBABILITIES, DROPS, ExplanationParameters("layer_gradcam"))
    assert not read_record(tmp_path / "a.npz").is_faint("MDS")


def rewrite(file, change):
    with np.load(file) as arrays:
        np.savez(file, **change(dict(arrays)))


def test_a_file_that_lacks_keys_is_refused_by_name(save_map, tmp_path):
    save_map(tmp_path / "a.npz", IMAGE, CLASSES, PROBABILITIES, DROPS)
    rewrite(tmp_path / "a.npz", lambda arrays: {k: v for k, v in arrays.items() if k not in ("low", "model")})
    with pytest.raises(ValueError, match=r"a.npz lacks low, model: .*mds-lightning explain"):
        read_record(tmp_path / "a.npz")
    assert read_fingerprint(tmp_path / "a.npz") is None


def test_a_map_of_version_0_1_0_has_the_fingerprint_of_the_same_map_now(save_map, tmp_path):
    now = save_map(tmp_path / "a.npz", IMAGE, CLASSES, PROBABILITIES, DROPS).fingerprint

    def age(arrays):
        settings = json.dumps(json.loads(str(arrays["settings"])) | {"mode": "exact"}, sort_keys=True)
        left = {key: value for key, value in arrays.items() if key not in ("label", "settings")}
        return left | {"settings": np.array(settings), "left_out": np.float32(0)}

    rewrite(tmp_path / "a.npz", age)
    assert read_fingerprint(tmp_path / "a.npz") == now
    assert read_record(tmp_path / "a.npz").explained == IMAGE


def test_files_are_grouped_by_method_with_occlusion_first(save_map, tmp_path):
    names = ["0/layer_gradcam/a.npz", "0/occlusion/b.npz", "0/occlusion/a.npz", "1/occlusion/a.npz"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        save_map(tmp_path / name, IMAGE, CLASSES, PROBABILITIES, DROPS)
    (tmp_path / "0/occlusion/.part.npz").touch()
    folders = [{"layer_gradcam": tmp_path / "0/layer_gradcam", "occlusion": tmp_path / "0/occlusion"}]
    found = group_map_files([*folders, {"occlusion": tmp_path / "1/occlusion"}])
    assert list(found) == ["occlusion", "layer_gradcam"]
    assert [str(file.relative_to(tmp_path)) for file in found["occlusion"]] == [
        "0/occlusion/a.npz", "0/occlusion/b.npz", "1/occlusion/a.npz",
    ]  # fmt: skip
    assert map_files(tmp_path / "absent") == []
