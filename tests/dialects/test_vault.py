from __future__ import annotations

import msgspec
from twisted.trial.unittest import TestCase

from llmux.dialects import vault
from llmux.dialects.neutral import (
    Choice,
    Finish,
    Item,
    Message,
    OutputItem,
    Reasoning,
    Request,
    Response,
    Seal,
    Segment,
    Text,
    ToolCall,
    ToolResult,
)
from llmux.dialects.vault import Vault

SEAL = Seal("anthropic", "signature", "sig")
THOUGHT = Reasoning((Segment("full", "hm"),), (SEAL,))
WORDS = Message("assistant", (Text("I look."),))
CALL = ToolCall("call_1", "read", '{"path":"a", "n":1}')
USER = Message("user", (Text("go"),))
RESULT = ToolResult("call_1", None, (Text("x"),), turn=2)


def answer(*items: OutputItem) -> Response:
    return Response("r", "m", 0, (Choice(items, Finish("stop")),), None)


def request(*items: Item) -> Request:
    return Request(items)


class VaultTests(TestCase):
    """What clients strip is found again."""

    def setUp(self) -> None:
        self.now = 1000.0
        self.vault = Vault(lambda: self.now)
        self.shelf = self.vault.shelf(b"laptop")

    def restored(self, *items: Item, family: str = "anthropic", owner: bytes = b"laptop") -> list[Item]:
        asked = request(*items)
        return list(self.vault.shelf(owner).restore(asked, family).items)

    def test_by_call_id(self) -> None:
        self.shelf.keep(answer(THOUGHT, WORDS, CALL))
        sent = msgspec.structs.replace(CALL, turn=1, at="/messages/1")
        other = Message("assistant", (Text("I look!"),), turn=1)
        self.assertEqual(
            self.restored(USER, other, sent, RESULT),
            [USER, msgspec.structs.replace(THOUGHT, turn=1), other, sent, RESULT],
        )

    def test_by_what_was_visible(self) -> None:
        """The client made ids of its own, and wrote the arguments in its own way."""
        self.shelf.keep(answer(THOUGHT, WORDS, CALL))
        words = msgspec.structs.replace(WORDS, turn=1)
        sent = ToolCall("toolu_own", "read", '{"n":1,"path":"a"}', turn=1)
        self.assertEqual(self.restored(USER, words, sent), [USER, msgspec.structs.replace(THOUGHT, turn=1), words, sent])

    def test_order_of_what_was_told(self) -> None:
        second = Reasoning((Segment("full", "so"),), (Seal("anthropic", "signature", "2"),))
        self.shelf.keep(answer(THOUGHT, CALL, second, WORDS))
        self.assertEqual(self.restored(WORDS, CALL), [THOUGHT, CALL, second, WORDS])

    def test_seals_on_calls_and_texts(self) -> None:
        own = (Seal("gemini", "thought_signature", "t"),)
        sealed = msgspec.structs.replace(CALL, seals=own)
        said = Message("assistant", (Text("I look.", seals=own),))
        self.shelf.keep(answer(said, sealed))
        self.assertEqual(self.restored(WORDS, CALL, family="gemini"), [said, sealed])
        self.assertEqual(self.restored(CALL, family="gemini"), [sealed], "the text is gone, the call is not")

    def test_what_the_client_kept_stands(self) -> None:
        self.shelf.keep(answer(THOUGHT, CALL))
        mine = Reasoning((), (Seal("anthropic", "redacted", "other"),))
        self.assertEqual(self.restored(mine, CALL), [mine, CALL])

    def test_only_for_whom_it_can_serve(self) -> None:
        self.shelf.keep(answer(THOUGHT, CALL))
        self.assertEqual(self.restored(CALL, family="gemini"), [CALL])
        self.assertEqual(self.restored(CALL, owner=b"other"), [CALL], "never one client's for another")
        self.assertEqual(self.restored(ToolCall("c", "write", "{}")), [ToolCall("c", "write", "{}")])

    def test_nothing_to_remember(self) -> None:
        self.shelf.keep(answer(WORDS, CALL))
        self.assertEqual(len(self.vault), 0)
        asked = request(WORDS)
        self.assertIs(self.shelf.restore(asked, "anthropic"), asked)

    def test_forgotten_after_a_day(self) -> None:
        self.shelf.keep(answer(THOUGHT, CALL))
        self.now += 24 * 3600
        self.assertEqual(len(self.restored(CALL)), 2)
        self.now += 1
        self.assertEqual(len(self.restored(CALL)), 1)

    def test_bounded(self) -> None:
        self.patch(vault, "_MOST_TURNS", 4)
        for number in range(10):
            self.shelf.keep(answer(THOUGHT, ToolCall(f"call_{number}", f"tool_{number}", "{}")))
        self.assertEqual(len(self.vault), 4)
        self.assertEqual(len(self.restored(ToolCall("call_9", "tool_9", "{}"))), 2)
        self.assertEqual(len(self.restored(ToolCall("call_0", "tool_0", "{}"))), 1)
        self.patch(vault, "_MOST_CHARACTERS", 100)
        self.shelf.keep(answer(THOUGHT, ToolCall("big", "big", "x" * 200)))
        self.assertEqual(len(self.vault), 0)
