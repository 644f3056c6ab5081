"""`python -m benchmarks [NAME ...]`: run the benchmarks named, or all of them, one after the other.

Each is a script of its own that measures ours and a peer in the same run and prints a table; what was
measured, where and with which command stands in RESULTS.md.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_"))


def main() -> None:
    """Run the benchmarks that the command line names."""
    chosen = sys.argv[1:] or NAMES
    unknown = [name for name in chosen if name not in NAMES]
    if unknown:
        sys.exit(f"no benchmark {', '.join(unknown)}: choose among {', '.join(NAMES)}")
    for name in chosen:
        print(f"== {name}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)


main()
