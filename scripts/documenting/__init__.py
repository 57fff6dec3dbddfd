"""Makes the manual pages, the shell completions and the annotated configuration out of what llmux itself knows."""
