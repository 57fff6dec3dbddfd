from twisted.trial.unittest import SynchronousTestCase

from llmux.config.env import Unset, expand


class Expansion(SynchronousTestCase):
    def test_variables_stand_anywhere(self) -> None:
        self.assertEqual(expand("a-${X}-${Y}", {"X": "1", "Y": "2"}), "a-1-2")

    def test_a_default_fills_in_for_what_is_not_set_or_empty(self) -> None:
        for environ in ({}, {"X": ""}):
            self.assertEqual(expand("${X:-eight}", environ), "eight")
            self.assertEqual(expand("${X:-}", environ), "")
        self.assertEqual(expand("${X:-eight}", {"X": "9"}), "9")

    def test_a_variable_that_is_not_set_or_empty_is_named(self) -> None:
        for environ in ({}, {"X": ""}):
            error = self.assertRaises(Unset, expand, "a ${X}", environ)
            self.assertEqual((error.name, str(error)), ("X", "environment variable X is not set"))

    def test_two_dollars_are_one_and_a_lone_one_is_itself(self) -> None:
        self.assertEqual(expand("$$ $${X} $ $X a$", {}), "$ ${X} $ $X a$")

    def test_what_a_variable_holds_is_not_expanded_again(self) -> None:
        self.assertEqual(expand("${X}", {"X": "${Y} $$"}), "${Y} $$")

    def test_what_is_no_reference_is_refused_without_repeating_it(self) -> None:
        for text in ("${}", "${1A}", "${s3cr3t-s3cr3t}", "${s3cr3t x}"):
            error = self.assertRaises(ValueError, expand, text, {})
            self.assertEqual(str(error), "'${...}' must hold the name of a variable; write '$$' for a dollar sign")

    def test_an_open_brace_is_refused(self) -> None:
        error = self.assertRaises(ValueError, expand, "a ${X", {"X": "1"})
        self.assertEqual(str(error), "'${' is never closed; write '$$' for a dollar sign")
