import logging

from mds_lightning.cli.terminal import terminal_handler


def test_controls_in_messages_are_shown() -> None:
    handler = terminal_handler()
    record = logging.LogRecord("x", logging.WARNING, "", 0, "%s\n\tnext", ("\x1b[2J\u202ep1",), None)
    assert handler.format(record) == "WARNING \\x1b[2J\\u202ep1\n\tnext"
