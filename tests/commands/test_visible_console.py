import io
import re
from pathlib import Path

import pytest
from rich.live import Live
from rich.table import Table
from rich.text import Text

from mds_lightning.commands import visible_console
from mds_lightning.commands.visible_console import Visible, open_console

HOSTILE = "\x1b]0;title\x1b\u202edonor"
SHOWN = r"\x1b]0;title\x1b\u202edonor"


@pytest.fixture
def table() -> Table:
    table = Table("label", title=HOSTILE)
    table.add_row(Text(HOSTILE, style="bold red"))
    return table


def test_controls_of_the_content_are_shown(capsys, table) -> None:
    console = open_console(width=200)
    console.print(table)
    console.print(HOSTILE, markup=False)
    output = capsys.readouterr().out
    assert not set(output) & {"\x1b", "\u202e"}
    assert output.count(SHOWN) >= 2


def test_colours_of_a_terminal_are_kept(monkeypatch, table) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    console = open_console()
    console.file = io.StringIO()
    with Live(Visible(table), console=console, auto_refresh=False):
        pass
    output = console.file.getvalue()
    assert "\x1b[1;31m" in output
    assert "\x1b]0;" not in output
    assert "\u202e" not in output


def test_every_command_writes_through_it() -> None:
    folder = Path(visible_console.__file__).parent
    others = [path for path in folder.glob("*.py") if path.name != Path(visible_console.__file__).name]
    assert not [
        path.name
        for path in others
        if re.search(r"\bConsole\(|\bprint\(", path.read_text().replace("console.print(", ""))
    ]
