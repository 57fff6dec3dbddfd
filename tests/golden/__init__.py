"""Golden cases: what a client asks and is told, said in every dialect that can say it.

Each YAML file is one case. The same thing stands there once for each dialect, in the form in which llmux writes it, and the
runner tries every pair of a client and a provider.
"""
