"""What the environment and the command line say over the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from llmux.config import listen
from llmux.config.keys import ADDITIONAL, ClientKey, placeholder
from llmux.config.problems import Mark, Notice, Problem, listed, suggestion
from llmux.config.schema import FORMATS, LEVELS, Config
from llmux.config.secrets import unfit

_ENVIRONMENT = Mark("environment")
_COMMAND_LINE = Mark("command line")


def surrounded(config: Config, environ: Mapping[str, str]) -> tuple[Config, list[Problem], list[Notice]]:
    """HOST and PORT move the first listener, LLMUX_LOG sets the level, ADDITIONAL_API_KEYS adds client keys."""
    problems: list[Problem] = []
    notices: list[Notice] = []
    host, port = environ.get("HOST") or None, environ.get("PORT") or None
    if (host or port) and config.listen:  # else all of them are wrong
        config = _moved(config, host, port, problems, notices)
    level = environ.get("LLMUX_LOG", "").lower()
    if level in LEVELS:
        config = attrs.evolve(config, log=attrs.evolve(config.log, level=LEVELS[level]))
    elif level:
        problems.append(_one_of(_ENVIRONMENT, "LLMUX_LOG", level, LEVELS))
    words = [word.strip() for word in environ.get(ADDITIONAL, "").split(",") if word.strip()]
    for why in filter(None, map(placeholder, words)):
        problems.append(Problem(_ENVIRONMENT, ADDITIONAL, f"holds a placeholder, and no key: it {why}"))
    problems += [Problem(_ENVIRONMENT, ADDITIONAL, why) for why in map(unfit, words) if why]
    return attrs.evolve(config, api_keys=(*config.api_keys, *_added(words, config.api_keys))), problems, notices


def _added(words: Iterable[str], keys: tuple[ClientKey, ...]) -> Iterable[ClientKey]:
    known = {key.key for key in keys}
    fresh = (word for word in dict.fromkeys(words) if word not in known)
    return (ClientKey(word, f"additional-{position}") for position, word in enumerate(fresh, 1))


def _moved(config: Config, host: str | None, port: str | None, problems: list[Problem], notices: list[Notice]) -> Config:
    first, *others = config.listen
    place = listen.parse(first)
    names = " and ".join(name for name, value in (("HOST", host), ("PORT", port)) if value)
    if "port" not in listen.TYPES[place.type]:
        notices.append(Notice(_ENVIRONMENT, names, f"without effect on the listener '{first}'"))
        return config
    moved = str(place.moved(host, port))
    try:
        listen.parse(moved)
    except ValueError as error:
        problems.append(Problem(_ENVIRONMENT, names, str(error)))
        return config
    return attrs.evolve(config, listen=(moved, *others), listen_marks=(_ENVIRONMENT, *config.listen_marks[1:]))


def commanded(
    config: Config, listeners: Iterable[str], log_level: str | None, log_format: str | None
) -> tuple[Config, list[Problem]]:
    """The configuration with what was said on the command line."""
    listeners = tuple(listeners)
    problems = []
    for written in listeners:
        try:
            listen.parse(written)
        except ValueError as error:
            problems.append(Problem(_COMMAND_LINE, "--listen", str(error)))
    if log_level is not None and log_level not in LEVELS:
        problems.append(_one_of(_COMMAND_LINE, "--log-level", log_level, LEVELS))
    if log_format is not None and log_format not in FORMATS:
        problems.append(_one_of(_COMMAND_LINE, "--log-format", log_format, FORMATS))
    if problems:
        return config, problems
    log = attrs.evolve(
        config.log,
        level=LEVELS[log_level] if log_level else config.log.level,
        format=FORMATS[log_format] if log_format else config.log.format,
    )
    if listeners:
        config = attrs.evolve(config, listen=listeners, listen_marks=(_COMMAND_LINE,) * len(listeners))
    return attrs.evolve(config, log=log), []


def _one_of(where: Mark, name: str, word: str, words: Iterable[str]) -> Problem:
    words = tuple(words)
    return Problem(where, name, f"must be {listed(words)}, not '{word}'{suggestion(word, words)}")
