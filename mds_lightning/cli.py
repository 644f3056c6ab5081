"""`mds-lightning VERB [overrides]`."""


def main() -> None:
    """Entry point."""
