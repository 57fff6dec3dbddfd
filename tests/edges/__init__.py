"""Odd inputs on which gateways have failed, one test each. The number in a test's name is the case's."""
