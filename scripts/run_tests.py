"""Run the tests under both runners, trial and pytest, and hold them against each other.

A TestCase that only one of them finds is a test that somebody believes is running: a bare function (trial passes over it) or a
folder without `__init__.py` (trial again) must not go unseen. The last line is the plain count that a CI reads.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TextIO
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent

# What trial's summary calls the outcomes, and which of them are failures.
TRIAL_WORDS = {"successes": "passed", "expectedFailures": "passed", "skips": "skipped", "failures": "failed", "errors": "failed"}
TRIAL_WORDS["unexpectedSuccesses"] = "failed"


def stream(command: list[str], show: TextIO) -> tuple[int, str]:
    """Run `command`, show its output as it comes, and return its exit code and that output."""
    print("$", " ".join(["python", *command[1:]]), file=show, flush=True)
    lines: list[str] = []
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            show.write(line)
            show.flush()
            lines.append(line)
    return process.returncode, "".join(lines)


def trial(scratch: Path, show: TextIO) -> tuple[int, Counter[str]]:
    """Trial's exit code and outcomes, read from its closing lines."""
    folder = scratch / "trial"
    code, output = stream([sys.executable, "-m", "twisted.trial", "--reporter=text", f"--temp-directory={folder}", "tests"], show)
    ran = re.findall(r"^Ran (\d+) tests? in ", output, re.MULTILINE)
    summary = re.findall(r"^(?:PASSED|FAILED)(?: \((.*)\))?$", output, re.MULTILINE)
    outcomes: Counter[str] = Counter()
    if ran and summary:
        for word, number in re.findall(r"(\w+)=(\d+)", summary[-1]):
            outcomes[TRIAL_WORDS[word]] += int(number)
        outcomes["ran"] = int(ran[-1])
    return code, outcomes


def pytest(scratch: Path, show: TextIO) -> tuple[int, Counter[str]]:
    """pytest's exit code and outcomes, read from its JUnit report."""
    report = scratch / "pytest.xml"
    code, _ = stream([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"], show)
    outcomes: Counter[str] = Counter()
    if report.exists():
        for suite in ElementTree.parse(report).getroot().iter("testsuite"):
            skipped = int(suite.get("skipped", 0))
            failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            ran = int(suite.get("tests", 0))
            outcomes.update(ran=ran, skipped=skipped, failed=failed, passed=ran - skipped - failed)
    return code, outcomes


def trial_names() -> set[str]:
    """Every test that trial finds."""
    code = (
        "import sys; sys.path.insert(0, '.')\n"
        "from twisted.trial.runner import TestLoader\n"
        "from twisted.trial._asyncrunner import _iterateTests\n"
        "for test in _iterateTests(TestLoader().loadByName('tests', recurse=True)): print(test.id())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    return set(done.stdout.split())


def pytest_names() -> set[str]:
    """Every test that pytest finds, spelled as trial spells it."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-o", "addopts=", "-p", "no:cacheprovider"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = (line for line in done.stdout.splitlines() if "::" in line)
    return {line.replace(".py::", ".").replace("::", ".").replace("/", ".") for line in found}


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="llmux-tests-") as folder:
        # Side by side, since both wait more than they work; what the second one says is shown when the first one is done.
        with ThreadPoolExecutor() as side:
            later = io.StringIO()
            second = side.submit(pytest, Path(folder), later)
            trial_code, under_trial = trial(Path(folder), sys.stdout)
            pytest_code, under_pytest = second.result()
        print(later.getvalue())
    same = under_trial["ran"] == under_pytest["ran"] and under_trial["skipped"] == under_pytest["skipped"]
    for name, outcomes in (("trial", under_trial), ("pytest", under_pytest)):
        parts = ", ".join(f"{outcomes[word]} {word}" for word in ("passed", "failed", "skipped"))
        print(f"{name}: {outcomes['ran']} tests, {parts}")
    if not same:
        print("the two runners did not run the same tests")
        in_trial, in_pytest = trial_names(), pytest_names()
        for name in sorted(in_trial - in_pytest):
            print(f"  only trial finds {name}")
        for name in sorted(in_pytest - in_trial):
            print(f"  only pytest finds {name}")
    if not under_trial["ran"]:
        print("no test ran")
    failed = max(under_trial["failed"], under_pytest["failed"])
    good = same and bool(under_trial["ran"]) and not trial_code and not pytest_code and not failed
    if not good and not failed:
        failed = 1  # the comparison itself, or a runner that broke down: never a green line over a red run
    passed = min(under_trial["passed"], under_pytest["passed"])
    skipped = max(under_trial["skipped"], under_pytest["skipped"])
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
