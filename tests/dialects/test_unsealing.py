"""What was sealed for one provider never reaches another, also where the client speaks the dialect of both."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux import jsonio
from llmux.dialects.context import Context
from llmux.dialects.neutral import Choice, Finish, Message, Reasoning, Response, Seal, Segment, Text, ToolCall, Usage
from llmux.dialects.notes import Notes
from llmux.dialects.registry import DIALECTS
from llmux.dialects.seals import Seals
from llmux.dialects.unsealing import unsealed
from llmux.errors import Fault

SEALS = Seals((b"key",))
FAMILIES = {"anthropic": "signature", "openai": "encrypted", "gemini": "thought_signature"}


def answered(client: str, family: str) -> dict[str, Any]:
    """The next request of a client that thought, said and called something at a provider of a family."""
    seal = Seal(family, FAMILIES[family], "c2VjcmV0")  # type: ignore[arg-type]
    on_call = (seal,) if family == "gemini" else ()
    items = (
        Reasoning((Segment("summary", "I think."),), () if on_call else (seal,)),
        Message("assistant", (Text("Hello.", seals=on_call),)),
        ToolCall("call_1", "read", '{"data":"x"}', seals=on_call),
    )
    response = Response("r1", "m", 1, (Choice(items, Finish("tool_calls")),), Usage())
    told: Any = json.loads(jsonio.dumps(DIALECTS[client].rooms.write_response(response, Context(seals=SEALS))))
    match client:
        case "openai-chat":
            return {"model": "m", "messages": [told["choices"][0]["message"]]}
        case "openai-responses":
            return {"model": "m", "input": told["output"]}
        case "anthropic":
            return {"model": "m", "messages": [{"role": "assistant", "content": told["content"]}]}
        case _:
            return {"contents": [told["candidates"][0]["content"]]}


def passed(client: str, body: dict[str, Any] | bytes, notes: Notes) -> bytes:
    """The body as a provider of the client's dialect gets it."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return unsealed(data, DIALECTS[client].sealed, DIALECTS[client].mark, SEALS, notes)


class UnsealingTests(SynchronousTestCase):
    def test_foreign(self) -> None:
        """Other providers' seals are taken out with a note; all that was visible stays."""
        for client, dialect in DIALECTS.items():
            for family in FAMILIES:
                if family == dialect.family and client != "openai-chat":
                    continue
                asked, notes = answered(client, family), Notes()
                if dialect.mark not in json.dumps(asked).encode():
                    self.fail(f"{client} holds no seal of {family}")
                body = passed(client, asked, notes)
                self.assertNotIn(dialect.mark, body, (client, family))
                self.assertIn(b"Hello.", body)
                self.assertIn(b"read", body)
                self.assertTrue(notes)
                self.assertEqual({note.action for note in notes}, {"dropped"})
                for note in notes:
                    node: Any = asked
                    for step in note.pointer.split("/")[1:]:
                        node = node[int(step)] if isinstance(node, list) else node[step]
                    self.assertIsInstance(node, str, note.pointer)
                self.assertRaises(Fault, passed, client, asked, Notes(strict=True))

    def test_shapes(self) -> None:
        """What says nothing goes: no empty block, list or object. A call of Gemini's gets what stands for a signature."""
        chat = json.loads(passed("openai-chat", answered("openai-chat", "gemini"), Notes()))["messages"][0]
        self.assertEqual(set(chat) & {"thinking_blocks", "reasoning_content"}, {"reasoning_content"})
        self.assertNotIn("extra_content", chat["tool_calls"][0])
        messages = json.loads(passed("anthropic", answered("anthropic", "openai"), Notes()))["messages"]
        self.assertEqual([block["type"] for block in messages[0]["content"]], ["text", "tool_use"])
        items = json.loads(passed("openai-responses", answered("openai-responses", "anthropic"), Notes()))["input"]
        self.assertEqual([item["type"] for item in items], ["message", "function_call"])
        hidden = {"type": "redacted_thinking", "data": SEALS.wrap(Seal("openai", "encrypted", "x"))}
        turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": [hidden]}]
        self.assertEqual(json.loads(passed("anthropic", {"messages": turns}, Notes()))["messages"], turns[:1])
        asked = answered("gemini", "anthropic")
        call = next(part for part in asked["contents"][0]["parts"] if "functionCall" in part)
        call["thoughtSignature"] = next(part["thoughtSignature"] for part in asked["contents"][0]["parts"] if part.get("thought"))
        parts = json.loads(passed("gemini", asked, Notes()))["contents"][0]["parts"]
        self.assertEqual([part.get("thoughtSignature") for part in parts], [None, None, "skip_thought_signature_validator"])

    def test_native(self) -> None:
        """What its own maker sealed comes home as it was, though another client's dialect kept it."""
        signed = SEALS.wrap(Seal("anthropic", "signature", "c2ln"), "I think.")
        block = {"type": "thinking", "thinking": "I think.", "signature": signed}
        notes = Notes()
        body = json.loads(passed("anthropic", {"messages": [{"role": "assistant", "content": [block]}]}, notes))
        self.assertEqual(body["messages"][0]["content"], [{**block, "signature": "c2ln"}])
        item = {"type": "reasoning", "summary": [], "encrypted_content": SEALS.wrap(Seal("openai", "encrypted", "ZW5j"))}
        body = json.loads(passed("openai-responses", {"input": [item]}, notes))
        self.assertEqual(body["input"], [{**item, "encrypted_content": "ZW5j"}])
        self.assertFalse(notes)
        changed = {**block, "thinking": "I think otherwise."}
        said = {"type": "text", "text": "x"}
        body = json.loads(passed("anthropic", {"messages": [{"role": "assistant", "content": [changed, said]}]}, notes))
        self.assertEqual((body["messages"][0]["content"], len(notes)), ([said], 1))

    def test_untouched(self) -> None:
        """Without an envelope of ours no byte moves."""
        forged = {"type": "thinking", "thinking": "x", "signature": "llmux1.e30.AAAA"}
        for body in (
            b'{ "a" :1.0, "a": 2}',
            jsonio.dumps({"messages": [{"role": "assistant", "content": [forged]}], "n": 1}).replace(b":", b" : "),
            b'{"tools":[{"name":"llmux1."}], "x" : 1}',
            b'{"x": ' + b"[" * 300 + b'"llmux1."' + b"]" * 300 + b"}",
        ):
            notes = Notes()
            self.assertEqual((passed("anthropic", body, notes), len(notes)), (body, 0))
