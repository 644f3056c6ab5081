import csv
import io
import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mds_lightning.reporting.tables.escapes import disarm_table, escape_latex, escape_markdown
from mds_lightning.reporting.tables.estimate_tables import write_csv, write_table

MARKS = "\\`*_<>|#~[]{}&%$^-+=@'\"a1 \n\x1b\u202e"


@pytest.mark.parametrize(
    "text", ['=HYPERLINK("http://x","y")', "@SUM(1)", "+1+cmd|' /C calc'!A0", "-x", "\t=1"]
)
def test_formulas_are_text_in_a_csv_table(tmp_path, text):
    table = pd.DataFrame({text: [text, "plain"], "value": [-0.5, 1.0]})
    rows = list(csv.reader(io.StringIO(write_csv(table, tmp_path / "t.csv").read_text())))
    assert rows == [[f"'{text}", "value"], [f"'{text}", "-0.5"], ["plain", "1.0"]]


@pytest.mark.parametrize("text", ["-0.021", "-0.021 [-0.05, 0.01]", "+3", "1e-5", "−0.2", "MDS", ""])
def test_numbers_and_other_text_are_unchanged(text):
    table = pd.DataFrame({"value": [text]})
    pd.testing.assert_frame_equal(disarm_table(table), table)


@given(st.text(MARKS))
def test_latex_shows_every_character(text):
    escaped = escape_latex(text)
    shown = re.sub(r"\\text(backslash|asciitilde|asciicircum)\{\}", "", escaped)
    assert not re.search(r"(?<!\\)[&%$#_{}~^]", shown)
    assert not re.search(r"\\(?![&%$#_{}])", shown)
    assert "\n" not in escaped
    assert "\x1b" not in escaped


@given(st.text(MARKS))
def test_markdown_cells_keep_their_column(text):
    escaped = escape_markdown(text)
    assert "\n" not in escaped
    assert not re.search(r"(?<!\\)(\\\\)*[|<`*_]", escaped.replace("\\\\", ""))
    assert not re.match(r"\s*([-+]|\d+[.)])\s", escaped)


def test_tables_for_a_paper_show_odd_labels(tmp_path):
    table = pd.DataFrame({"a|b": ["50 % & <b>", "x\x1b[31m"], "value": ["0.97 [0.95, 0.98]", "-"]})
    paths = {
        path.suffix: path.read_text() for path in write_table(table, tmp_path / "t", "A_1 ~ {50%} \\input{x}")
    }
    assert r"\caption{A\_1 \textasciitilde{} \{50\%\} \textbackslash{}input\{x\}}" in paths[".tex"]
    assert r"50 \% \& <b>" in paths[".tex"]
    assert r"a\|b" in paths[".md"]
    assert r"50 % & \<b\>" in paths[".md"]
    assert "0.97 [0.95, 0.98]" in paths[".md"]
    assert not any("\x1b" in paths[suffix] for suffix in (".md", ".tex"))
