"""Which files a configuration is read from: the main one, then those of the folder `conf.d` beside it."""

from __future__ import annotations

import os

from llmux.config.nodes import Book, folder_of
from llmux.config.problems import Mark, Mistake, Notice, Problem

FOLDER = "conf.d"
_NAME = ".yaml"
_NEARLY = (".yml", _NAME)  # in any case: whoever names a file so means it to be read


def site_files(book: Book) -> list[str]:
    """The files of conf.d, in the byte order of their names. Dotfiles, backups and what a package manager leaves are none."""
    folder = os.path.join(folder_of(book.file), FOLDER)
    if not os.path.lexists(folder):
        return []
    try:
        names = sorted((name for name in os.listdir(folder) if not name.startswith(".")), key=os.fsencode)
    except OSError as error:
        book.problems.append(_unread(folder, error))
        book.partial = True
        return []
    files = []
    for name in names:
        if name.lower().endswith(_NEARLY) and not name.isprintable():
            book.problems.append(Problem(Mark(folder), "", f"{name!a}: a file with such a name cannot be named in a message"))
        elif name.endswith(_NAME):
            files.append(os.path.join(folder, name))
        elif name.lower().endswith(_NEARLY):
            meant = os.path.splitext(name)[0] + _NAME
            book.notices.append(Notice(Mark(os.path.join(folder, name)), "", f"not read; to have it read, name it {meant}"))
    return files


def contents(file: str) -> bytes:
    """What a file holds. Raises Mistake."""
    try:
        with open(file, "rb") as opened:
            return opened.read()
    except OSError as error:
        raise Mistake(_unread(file, error)) from None


def decoded(data: bytes, file: str) -> str:
    """Its text. Raises Mistake."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        where = Mark(file, before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        raise Mistake(Problem(where, "", "not UTF-8")) from None


def _unread(path: str, error: OSError) -> Problem:
    return Problem(Mark(path), "", f"cannot be read: {error.strerror}")
