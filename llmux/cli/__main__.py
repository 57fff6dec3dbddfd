"""`python -m llmux.cli`."""

from __future__ import annotations

from llmux.cli import main

main()
