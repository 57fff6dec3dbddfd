from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.amp.reading import found_text, markdown
from llmux.amp.threads import Thread, Threads


def kept(**members: object) -> Thread:
    threads = Threads(10, 1_000_000)
    document: dict[str, Any] = {"id": "T-1", "v": 1, "created": 1_769_000_000_000, **members}
    threads.put("laptop", document, 0.0)
    thread = threads.get("laptop", "T-1")
    assert thread is not None
    return thread


def message(role: str, *content: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, "content": list(content)}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


class Markdown(SynchronousTestCase):
    def test_a_conversation_reads_from_top_to_bottom(self) -> None:
        thread = kept(
            title="Read a\nfile",
            messages=[
                message("user", text("What is in it?")),
                message(
                    "assistant",
                    {"type": "thinking", "thinking": "hm"},
                    text("I look."),
                    {"type": "tool_use", "id": "t1", "name": "Read", "input": {"path": "a.txt"}},
                ),
                message("user", {"type": "tool_result", "toolUseID": "t1", "run": {"status": "done", "result": "42"}}),
                message("assistant", text("It holds 42.")),
            ],
        )
        self.assertEqual(
            markdown(thread),
            "---\ntitle: Read a file\nthreadId: T-1\ncreated: 2026-01-21T12:53:20.000Z\n---\n\n"
            "# Read a file\n\n"
            "## User\n\nWhat is in it?\n\n"
            '## Assistant\n\nI look.\n\n**Tool Use:** `Read`\n\n```\n{\n  "path": "a.txt"\n}\n```\n\n'
            "## User\n\n**Tool Result:** `t1`\n\n```\n42\n```\n\n"
            "## Assistant\n\nIt holds 42.\n",
        )

    def test_a_thread_without_title_or_messages_is_a_front_matter(self) -> None:
        self.assertEqual(markdown(kept()), "---\nthreadId: T-1\ncreated: 2026-01-21T12:53:20.000Z\n---\n")

    def test_a_result_with_fences_stays_inside_its_own(self) -> None:
        result = {"type": "tool_result", "toolUseID": "t1", "run": {"result": "```\ncode\n```"}}
        self.assertIn("````\n```\ncode\n```\n````", markdown(kept(messages=[message("user", result)])))

    def test_long_results_are_cut_on_request_only(self) -> None:
        result = {"type": "tool_result", "toolUseID": "t1", "run": {"error": {"message": "x" * 5000}}}
        thread = kept(messages=[message("user", result)])
        self.assertIn("x" * 5000, markdown(thread))
        short = markdown(thread, short=True)
        self.assertNotIn("x" * 2001, short)
        self.assertIn("characters left out]", short)


class Search(SynchronousTestCase):
    def setUp(self) -> None:
        self.thread = kept(title="Fix Überlauf", messages=[message("user", text('the "parser" broke on C:\\temp'))])

    def test_every_term_must_occur_in_title_or_text(self) -> None:
        for terms in (["fix"], ["PARSER", "fix"], ["überlauf"], ['"parser"'], ["c:\\temp"], []):
            self.assertIsNotNone(found_text(self.thread, terms), terms)
        for terms in (["absent"], ["fix", "absent"]):
            self.assertIsNone(found_text(self.thread, terms), terms)

    def test_the_words_of_the_format_are_not_found(self) -> None:
        for term in ("role", "messages", "created"):
            self.assertIsNone(found_text(self.thread, [term]), term)

    def test_the_surroundings_are_shown_on_one_line(self) -> None:
        thread = kept(messages=[message("user", text("a" * 500 + "\nneedle\n" + "b" * 500))])
        found = found_text(thread, ["needle"])
        assert found is not None
        self.assertIn("a needle b", found)
        self.assertLess(len(found), 200)
