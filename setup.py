"""What llmux is made of and what it needs. Exact versions stand in requirements*.lock; here stand the ranges that work."""

import ast
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent


def version() -> str:
    """Read `__version__` from the source: importing llmux would ask for what is not installed yet."""
    for node in ast.parse((HERE / "llmux" / "__init__.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__version__":
            return str(ast.literal_eval(node.value))
    raise SystemExit("llmux/__init__.py holds no __version__")


RUN = [
    # 26.10 refuses a bare CR in headers, joins WebSocket fragments rightly and lets a port set SO_REUSEPORT
    "twisted[tls]>=26.10",
    # the releases made for today's Twisted and cookie handling
    "treq>=24.9",
    # the first release that runs on Python 3.13
    "klein>=24.8",
    # the first release with wheels for Python 3.12; 7 may change what plain scalars mean
    "pyyaml>=6.0.1,<7",
    # the content negotiation of `choose_encoder`
    "prometheus-client>=0.20",
    # the `attrs` name space with `frozen` and `define`, typed
    "attrs>=23.2",
    # the first 3.x with wheels for Python 3.13
    "orjson>=3.10.7,<4",
    # the first release with wheels for Python 3.13; below 1.0 a minor release may break
    "msgspec>=0.19,<1",
    # the llhttp parser with today's strictness and wheels for Python 3.13
    "httptools>=0.6.2,<1",
]

TEST = [
    # the second runner of the same TestCases
    "pytest>=8",
    # 1.14 runs on today's Twisted and pytest
    "pytest-twisted>=1.14",
    # byte-by-byte and round-trip properties of the decoders
    "hypothesis>=6.100",
    # the official clients, exact: the tests say with which release each dialect was proved
    "openai==3.52.0",
    "anthropic==2.11.0",
    "google-genai==3.4.0",
    # builds the wheel and the editable install whose plugin discovery is tested
    "setuptools>=77",
]

DEV = [
    # strict typing; mypy-zope knows zope.interface, which Twisted is typed with
    "mypy>=1.18",
    "mypy-zope>=1.0.14",
    # linter; its rules are in pyproject.toml
    "ruff>=0.14",
    # PyYAML carries no types of its own
    "types-PyYAML>=6.0.12",
]

setup(
    name="llmux",
    version=version(),
    description="One daemon between LLM clients and LLM providers",
    license="MIT",
    license_files=["LICENSE"],
    author="The llmux authors",
    python_requires=">=3.11",
    packages=[*find_packages(include=["llmux", "llmux.*"]), "twisted.plugins"],
    # Without this line an editable install maps modules by name, and Twisted, which scans sys.path, misses the plugin.
    package_dir={"": "."},
    package_data={"llmux": ["py.typed", "scenarios/*.yaml"]},
    install_requires=RUN,
    extras_require={"test": TEST, "dev": DEV},
    entry_points={"console_scripts": ["llmux = llmux.cli:main"]},
    zip_safe=False,
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Environment :: No Input/Output (Daemon)",
        "Framework :: Twisted",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Internet :: Proxy Servers",
    ],
)
