"""The package's bill of materials: what was installed into its virtual environment, as CycloneDX JSON.

    python scripts/sbom.py --package NAME=VERSION --arch ARCH --distro DISTRO REPORT SITE OUT

REPORT is what `pip install --report` wrote: which wheel each distribution came from, and its hash. SITE is the folder they were
installed into: names, licences and needs stand in their metadata there, and some wheels with native code bring lists of their own
(`*.dist-info/sboms`, PEP 770), which are taken over. The same input gives the same bytes: the time is SOURCE_DATE_EPOCH.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path
from typing import Any

import attrs
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.contrib.this.builders import this_component
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot7
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# Licences of the distributions that still name theirs by classifier alone.
CLASSIFIERS = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: MIT License": "MIT",
}


@attrs.frozen
class Wheel:
    """What a distribution was installed from."""

    file: str
    sha256: str


def wheels(report: dict[str, Any]) -> dict[str, Wheel]:
    """The wheels in pip's report, by the canonical name of their distribution."""
    found: dict[str, Wheel] = {}
    for row in report["install"]:
        download = row["download_info"]
        # The oldest pip that is served writes no `hashes`; the newest still writes `hash`.
        kind, _, value = download["archive_info"]["hash"].partition("=")
        if kind != "sha256":
            raise ValueError(f"{download['url']} was checked by {kind}")
        found[canonicalize_name(row["metadata"]["name"])] = Wheel(download["url"].rpartition("/")[2], value)
    return found


def said(installed: Distribution, field: str) -> str | None:
    """A field of a distribution's metadata."""
    return next(iter(installed.metadata.get_all(field) or []), None)


def licence(installed: Distribution) -> str | None:
    """The licence that a distribution names, as an SPDX expression where it can be had."""
    if expression := said(installed, "License-Expression"):
        return expression
    for classifier in installed.metadata.get_all("Classifier") or []:
        if classifier in CLASSIFIERS:
            return CLASSIFIERS[classifier]
    return said(installed, "License")


def needs(installed: Distribution, extras: Iterable[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """What a distribution needs here, with the extras that it asks for."""
    for text in installed.requires or []:
        one = Requirement(text)
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield canonicalize_name(one.name), frozenset(one.extras)


def python_component(name: str, installed: Distribution, wheel: Wheel) -> Component:
    """A distribution from a wheel."""
    purl = PackageURL("pypi", name=name, version=installed.version)
    named = licence(installed)
    return Component(
        name=installed.metadata["Name"],
        version=installed.version,
        description=said(installed, "Summary"),
        bom_ref=str(purl),
        purl=purl,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=wheel.sha256)],
        licenses=[LicenseFactory().make_from_string(named)] if named else [],
        properties=[Property(name="llmux:wheel", value=wheel.file)],
    )


class Materials:
    """The bill as it grows."""

    def __init__(self, root: Component) -> None:
        self.bom = Bom()
        self.bom.metadata.component = root
        self.bom.metadata.tools.components.add(this_component())

    def install(self, site: Path, origins: dict[str, Wheel]) -> None:
        """Add everything in `site`, from what llmux itself needs downwards. Raises LookupError for what should not be there, or
        should."""
        folders = {one: PathDistribution(one) for one in sorted(site.glob("*.dist-info"))}
        installed: dict[str, Distribution] = {canonicalize_name(one.metadata["Name"]): one for one in folders.values()}
        root = self.bom.metadata.component
        assert root is not None
        components = {name: python_component(name, one, origins[name]) for name, one in installed.items() if name != root.name}
        graph: dict[str, set[str]] = {}
        todo: list[tuple[str, frozenset[str]]] = [(root.name, frozenset())]
        done: set[tuple[str, frozenset[str]]] = set()
        while todo:
            name, extras = todo.pop()
            needed = set(needs(installed[name], extras))
            graph.setdefault(name, set()).update(other for other, _ in needed)
            done.add((name, extras))
            todo += needed - done
        if unasked := components.keys() - graph.keys():
            raise LookupError(f"nobody asks for {', '.join(sorted(unasked))}")
        self.bom.components.update(components.values())
        for folder, one in folders.items():
            for bill in lists(folder):
                self.embed(components[canonicalize_name(one.metadata["Name"])], bill)
        components[root.name] = root
        for name, others in graph.items():
            self.bom.register_dependency(components[name], [components[other] for other in others])

    def embed(self, holder: Component, bill: Bom) -> None:
        """Add what a wheel's own list says is inside its native code, and leave out what only built it."""
        inner = {one.bom_ref.value: inside(holder, one) for one in bill.components if one.scope is not ComponentScope.EXCLUDED}
        edges = {
            one.ref.value: [inner[other.ref.value] for other in one.dependencies if other.ref.value in inner]
            for one in bill.dependencies
        }
        # The wheel takes the place of its list's own subject, and holds what the list hangs on nothing.
        subject = bill.metadata.component
        direct = edges.get(subject.bom_ref.value, []) if subject else []
        hung = {target.bom_ref for ref in inner for target in edges.get(ref, [])}
        self.bom.components.update(inner.values())
        self.bom.register_dependency(holder, [*direct, *(one for one in inner.values() if one.bom_ref not in hung)])
        for ref, one in inner.items():
            self.bom.register_dependency(one, edges.get(ref, []))

    def written(self, when: datetime) -> str:
        """The bill as JSON. Raises ValueError where it is not what the schema asks for."""
        root = self.bom.metadata.component
        assert root is not None
        self.bom.metadata.timestamp = when
        self.bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, str(root.purl))
        text: str = JsonV1Dot7(self.bom).output_as_string(indent=2)
        if error := JsonStrictValidator(SchemaVersion.V1_7).validate_str(text):
            raise ValueError(str(error))
        return text + "\n"


def inside(holder: Component, one: Component) -> Component:
    """A component of a wheel's own list, under a name that no other list uses.

    Where a crate is the wheel's own source, its list says so with a path of the machine that built it: that tells nobody
    anything.
    """
    purl = one.purl
    assert purl is not None
    qualifiers = {key: value for key, value in dict(purl.qualifiers).items() if not str(value).startswith("file:")}
    purl = PackageURL(purl.type, purl.namespace, purl.name, purl.version, qualifiers, purl.subpath)
    return Component(
        name=one.name,
        version=one.version,
        type=one.type,
        description=one.description,
        bom_ref=f"{holder.bom_ref.value}#{purl.type}/{one.name}@{one.version}",
        purl=purl,
        hashes=one.hashes,
        licenses=one.licenses,
    )


def lists(folder: Path) -> Iterator[Bom]:
    """The CycloneDX lists in a `.dist-info` folder."""
    for file in sorted(folder.glob("sboms/*.json")):
        document = json.loads(file.read_text(encoding="utf-8"))
        if document.get("bomFormat") == "CycloneDX":
            yield Bom.from_json(document)  # type: ignore[attr-defined]  # put there by a decorator


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description="Write the bill of materials of a virtual environment.")
    parser.add_argument("--package", required=True, metavar="NAME=VERSION")
    parser.add_argument("--arch", required=True)
    parser.add_argument("--distro", required=True)
    parser.add_argument("report", type=Path)
    parser.add_argument("site", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args(arguments)
    name, _, version = options.package.partition("=")
    purl = PackageURL("deb", name, name, version, {"arch": options.arch, "distro": options.distro})
    root = Component(
        name=name,
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref=str(purl),
        purl=purl,
        licenses=[LicenseFactory().make_from_string("MIT")],
    )
    materials = Materials(root)
    materials.install(options.site, wheels(json.loads(options.report.read_text(encoding="utf-8"))))
    when = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC)
    options.out.write_text(materials.written(when), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
