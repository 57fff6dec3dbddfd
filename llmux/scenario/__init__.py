"""Scenarios: scripted conversations in the Scenario-Format, which the playback executor performs as a provider would."""
