"""Write what llmux tells about itself into a folder: `python scripts/documents.py FOLDER`.

Manual pages, shell completions and the annotated configuration, all from the command line's own options and the configuration's
own schema, so that they cannot fall behind. Their date is SOURCE_DATE_EPOCH, else that of the release in CHANGELOG.md; the
same sources give the same bytes. Needs what llmux needs, and nothing else.
"""

from __future__ import annotations

import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

# An isolated interpreter (python -I) looks beside no script, and llmux itself need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from documenting import bash, fish, manual, roff, zsh
from documenting.commands import command
from documenting.sample import sample
from llmux import __version__
from llmux.cli import Options
from llmux.config.reference import reference

ROOT = Path(__file__).resolve().parent.parent
PAGES = {"llmux.8": "System Manager's Manual", "llmux.yaml.5": "File Formats Manual"}


def documents() -> dict[str, str]:
    """All of them, by file name."""
    llmux, entries = command("llmux", Options), reference()
    told = {
        "synopsis": manual.synopsis(llmux),
        "commands": manual.commands(llmux),
        "options": manual.options(llmux),
        "keys": manual.keys(entries),
    }
    return {name: _page(name, told) for name in PAGES} | {
        "llmux.bash": bash.completion(llmux),
        "_llmux": zsh.completion(llmux),
        "llmux.fish": fish.completion(llmux),
        "llmux-reference.yaml": sample(entries),
    }


def _page(name: str, told: dict[str, str]) -> str:
    text = (ROOT / "docs" / "man" / f"{name}.md").read_text(encoding="utf-8")
    text = re.sub(r"^\{(\w+)\}$", lambda found: told[found[1]], text, flags=re.MULTILINE)
    title, _, section = name.rpartition(".")
    return roff.page(title, int(section), _date(), __version__, PAGES[name], text)


def _date() -> str:
    """The day of the release; "" for one that has none yet."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch:
        return datetime.fromtimestamp(int(epoch), UTC).date().isoformat()
    released = re.search(r"^## .*\b(\d{4}-\d{2}-\d{2})\b", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    return released[1] if released else ""


def main(arguments: list[str]) -> int:
    """Write them. Exit status 2 where no folder is named."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        (folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
