"""Whoever performs an attempt: a provider over HTTP, the Amp upstream, a scenario."""
