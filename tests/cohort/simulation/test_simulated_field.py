import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from mds_lightning.cohort.simulation.canvas import Tissue
from mds_lightning.cohort.simulation.simulated_field import draw_field
from mds_lightning.cohort.simulation.simulated_patients import (
    PatientKey,
    draw_patient,
    draw_patient_from,
    field_seed,
)
from mds_lightning.cohort.simulation.simulation_parameters import SimulationParameters

WIDTH, HEIGHT = 320, 240


def draw(label, number=0, field=0, external=False, width=WIDTH, height=HEIGHT, **settings):
    parameters = SimulationParameters(seed=3, **settings)
    key = PatientKey(label, number, external)
    return draw_field(draw_patient(parameters, key), field_seed(parameters, key, field), width, height)


def draw_seeded(label, seed, **settings):
    """A field whose patient and contents depend on `seed`, not on the label."""
    parameters = SimulationParameters(**settings)
    patient = draw_patient_from(np.random.SeedSequence(seed), parameters, PatientKey(label, 0, False))
    return draw_field(patient, np.random.SeedSequence([seed, 1]), WIDTH, HEIGHT)


def optical_density(image):
    return -np.log(np.clip(image, 1, None) / 255.0)


def test_without_signal_a_seed_draws_the_same_field_for_every_label():
    fields = [draw_seeded(label, seed=11, signal=0.0) for label in ("MDS", "AML", "donor")]
    for other in fields[1:]:
        np.testing.assert_array_equal(other.image, fields[0].image)
        np.testing.assert_array_equal(other.mask, fields[0].mask)
    assert fields[0].mask.max() == Tissue.NUCLEUS


def test_dysplasia_changes_dysplastic_cells_only():
    # The same seed: the same cells at the same places, in the same light, with the same noise.
    parameters = SimulationParameters(signal=1.0)
    mds, donor = (
        draw_field(
            draw_patient_from(np.random.SeedSequence(11), parameters, PatientKey(label, 0, False)),
            np.random.SeedSequence([11, 1]),
            WIDTH,
            HEIGHT,
        )
        for label in ("MDS", "donor")
    )
    assert (mds.mask == Tissue.CLONE_NUCLEUS).any()
    assert not (donor.mask == Tissue.CLONE_NUCLEUS).any()
    nucleated = (mds.mask >= Tissue.CYTOPLASM) | (donor.mask >= Tissue.CYTOPLASM)
    elsewhere = ndimage.distance_transform_edt(~nucleated) > 8  # outside the blur
    assert elsewhere.mean() > 0.05
    np.testing.assert_array_equal(mds.image[elsewhere], donor.image[elsewhere])
    np.testing.assert_array_equal(mds.mask[elsewhere], donor.mask[elsewhere])


def test_half_the_signal_is_half_the_dysplasia():
    seed = np.random.SeedSequence(4)
    key = PatientKey("MDS", 0, False)
    full, half = (
        draw_patient_from(seed, SimulationParameters(signal=signal), key).marrow for signal in (1.0, 0.5)
    )
    assert half == dataclasses.replace(full, dysplastic=full.dysplastic / 2, blasts=full.blasts / 2)


@pytest.mark.parametrize("label", ["MDS", "AML"])
def test_patients_have_a_clone_and_donors_none(label):
    fractions = {
        name: np.mean([(draw(name, number).mask == Tissue.CLONE_NUCLEUS).mean() for number in range(4)])
        for name in (label, "donor")
    }
    assert fractions[label] > 0.02
    assert fractions["donor"] == 0


def test_the_mask_matches_the_image():
    for number in range(3):
        field = draw("MDS", number)
        assert set(np.unique(field.mask)) <= {int(tissue) for tissue in Tissue}
        mean = {
            tissue: optical_density(field.image[field.mask == tissue]).mean(axis=0)
            for tissue in Tissue
            if (field.mask == tissue).any()
        }
        for nucleus in (Tissue.NUCLEUS, Tissue.CLONE_NUCLEUS):
            assert mean[nucleus].sum() > 2 * mean[Tissue.CYTOPLASM].sum()
            # Purple: red is absorbed nearly as much as green; red cells let it through.
            assert mean[nucleus][0] / mean[nucleus][1] > 0.4
        assert mean[Tissue.BACKGROUND].sum() < mean[Tissue.RED_CELL].sum() < mean[nucleus].sum()
        assert mean[Tissue.RED_CELL][1] > 2 * (mean[Tissue.RED_CELL][0] - mean[Tissue.BACKGROUND][0])


def test_confound_shifts_the_colour_of_one_class():
    def redness(label, confound):
        fields = [draw_seeded(label, seed, signal=0.0, confound=confound) for seed in range(3)]
        density = np.concatenate([optical_density(field.image[field.mask == 1]) for field in fields])
        return density.mean()

    assert redness("MDS", 1.0) > 1.1 * redness("MDS", 0.0)
    assert redness("donor", 1.0) == redness("donor", 0.0)
    assert redness("MDS", 0.0) == redness("donor", 0.0)


def test_more_pixels_show_the_same_area():
    small, large = draw("MDS"), draw("MDS", width=2560, height=1920)
    assert large.image.shape == (1920, 2560, 3)
    assert large.mask.shape == (1920, 2560)
    agree = np.mean(large.mask[4::8, 4::8] == small.mask)
    assert agree > 0.93
    coarse = large.image.reshape(HEIGHT, 8, WIDTH, 8, 3).mean(axis=(1, 3))
    assert np.corrcoef(coarse.ravel(), small.image.ravel())[0, 1] > 0.95


@pytest.mark.parametrize(("width", "height"), [(32, 32), (64, 200), (33, 47)])
def test_any_size_is_drawn(width, height):
    field = draw("AML", width=width, height=height)
    assert field.image.shape == (height, width, 3)
    assert field.mask.shape == (height, width)


def test_drawing_twice_gives_the_same_field():
    parameters, key = SimulationParameters(), PatientKey("AML", 1, True)
    patient, seed = draw_patient(parameters, key), field_seed(parameters, key, 0)
    first, second = (draw_field(patient, seed, WIDTH, HEIGHT) for _ in range(2))
    np.testing.assert_array_equal(first.image, second.image)
    assert first.mask.tobytes() == second.mask.tobytes()


def test_fields_of_one_patient_differ_and_are_similar():
    def colour(field):
        density = np.median(optical_density(field.image[field.mask == Tissue.NUCLEUS]), axis=0)
        return density / density.sum()

    patients = [[colour(draw("donor", number, field)) for field in range(3)] for number in range(6)]
    assert not np.array_equal(draw("donor", 0, 0).image, draw("donor", 0, 1).image)
    within = np.mean([np.std(fields, axis=0) for fields in patients])
    between = np.mean(np.std([np.mean(fields, axis=0) for fields in patients], axis=0))
    assert between > 1.5 * within
