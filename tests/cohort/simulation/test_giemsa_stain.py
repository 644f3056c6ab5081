import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mds_lightning.cohort.simulation.giemsa_stain import (
    AZURE,
    BLUE,
    EOSIN,
    HAEMOGLOBIN,
    REFERENCE,
    vary_stain,
)

amounts = st.lists(st.floats(0, 3), min_size=4, max_size=4).map(lambda dye: np.array(dye, dtype=np.float32))


@given(amounts, amounts)
@settings(deadline=None, max_examples=30)
def test_densities_add_up_and_transmissions_multiply(one, other):
    both = REFERENCE.absorb(one + other)
    np.testing.assert_allclose(both, REFERENCE.absorb(one) * REFERENCE.absorb(other), rtol=1e-4)
    assert ((both > 0) & (both <= 1)).all()


def colour(dye, amount=1.0):
    concentration = np.zeros(4, dtype=np.float32)
    concentration[dye] = amount
    return REFERENCE.absorb(concentration)


def test_eosin_is_pink_azure_purple_methylene_blue_blue_and_haemoglobin_buff():
    red, green, blue = colour(EOSIN)
    assert red > blue > green
    red, green, blue = colour(AZURE)
    assert blue > red > green
    red, green, blue = colour(BLUE)
    assert blue > green > red
    red, green, blue = colour(HAEMOGLOBIN)
    assert red > green > blue


def test_a_shift_strengthens_eosin_and_weakens_azure():
    plain, shifted = (
        vary_stain(REFERENCE, np.random.default_rng(0), 0.05, 0.02, shift=shift).density
        for shift in (0.0, 0.3)
    )
    ratio = shifted / plain
    np.testing.assert_allclose(ratio[EOSIN], np.exp(0.3), rtol=1e-5)
    np.testing.assert_allclose(ratio[AZURE], np.exp(-0.3), rtol=1e-5)
