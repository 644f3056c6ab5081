"""Consoles that show control characters of manifests and studies as escapes instead of sending them on."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook
from rich.segment import Segment

from mds_lightning.cohort.visible_text import show_lines


class _ShowControls(RenderHook):
    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [Visible(each) for each in renderables]


@dataclass(frozen=True)
class Visible:
    """`content` with control characters of its text as escapes; the control sequences of rich are kept.

    `open_console` does this for everything that is printed, but not for what `rich.live.Live` shows.

    Attributes:
        content: What is shown.
    """

    content: ConsoleRenderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for segment in console.render(self.content, options):
            yield segment if segment.control else Segment(show_lines(segment.text), segment.style)


def open_console(width: int | None = None) -> Console:
    """A console for standard output.

    Args:
        width: Characters of a line where it is not a terminal; None: as rich chooses it.
    """
    console = Console()
    if width is not None and not console.is_terminal:
        console = Console(width=width)
    console.push_render_hook(_ShowControls())
    return console
