"""The floors of the house: an import points to the same floor or below, and the lowest floor touches nothing.

The rules stand as data at the top. They are read from the source with `ast`, so that an import inside a function or under
`if TYPE_CHECKING` counts like any other.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from pathlib import Path

import attrs
from twisted.trial.unittest import SynchronousTestCase

import llmux

PACKAGE = Path(llmux.__file__).parent

# Which floor a room stands on. What is named nowhere here is the process, the top floor.
FLOORS = {
    1: ("dialects", "routing", "amp", "scenario", "thinking", "headers", "jsonio", "errors"),
    2: ("config",),
    3: ("net", "executors", "resilience", "credentials", "metrics", "accesslog"),
    4: ("web",),
}
PROCESS = 5
FLOOR_OF = {room: floor for floor, rooms in FLOORS.items() for room in rooms}

# Floor 1 takes bytes and objects and gives bytes and objects: nothing to wait for, nothing to open, no clock, no chance.
EFFECTS = frozenset({
    "asyncio", "concurrent", "fcntl", "glob", "http.client", "http.server", "io.open", "klein", "logging", "multiprocessing",
    "os", "pathlib", "prometheus_client", "random", "secrets", "select", "shutil", "signal", "socket", "sqlite3", "ssl",
    "subprocess", "tempfile", "threading", "time", "treq", "twisted", "urllib.request", "uuid.uuid1", "uuid.uuid4",
})  # fmt: skip
EFFECT_CALLS = frozenset({"open", "print", "input", "exec", "eval", "breakpoint"})
EFFECT_METHODS = frozenset({"now", "today", "utcnow", "uuid1", "uuid4"})  # of datetime, date and uuid, which are fine as shapes

REACTOR = ("twisted.internet.reactor", "twisted.internet.default.install")
# Imports the global reactor behind one's back.
HIDDEN_REACTOR = "prometheus_client.twisted"
MAY_TOUCH_REACTOR = ("tap", "cli")


@attrs.frozen
class Import:
    """One name that a module imports: `name` is dotted, with the imported attribute at its end for `from … import …`."""

    name: str
    line: int


def imports(tree: ast.AST) -> Iterator[Import]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            prefix = "." * node.level + (node.module or "")
            for alias in node.names:
                yield Import(f"{prefix}.{alias.name}", node.lineno)


def below(name: str, names: frozenset[str] | tuple[str, ...]) -> bool:
    """Whether the dotted `name` is one of `names` or inside one of them."""
    parts = name.split(".")
    return any(".".join(parts[:length]) in names for length in range(1, len(parts) + 1))


def floor_of(room: str) -> int:
    return FLOOR_OF.get(room, PROCESS)


def judge(module: str, source: str) -> list[str]:
    """Every breach of the rules in one module; `module` is dotted, without the leading package name."""
    tree = ast.parse(source)
    room = module.split(".")[0]
    floor = floor_of(room)
    faults = []
    for found in imports(tree):
        target = found.name.split(".")
        if found.name.startswith("."):
            faults.append(f"{module}:{found.line}: relative import {found.name}")
        elif target[0] == "llmux" and len(target) > 1 and target[1] != "__version__" and floor_of(target[1]) > floor:
            faults.append(f"{module}:{found.line}: floor {floor} imports {found.name} of floor {floor_of(target[1])}")
        if floor == 1 and below(found.name, EFFECTS):
            faults.append(f"{module}:{found.line}: floor 1 imports {found.name}")
        if below(found.name, REACTOR) and room not in MAY_TOUCH_REACTOR:
            faults.append(f"{module}:{found.line}: imports the global reactor")
        if below(found.name, (HIDDEN_REACTOR,)):
            faults.append(f"{module}:{found.line}: {found.name} imports the global reactor")
    if floor == 1:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in EFFECT_CALLS:
                faults.append(f"{module}:{node.lineno}: floor 1 calls {node.func.id}()")
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in EFFECT_METHODS:
                faults.append(f"{module}:{node.lineno}: floor 1 calls {node.func.attr}()")
            elif isinstance(node, ast.AsyncFunctionDef | ast.Await):
                faults.append(f"{module}:{node.lineno}: floor 1 waits")
    return faults


def modules() -> Iterator[tuple[str, str]]:
    """Every module of the package but its root: dotted name and source."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        if parts:
            yield ".".join(parts), path.read_text(encoding="utf-8")


class FloorsTests(SynchronousTestCase):
    """The package as it stands."""

    def test_every_module_keeps_the_rules(self) -> None:
        faults = list(itertools.chain.from_iterable(judge(module, source) for module, source in modules()))
        self.assertEqual(faults, [], "\n" + "\n".join(faults))

    def test_all_rooms_of_the_lower_floors_are_seen(self) -> None:
        """A room that moved or was renamed must not fall to the top floor, where everything is allowed."""
        seen = {module.split(".")[0] for module, _ in modules()}
        self.assertEqual(FLOOR_OF.keys() - seen, set())

    def test_the_root_holds_the_version_only(self) -> None:
        """Whatever the root imports, every floor imports."""
        source = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
        self.assertEqual(list(imports(ast.parse(source))), [])


class JudgeTests(SynchronousTestCase):
    """The judge itself: a rule that cannot fail holds nothing."""

    def test_upward_import(self) -> None:
        for module, source in [
            ("headers", "from llmux.net import relay"),
            ("dialects.base", "from llmux import config"),
            ("config.reader", "import llmux.web.app"),
            ("net.agent", "def f():\n    from llmux.service import S"),
            ("web.app", "from llmux.runtime import Runtime"),
        ]:
            self.assertEqual(len(judge(module, source)), 1, (module, source))

    def test_same_floor_and_downward_import(self) -> None:
        for module, source in [
            ("dialects.base", "from llmux.errors import Fault"),
            ("config.reader", "from llmux.headers import x\nimport yaml"),
            ("service", "from llmux.web.app import app"),
            ("net.agent", "from llmux import __version__"),
        ]:
            self.assertEqual(judge(module, source), [], (module, source))

    def test_floor_one_touches_nothing(self) -> None:
        for source in [
            "import time",
            "from time import monotonic",
            "import datetime\ndatetime.datetime.now()",
            "import uuid\nuuid.uuid4()",
            "from twisted.python.failure import Failure",
            "import os.path",
            "import urllib.request",
            "open('x')",
            "async def f():\n    pass",
        ]:
            self.assertEqual(len(judge("amp.sanitize", source)), 1, source)
        self.assertEqual(judge("amp.sanitize", "import urllib.parse\nimport json\nfrom datetime import datetime"), [])

    def test_global_reactor(self) -> None:
        for source in ["from twisted.internet import reactor", "import twisted.internet.reactor"]:
            self.assertEqual(len(judge("net.agent", source)), 1, source)
            self.assertEqual(judge("tap", source), [])
            self.assertEqual(judge("cli.run", source), [])
        self.assertEqual(len(judge("metrics", "from prometheus_client.twisted import MetricsResource")), 1)

    def test_relative_import(self) -> None:
        self.assertEqual(len(judge("net.agent", "from . import relay")), 1)
