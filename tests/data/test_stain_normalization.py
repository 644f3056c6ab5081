import warnings
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torchstain
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mds_lightning.cohort.simulation.giemsa_stain import REFERENCE
from mds_lightning.cohort.simulation.simulated_field import draw_field
from mds_lightning.cohort.simulation.simulated_patients import draw_patient, field_seed, list_patients
from mds_lightning.cohort.simulation.simulation_parameters import SimulationParameters
from mds_lightning.data.cache import CacheParameters, FieldCache
from mds_lightning.data.decode import ImageError
from mds_lightning.data.field_preparation import prepare_fields
from mds_lightning.data.loading_parameters import LoadingParameters
from mds_lightning.data.resize_spec import ResizeSpec
from mds_lightning.data.stain_normalization import StainNormalization, choose_stain, measure_dyes, measure_lab

METHODS = ("reinhard", "macenko")
MEASURE = {"reinhard": measure_lab, "macenko": measure_dyes}
NAME = Path("field.png")
SPECS = (ResizeSpec((20, 30)), ResizeSpec((20, 30), 1.0))


def two_dyes(seed, blue=(0.65, 0.70, 0.29), pink=(0.20, 0.90, 0.40), most=(1.9, 1.3)):
    """A field of two dyes (some pixels with all of one of them) and some empty glass of 240."""
    random = np.random.default_rng(seed)
    amounts = random.uniform(0.55, 1, (40, 60, 2)) * most
    amounts[:4, :, 0], amounts[:4, :, 1] = most[0], 0
    amounts[4:8, :, 0], amounts[4:8, :, 1] = 0, most[1]
    directions = np.array([blue, pink])
    light = np.exp(-(amounts @ (directions / np.linalg.norm(directions, axis=1, keepdims=True))))
    light[-2:] = 1
    return (241 * light - 1).round().clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def sites():
    """Fields (image and mask) of three simulated sites, which differ in stain, illumination and camera."""
    parameters = SimulationParameters(
        patients={"donor": 6}, fields={"donor": 1}, external_patients={"donor": 3}, width=320, height=240,
        sites=2, seed=2,
    )  # fmt: skip
    fields = {}
    for key in list_patients(parameters):
        patient = draw_patient(parameters, key)
        field = draw_field(patient, field_seed(parameters, key, 0), 320, 240)
        fields.setdefault(patient.site, []).append(field)
    return fields


# Colours


@pytest.mark.parametrize("method", METHODS)
def test_normalisation_agrees_with_torchstain(method):
    reference, field = two_dyes(0), two_dyes(1, (0.5, 0.8, 0.35), (0.25, 0.8, 0.5), (1.5, 1.6))
    kinds = {
        "macenko": torchstain.normalizers.MacenkoNormalizer,
        "reinhard": torchstain.normalizers.ReinhardNormalizer,
    }
    peer = kinds[method](backend="numpy")
    peer.fit(reference)
    theirs = peer.normalize(field)
    theirs = theirs[0] if method == "macenko" else theirs
    ours = StainNormalization(method, MEASURE[method](reference, NAME))(field, NAME)
    assert ours.dtype == np.uint8
    # torchstain returns empty glass brighter by one, and truncates decimals.
    np.testing.assert_allclose(ours.astype(int), theirs.astype(int), atol=3)
    assert np.abs(ours.astype(int) - field).max() > 20


@pytest.mark.parametrize(("method", "tolerance"), [("reinhard", 0.8), ("macenko", 0.04)])
def test_a_normalised_field_has_the_measurements_of_the_target(method, tolerance):
    target = MEASURE[method](two_dyes(0), NAME)
    field = two_dyes(1, (0.5, 0.8, 0.35), (0.25, 0.8, 0.5), (1.5, 1.6))
    assert np.abs(np.subtract(MEASURE[method](field, NAME), target)).max() > 5 * tolerance
    normalised = StainNormalization(method, target)(field, NAME)
    assert MEASURE[method](normalised, NAME) == pytest.approx(target, abs=tolerance)


@pytest.mark.parametrize("method", METHODS)
def test_sites_become_more_alike(sites, method):
    """Mean distance (CIELAB) between sites of background, red cells, cytoplasm and nuclei."""

    def distance(change):
        colours = []
        for fields in sites.values():
            of_field = []
            for field in fields:
                light = change(field.image).astype(np.float32) / 255
                lab = cv2.cvtColor(light, cv2.COLOR_RGB2LAB)
                tissue = np.minimum(field.mask, 3)
                of_field.append([lab[tissue == kind].mean(axis=0) for kind in range(4)])
            colours.append(np.mean(of_field, axis=0))
        pairs = [(0, 1), (0, 2), (1, 2)]
        return np.mean([np.linalg.norm(colours[one] - colours[other], axis=1) for one, other in pairs])

    stain = choose_stain(method, None, 10**6)
    before, after = distance(lambda image: image), distance(lambda image: stain(image, NAME))
    assert before > 6
    assert after < 0.5 * before


@pytest.mark.parametrize(("method", "tolerance"), [("reinhard", 4), ("macenko", 0.06)])
def test_the_target_has_the_measurements_of_the_reference_stain(method, tolerance):
    parameters = SimulationParameters(patients={"donor": 2}, fields={"donor": 1}, external_patients={})
    found = []
    for key in list_patients(parameters):
        patient = replace(draw_patient(parameters, key), stain=REFERENCE)
        field = draw_field(patient, field_seed(parameters, key, 0), 320, 240)
        found.append(MEASURE[method](field.image, NAME))
    target = choose_stain(method, None, 1).target
    assert np.mean(found, axis=0) == pytest.approx(target, rel=0.12, abs=tolerance)


@settings(deadline=None, max_examples=30)
@given(
    method=st.sampled_from(METHODS),
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    colours=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_field_is_normalised_or_refused_by_name(method, shape, colours, seed):
    random = np.random.default_rng(seed)
    palette = random.integers(0, 256, (colours, 3), dtype=np.uint8)
    field = palette[random.integers(0, colours, shape)]
    stain = choose_stain(method, None, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            normalised, refusal = stain(field, NAME), None
        except ImageError as error:
            normalised, refusal = None, str(error)
    if refusal is None:
        assert normalised.shape == field.shape
        assert normalised.dtype == np.uint8
    else:
        assert refusal.startswith("field.png: ")
        assert "cannot be normalised" in refusal


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (230, 225, 228), (180, 90, 160)])
def test_a_blank_field_is_refused(method, colour):
    noise = np.random.default_rng(0).integers(-1, 2, (30, 40, 3))
    blank = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
    with pytest.raises(ImageError, match=r"field\.png: (is almost blank|has a single colour)"):
        choose_stain(method, None, 1)(blank, NAME)


@pytest.mark.parametrize("method", METHODS)
def test_a_grey_field_is_refused(method):
    grey = np.repeat(np.random.default_rng(0).integers(0, 256, (30, 40, 1), dtype=np.uint8), 3, axis=2)
    with pytest.raises(ImageError, match=r"has no colours|has a single colour"):
        choose_stain(method, None, 1)(grey, NAME)


# Choice of the method


def test_there_is_no_normalisation_by_default():
    assert choose_stain(None, None, 1) is None


def test_invalid_settings_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"data\.stain is 'vahadane': choose null, reinhard, macenko"):
        choose_stain("vahadane", None, 1)
    with pytest.raises(ValueError, match=r"data\.stain_reference is set, but data\.stain is null"):
        choose_stain(None, tmp_path / "picture.png", 1)
    with pytest.raises(ImageError, match=r"absent\.png: does not exist"):
        choose_stain("reinhard", tmp_path / "absent.png", 10**6)


@pytest.mark.parametrize("method", METHODS)
def test_a_reference_image_can_be_the_target(tmp_path, method):
    Image.fromarray(two_dyes(3)).save(tmp_path / "picture.png")
    stain = choose_stain(method, tmp_path / "picture.png", 10**6)
    assert stain == StainNormalization(method, MEASURE[method](two_dyes(3), NAME))
    assert stain.key != choose_stain(method, None, 1).key


# Loading


@pytest.fixture
def stained(cohort):
    """A cohort of different fields of two dyes."""
    for number, image in enumerate(cohort.table["image"]):
        Image.fromarray(two_dyes(number)).save(cohort.path(image))
    return cohort


@pytest.mark.parametrize("method", METHODS)
def test_the_network_receives_the_same_bytes_with_and_without_a_cache(stained, tmp_path, method):
    loading = LoadingParameters(size=(20, 30), stain=choose_stain(method, None, 1))
    cache = FieldCache(CacheParameters(tmp_path / "cache", workers=2))
    for _ in range(2):
        cached, _ = prepare_fields(stained, SPECS, loading, cache, tmp_path / "skipped.csv")
        plain, _ = prepare_fields(stained, SPECS, loading, None, tmp_path / "skipped.csv")
        for row in (0, 7):
            for spec in SPECS:
                np.testing.assert_array_equal(cached.read(row, spec), plain.read(row, spec))


def test_a_cache_stores_every_target_separately(stained, tmp_path):
    cache = FieldCache(CacheParameters(tmp_path / "cache", workers=2))
    stains = [
        None,
        choose_stain("reinhard", None, 1),
        choose_stain("macenko", None, 1),
        StainNormalization("reinhard", measure_lab(two_dyes(0), NAME)),
    ]
    seen = []
    for stain in stains:
        loading = LoadingParameters(size=(20, 30), stain=stain)
        fields, _ = prepare_fields(stained, SPECS, loading, cache, tmp_path / "skipped.csv")
        seen.append(np.array(fields.read(0, SPECS[0])))
    assert all((seen[one] != seen[other]).any() for one in range(4) for other in range(one))


@pytest.mark.parametrize("cached", [True, False])
def test_a_field_that_cannot_be_normalised_is_undecodable(stained, tmp_path, cached):
    image = stained.table["image"][3]
    Image.new("RGB", (60, 40), (240, 240, 240)).save(stained.path(image))
    cache = FieldCache(CacheParameters(tmp_path / "cache", workers=2)) if cached else None
    loading = LoadingParameters(size=(20, 30), stain=choose_stain("macenko", None, 1), on_error="skip")
    _, skipped = prepare_fields(stained, SPECS, loading, cache, tmp_path / "skipped.csv")
    assert skipped == {3}
    assert "is almost blank" in (tmp_path / "skipped.csv").read_text()
    loading = replace(loading, on_error="raise")

    def read():
        fields, _ = prepare_fields(stained, SPECS, loading, cache, tmp_path / "skipped.csv")
        return fields.read(3, SPECS[0])

    with pytest.raises(ImageError, match="is almost blank"):
        read()
