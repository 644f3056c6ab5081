from hypothesis import example, given
from hypothesis import strategies as st

from mds_lightning.cohort.formula_cells import disarm_formula, restore_formula


@given(st.text("'=+-@\t\r\n＝ab1. []"))
@example("'=1")
@example("''=1")
@example("'-1'")
def test_a_disarmed_text_is_no_formula_and_is_restored(text):
    disarmed = disarm_formula(text)
    assert restore_formula(disarmed) == text
    assert disarmed == text or disarmed[0] == "'"
