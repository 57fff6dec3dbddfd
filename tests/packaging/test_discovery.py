"""Twisted finds the plugin however llmux was installed, and finds it whole.

Every way is walked with real builds, installs and processes, in a bare environment that borrows this runner's libraries but
not its own install of llmux. Nothing is fetched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("llmux", "twisted", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md")
LISTED = "One daemon between LLM clients and LLM providers."
LITTER = shutil.ignore_patterns("__pycache__", "*.pyc", "dropin.cache", "*.egg-info")


def run(*command: str | Path, cwd: Path, python_path: str | None = None) -> str:
    """Run a command that must succeed and return what it printed."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environ |= {"PYTHONDONTWRITEBYTECODE": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "COLUMNS": "200"}
    if python_path is not None:
        environ["PYTHONPATH"] = python_path
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise AssertionError(f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


class DiscoveryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)
        self.elsewhere = self.folder / "elsewhere"
        self.elsewhere.mkdir()
        environment = self.folder / "environment"
        run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=self.folder)
        self.python = environment / "bin" / "python"
        site = run(self.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=self.elsewhere)
        # A plain path in a .pth is taken as it is: the .pth files in there, an editable llmux among them, stay unread.
        borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        (Path(site.strip()) / "borrowed.pth").write_text("\n".join(sorted(borrowed)) + "\n")

    def sources(self) -> Path:
        """A copy of the sources, for builds that leave something behind."""
        copy = self.folder / "sources"
        copy.mkdir()
        for name in SOURCES:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, copy / name, ignore=LITTER)
            else:
                shutil.copy(ROOT / name, copy)
        return copy

    def build(self, kind: str, sources: Path) -> Path:
        """Build a `wheel` or an `sdist` as any front end does and return its path."""
        target = self.folder / kind
        target.mkdir(exist_ok=True)
        code = f"import sys; from setuptools import build_meta; build_meta.build_{kind}(sys.argv[1])"
        run(sys.executable, "-c", code, target, cwd=sources)
        (built,) = target.iterdir()
        return built

    def install(self, *what: str | Path) -> None:
        options = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--no-compile")
        run(sys.executable, "-m", "pip", "--python", self.python, "install", *options, *what, cwd=self.elsewhere)

    def twistd(self, *arguments: str, cwd: Path, python_path: str | None = None) -> str:
        """The real `twistd` script, which does not put the current folder on the path, under the bare interpreter."""
        script = Path(sysconfig.get_path("scripts")) / "twistd"
        return run(self.python, script, *arguments, cwd=cwd, python_path=python_path)

    def test_nothing_installed(self) -> None:
        """The bare environment knows Twisted and no llmux: what the other tests find is what they put there."""
        listing = self.twistd("--help", cwd=self.elsewhere)
        self.assertIn("web", listing)
        self.assertNotIn("llmux", listing)

    def test_wheel(self) -> None:
        self.install(self.build("wheel", self.sources()))
        self.assertIn(LISTED, self.twistd("--help", cwd=self.elsewhere))
        self.assertIn(LISTED, run(self.python, "-m", "twisted", "--help", cwd=self.elsewhere))
        # the daemon's own options: its modules came with the wheel, and all that they import
        self.assertIn("--config", self.twistd("llmux", "--help", cwd=self.elsewhere))
        self.assertIn("check", run(self.python.parent / "llmux", "--help", cwd=self.elsewhere))

    def test_editable_install(self) -> None:
        self.install("--editable", self.sources())
        self.assertIn(LISTED, self.twistd("--help", cwd=self.elsewhere))
        self.assertIn(LISTED, run(self.python, "-m", "twisted", "--help", cwd=self.elsewhere))

    def test_checkout_with_python(self) -> None:
        self.assertIn(LISTED, run(self.python, "-m", "twisted", "--help", cwd=ROOT))

    def test_checkout_with_twistd(self) -> None:
        self.assertIn(LISTED, self.twistd("--help", cwd=ROOT, python_path="."))

    def test_the_source_archive_builds_the_same_wheel(self) -> None:
        sources = self.sources()
        expected = {
            str(path.relative_to(sources))
            for path in (sources / "llmux").rglob("*")
            if path.suffix in (".py", ".yaml") or path.name == "py.typed"
        } | {"twisted/plugins/llmux_plugin.py"}
        options = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation")
        wheels = self.folder / "wheels"
        run(sys.executable, "-m", "pip", "wheel", *options, "-w", wheels, self.build("sdist", sources), cwd=self.elsewhere)
        (built,) = wheels.iterdir()
        with zipfile.ZipFile(built) as wheel:
            packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
        self.assertEqual(packed, expected)

    def test_listing_plugins_loads_no_daemon(self) -> None:
        """twistd imports every plugin whenever it lists them, before it has chosen a reactor."""
        code = "import sys, twisted.plugins.llmux_plugin; print([m for m in sys.modules if m in sys.argv[1:] or 'llmux.' in m])"
        loaded = run(self.python, "-c", code, "twisted.internet.reactor", "klein", "treq", cwd=ROOT)
        self.assertEqual(loaded.strip(), "[]")
