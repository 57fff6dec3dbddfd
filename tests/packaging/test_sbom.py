"""The bill of materials says what is in a folder of installed distributions, and CycloneDX's own validator takes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).resolve().parents[2]
EPOCH = "1790000000"
ME = "pkg:deb/llmux/llmux@1.2-1?arch=amd64&distro=debian-12"
INNER = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.5",
    "version": 1,
    "metadata": {"component": {"type": "library", "bom-ref": "path+file:///build/x", "name": "x", "version": "2"}},
    "components": [
        {"type": "library", "bom-ref": "ssl", "name": "ssl", "version": "4", "purl": "pkg:generic/ssl@4"},
        {"type": "library", "bom-ref": "own", "name": "own", "version": "2", "purl": "pkg:cargo/own@2?download_url=file://own"},
        {"type": "library", "bom-ref": "deep", "name": "deep", "version": "3", "purl": "pkg:cargo/deep@3"},
        {"type": "library", "bom-ref": "cc", "name": "cc", "version": "1", "purl": "pkg:cargo/cc@1", "scope": "excluded"},
    ],
    "dependencies": [
        {"ref": "path+file:///build/x", "dependsOn": ["own", "cc"]},
        {"ref": "own", "dependsOn": ["deep"]},
    ],
}


class MaterialsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.site = Path(self.mktemp()).absolute()
        self.site.mkdir(parents=True)
        self.report: dict[str, Any] = {"install": []}
        self.install("llmux", "1.2", "Requires-Dist: Some.Native[fast]", 'Requires-Dist: absent; python_version < "3"')
        native = self.install(
            "Some_Native",
            "2",
            "License-Expression: MIT OR Apache-2.0",
            'Requires-Dist: plain; extra == "fast"',
            "Provides-Extra: fast",
        )
        (native / "sboms").mkdir()
        (native / "sboms" / "inner.json").write_text(json.dumps(INNER))
        (native / "sboms" / "other.json").write_text('{"spdxVersion": "SPDX-2.3"}')
        self.install("plain", "0.9", "License: see LICENSE", "Classifier: License :: OSI Approved :: MIT License")

    def install(self, name: str, version: str, *fields: str) -> Path:
        """Put a distribution there, and into pip's report."""
        folder = self.site / f"{name}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(
            "\n".join(["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *fields]) + "\n"
        )
        archive = {"hash": f"sha256={len(self.report['install']):064x}"}
        download = {"url": f"file:///somewhere/{name}-{version}-py3-none-any.whl", "archive_info": archive}
        self.report["install"].append({"metadata": {"name": name, "version": version}, "download_info": download})
        return folder

    def run_script(self) -> subprocess.CompletedProcess[str]:
        report, self.out = self.site / "report.json", self.site / "out.json"
        report.write_text(json.dumps(self.report))
        command = [sys.executable, str(ROOT / "scripts" / "sbom.py"), "--package", "llmux=1.2-1", "--arch", "amd64"]
        command += ["--distro", "debian-12", str(report), str(self.site), str(self.out)]
        environ = os.environ | {"SOURCE_DATE_EPOCH": EPOCH}
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)

    def bill(self) -> dict[str, Any]:
        """What it wrote; that the schema takes it is the script's own condition."""
        done = self.run_script()
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        return dict(json.loads(self.out.read_text()))

    def test_distributions(self) -> None:
        bill = self.bill()
        self.assertEqual((bill["specVersion"], bill["metadata"]["component"]["bom-ref"]), ("1.7", ME))
        self.assertEqual(bill["metadata"]["timestamp"], "2026-09-21T14:13:20+00:00")
        components = {one["bom-ref"]: one for one in bill["components"]}
        native, plain = components["pkg:pypi/some-native@2"], components["pkg:pypi/plain@0.9"]
        self.assertEqual(native["hashes"], [{"alg": "SHA-256", "content": f"{1:064x}"}])
        self.assertEqual(native["licenses"], [{"expression": "MIT OR Apache-2.0"}])
        self.assertEqual(native["properties"], [{"name": "llmux:wheel", "value": "Some_Native-2-py3-none-any.whl"}])
        self.assertEqual(plain["licenses"], [{"license": {"id": "MIT"}}])
        needs = {row["ref"]: row.get("dependsOn", []) for row in bill["dependencies"]}
        self.assertEqual(needs[ME], ["pkg:pypi/some-native@2"])
        self.assertIn("pkg:pypi/plain@0.9", needs["pkg:pypi/some-native@2"])

    def test_native_code(self) -> None:
        """A wheel's own list hangs on the wheel, without what only built it and without the paths of whoever did."""
        bill = self.bill()
        inner = {one["bom-ref"]: one["purl"] for one in bill["components"] if "#" in one["bom-ref"]}
        wheel = "pkg:pypi/some-native@2"
        ssl, own, deep = f"{wheel}#generic/ssl@4", f"{wheel}#cargo/own@2", f"{wheel}#cargo/deep@3"
        self.assertEqual(inner, {ssl: "pkg:generic/ssl@4", own: "pkg:cargo/own@2", deep: "pkg:cargo/deep@3"})
        needs = {row["ref"]: row.get("dependsOn", []) for row in bill["dependencies"]}
        self.assertEqual(needs[wheel], ["pkg:pypi/plain@0.9", own, ssl])
        self.assertEqual(needs[own], [deep])

    def test_the_same_bytes(self) -> None:
        self.bill()
        first = self.out.read_bytes()
        self.bill()
        self.assertEqual(self.out.read_bytes(), first)

    def test_what_nobody_asked_for(self) -> None:
        self.install("stray", "1")
        done = self.run_script()
        self.assertIn("nobody asks for stray", done.stderr)
        self.assertEqual(done.returncode, 1)
