"""llmux's tests. They mirror the tree of the package; every one is a trial TestCase, which pytest runs too."""
