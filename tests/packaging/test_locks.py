"""The lock files: they hold what setup.py asks for, agree with each other, and are whole on every Python that llmux serves."""

from __future__ import annotations

import ast
import re
from importlib import metadata
from pathlib import Path

import attrs
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.11", "3.12", "3.13")
LOCKS = ("requirements.lock", "requirements-build.lock", "requirements-package.lock", "requirements-test.lock")
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[a-z,-]+\])?==(?P<version>[^ \\]+) \\$")


@attrs.frozen
class Pin:
    version: str
    hashes: frozenset[str]


def read(name: str) -> dict[str, Pin]:
    """The pins of one lock file, by canonical name. Every line must be a pin, a hash or a comment."""
    pins: dict[str, Pin] = {}
    current = ""
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if found := PIN.match(line):
            current = canonicalize_name(found["name"])
            pins[current] = Pin(found["version"], frozenset())
        elif text.startswith("--hash="):
            pin = pins[current]
            pins[current] = attrs.evolve(pin, hashes=pin.hashes | {text.removeprefix("--hash=").rstrip(" \\")})
        elif text and not text.startswith("#"):
            raise AssertionError(f"{name}: what is {line!r}?")
    return pins


def asked(*lists: str) -> list[str]:
    """The requirements that setup.py writes in the lists of those names."""
    found: list[str] = []
    for node in ast.parse((ROOT / "setup.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in lists:
            found += ast.literal_eval(node.value)
    return found


def listed(name: str) -> list[str]:
    """The requirements in a file that lists them line by line."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def needed(requirements: list[str], extras: frozenset[str], python: str) -> list[Requirement]:
    """Which of a distribution's requirements count on Linux under that Python, with those of its extras."""
    base = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux", "platform_system": "Linux",
            "os_name": "posix", "implementation_name": "cpython", "platform_python_implementation": "CPython"}  # fmt: skip
    found = []
    for text in requirements:
        one = Requirement(text)
        if one.marker is None or any(one.marker.evaluate({**base, "extra": extra}) for extra in ("", *extras)):
            found.append(one)
    return found


def missing(pins: dict[str, Pin], wanted: list[str], python: str) -> list[str]:
    """Walk from what is wanted through everything it needs and name what the pins lack or contradict."""
    faults: list[str] = []
    todo = [("llmux", one) for one in needed(wanted, frozenset(), python)]
    done: set[tuple[str, frozenset[str]]] = set()
    while todo:
        asker, one = todo.pop()
        name, extras = canonicalize_name(one.name), frozenset(one.extras)
        if name not in pins:
            faults.append(f"{asker} needs {one} under Python {python}")
        elif not one.specifier.contains(Version(pins[name].version), prereleases=True):
            faults.append(f"{asker} needs {one}, locked is {pins[name].version}")
        elif (name, extras) not in done:
            done.add((name, extras))
            todo += [(name, further) for further in needed(metadata.requires(name) or [], extras, python)]
    return faults


class LockTests(SynchronousTestCase):
    def test_whole_on_every_python(self) -> None:
        for python in PYTHONS:
            self.assertEqual(missing(read("requirements.lock"), asked("RUN"), python), [])
            package = listed("requirements-package.in")
            self.assertEqual(missing(read("requirements-package.lock"), package, python), [])
            self.assertEqual(missing(read("requirements-test.lock"), [*asked("RUN", "TEST", "DEV"), *package], python), [])

    def test_a_lack_is_seen(self) -> None:
        pins = {"twisted": Pin("26.10.0", frozenset())}
        self.assertIn("twisted needs zope-interface", " ".join(missing(pins, ["twisted"], "3.11")))
        self.assertIn("locked is 26.10.0", " ".join(missing(pins, ["twisted>=99"], "3.11")))

    def test_tests_run_on_the_pins_that_are_shipped(self) -> None:
        tests = read("requirements-test.lock")
        for name in LOCKS[:-1]:
            for package, pin in read(name).items():
                self.assertEqual(tests.get(package), pin, f"{package} of {name}")

    def test_the_environment_is_the_locked_one(self) -> None:
        """The runner's own packages, so that what passes here is what is shipped."""
        for package, pin in read("requirements.lock").items():
            self.assertEqual(metadata.version(package), pin.version, package)

    def test_every_pin_has_hashes(self) -> None:
        for name in LOCKS:
            for package, pin in read(name).items():
                self.assertTrue(pin.hashes, package)
                self.assertTrue(all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in pin.hashes), package)

    def test_names_no_place(self) -> None:
        """No index, no folder: whoever installs decides where from."""
        for name in LOCKS:
            text = (ROOT / name).read_text(encoding="utf-8")
            for place in (r"://", r"--(extra-)?index", r"--find-links", r"--trusted-host", r"(?m)(^|\s|=)[./]*/"):
                self.assertIsNone(re.search(place, text), f"{place} in {name}")
