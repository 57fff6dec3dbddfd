"""`llmux translate --from D --to D FILE`: what a translation makes of a request, an answer or a stream, and what it loses."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from twisted.python import usage

from llmux import jsonio
from llmux.dialects import sse
from llmux.dialects.base import Dialect
from llmux.dialects.context import Context, Options, Target
from llmux.dialects.notes import Notes
from llmux.dialects.registry import DIALECTS
from llmux.dialects.seals import Seals
from llmux.dialects.translation import StreamTranslation, Translation, body_of
from llmux.errors import Fault
from llmux.tap import Command

# What is printed goes nowhere, so nobody has to trust its seals.
_SEALS = Seals((b"llmux translate",))


class TranslateOptions(Command):
    """Options of `llmux translate`."""

    synopsis = "--from DIALECT --to DIALECT [--response | --stream] FILE"
    longdesc = (
        "Print what a translation makes of FILE (`-`: standard input), and on standard error a line for everything that it could "
        "not carry over unchanged. FILE is a request of a client that speaks --from, for a provider that speaks --to; with "
        "--response or --stream it is a provider's answer in the dialect --from, for a client that speaks --to. "
        "Exits 0 if it could be translated, 1 if it is refused."
    )
    optParameters = [
        ["from", "f", None, "The dialect of FILE."],
        ["to", "t", None, "The dialect to print."],
        ["model", "m", None, "The model that the provider is asked for; that of the request, if it names one."],
        ["asked", "a", None, "With --response or --stream: the client's request, parts of which some answers repeat."],
    ]
    optFlags = [
        ["response", "r", "FILE is a whole answer."],
        ["stream", "s", "FILE is a stream of server-sent events."],
        ["strict", None, "Refuse what would be dropped."],
    ]
    compData = usage.Completions(
        optActions={"from": usage.CompleteList(list(DIALECTS)), "to": usage.CompleteList(list(DIALECTS))},
        extraActions=[usage.CompleteFiles()],
    )

    def parseArgs(self, file: str) -> None:  # type: ignore[override]  # the arguments are the command's own
        """The file."""
        self["file"] = file

    def postOptions(self) -> None:
        """Both dialects are known, and the file is one thing."""
        for option in ("from", "to"):
            if self[option] not in DIALECTS:
                raise usage.UsageError(f"--{option} must be one of {', '.join(DIALECTS)}")
        if self["response"] and self["stream"]:
            raise usage.UsageError("--response and --stream exclude each other")


def main(options: Any) -> int:
    """Print the translation, and its notes. Exit status 0 or 1."""
    source, target = DIALECTS[options["from"]], DIALECTS[options["to"]]
    notes = Notes(strict=bool(options["strict"]))
    try:
        body = _read(options["file"])
        if options["response"] or options["stream"]:
            asked = _object(_read(options["asked"]), target) if options["asked"] else {}
            context = _context(asked, options["model"] or _model(asked), notes, bool(options["stream"]))
            said = _stream(source, target, context, body) if options["stream"] else _response(source, target, context, body)
        else:
            asked = _object(body, source)
            context = _context(asked, options["model"] or _model(asked), notes, asked.get("stream") is True)
            said = jsonio.pretty(Translation(source.rooms, target, context).body)
    except (OSError, Fault) as error:
        _tell(notes)
        where = f"{error.param}: " if isinstance(error, Fault) and error.param else ""
        print(f"llmux: {where}{error}", file=sys.stderr)
        return 1
    print(said)
    _tell(notes)
    return 0


def _tell(notes: Notes) -> None:
    for note in notes:
        print(note, file=sys.stderr)


def _read(file: str) -> bytes:
    return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()


def _object(body: bytes, client: Dialect) -> dict[str, Any]:
    try:
        return body_of(body, client.loads)
    except Fault as fault:
        raise Fault("invalid", fault.message.replace("the provider's answer", "the request")) from None


def _model(asked: dict[str, Any]) -> str:
    model = asked.get("model")
    return model if isinstance(model, str) else ""


def _context(asked: dict[str, Any], model: str, notes: Notes, stream: bool) -> Context:
    target = Target.of(model, Options(strict=False))
    return Context(notes=notes, seals=_SEALS, target=target, asked=asked, stream=stream)


def _response(provider: Dialect, client: Dialect, context: Context, body: bytes) -> str:
    response = provider.rooms.parse_response(body_of(body, provider.loads), context)
    return jsonio.pretty(client.rooms.write_response(response, context))


def _stream(provider: Dialect, client: Dialect, context: Context, body: bytes) -> str:
    stream = StreamTranslation(client.rooms, provider, context)
    framer = sse.Framer()
    try:
        said = stream.feed(framer.feed(body) + framer.rest) + (stream.close() if stream.fault is None else b"")
        fault = stream.fault
    except Fault as error:
        said, fault = b"", error
    if fault is not None:
        said += stream.error(fault)
    return said.decode("utf-8", "backslashreplace").rstrip("\n")
