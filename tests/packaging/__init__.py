"""How llmux is built, installed and found."""
