"""Makes a finished run one of an earlier version, which recorded no hashes of its files."""

import json
from pathlib import Path


def forget_record(run: Path) -> None:
    """Remove the record from `done.json`, and the format that requires it from `provenance.json`."""
    for name, keys in (("done.json", ("files", "hash")), ("provenance.json", ("format",))):
        record = json.loads((run / name).read_text())
        kept = {key: value for key, value in record.items() if key not in keys}
        (run / name).write_text(json.dumps(kept))
