"""Who answers, and why. Pure: a table and facts in, a decision out."""
