"""The credentials that llmux holds for others' services."""
