import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from mds_lightning.cohort.visible_text import show_invisible, show_lines


@given(st.text())
def test_no_control_or_direction_mark_is_left(text):
    for shown in (show_invisible(text), show_lines(text).replace("\n", "").replace("\t", "")):
        assert not any(unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") for character in shown)


def test_visible_text_is_unchanged():
    text = "MDS (del5q), 50 %, Müller, 骨髄"
    assert show_invisible(text) == text
    assert show_lines(f"{text}\n\t{text}") == f"{text}\n\t{text}"


def test_marks_are_shown_as_codes():
    assert show_lines("a\x1b[2J\r\n\u202eb") == "a\\x1b[2J\\r\n\\u202eb"
