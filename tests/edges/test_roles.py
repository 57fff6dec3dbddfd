"""Edge cases 1 to 30: the shape of a request, roles, and the versions of Anthropic's API."""

from __future__ import annotations

from typing import Any

from tests.edges.bodies import (
    AN,
    CH,
    GE,
    OSLO,
    RE,
    Body,
    answered,
    called,
    chat,
    chat_call,
    contents,
    conversation,
    messages,
    question,
    responses,
    spoken,
    text_of,
    tool_result,
    tool_use,
    tools,
)
from tests.edges.case import ALL, BUDGET_CLAUDE, NEW_CLAUDE, SEVEN, EdgeCase, others

ASK = {"role": "user", "content": "Weather?"}
SYSTEM = {"role": "system", "content": "Now in French."}
ENVELOPE = "<system-reminder>\nNow in French.\n</system-reminder>"
OLDER, NEWER = "2023-06-01", "2026-10-21"
UNTRANSLATABLE = "llmux_untranslatable"


def texts(provider: str, turn: Body) -> list[str]:
    """The texts of a message, of an item or of a content."""
    if provider == GE:
        return [part["text"] for part in turn["parts"] if "text" in part]
    content = turn["content"]
    return [content] if isinstance(content, str) else [part["text"] for part in content if "text" in part]


def kinds(body: Body) -> list[str]:
    """Who speaks, and what is called and answered, turn by turn and in order."""
    found: list[str] = []
    turns: list[Body] = next(body[name] for name in ("messages", "input", "contents") if name in body)
    for turn in turns:
        if "type" in turn and turn["type"] != "message":
            found.append({"function_call": "call", "function_call_output": "result"}[turn["type"]])
        elif turn.get("tool_calls"):
            found += ["call"] * len(turn["tool_calls"])
        elif turn["role"] == "tool":
            found.append("result")
        else:
            said: str | list[Body] = turn["parts"] if "parts" in turn else turn["content"]
            found += [turn["role"]] if isinstance(said, str) else [_kind(turn["role"], part) for part in said]
    return found


def _kind(role: str, part: Body) -> str:
    if "functionCall" in part or part.get("type") == "tool_use":
        return "call"
    if "functionResponse" in part or part.get("type") == "tool_result":
        return "result"
    return "assistant" if role == "model" else role


def after_a_call(*turns: Body, **more: Any) -> Body:
    """A conversation with Chat Completions in which a tool was called once; `turns` follow the call."""
    return chat(ASK, *called(CH, "call_1"), *turns, **tools(CH, "weather"), **more)


class ShapeTests(EdgeCase):
    """Empty contents and lists of parts."""

    def test_01_no_content_beside_calls(self) -> None:
        """CH `content: null` with calls -> AN only `tool_use`; no empty text at GE, no empty message at RE."""
        self.assert_calls_alone(None)

    def test_02_empty_content_beside_calls(self) -> None:
        """CH `content: ""` with calls -> the same, never an empty text."""
        self.assert_calls_alone("")

    def assert_calls_alone(self, content: str | None) -> None:
        call = {"role": "assistant", "content": content, "tool_calls": [chat_call("call_1")]}
        asked = chat(ASK, call, *answered(CH, "call_1"), **tools(CH, "weather"))
        body, notes = self.ask(CH, AN, asked)
        self.assertEqual(
            body["messages"],
            [
                ASK,
                {"role": "assistant", "content": [tool_use("call_1")]},
                {"role": "user", "content": [tool_result("call_1")]},
            ],
        )
        self.assertEqual(notes, [])
        body, _ = self.ask(CH, GE, asked)
        (part,) = body["contents"][1]["parts"]
        self.assertEqual(part["functionCall"], {"id": "call_1", "name": "weather", "args": OSLO})
        self.assertNotIn("text", part)
        body, notes = self.ask(CH, RE, asked)
        self.assertEqual(kinds(body), ["user", "call", "result"])
        self.assertEqual(notes, [])

    def test_03_an_assistant_that_says_nothing(self) -> None:
        """An assistant's empty text without calls -> AN without that message, noted; the users around it stay two messages."""
        pointers = {CH: "/messages/1", RE: "/input/1", GE: "/contents/1"}
        for client, pointer in pointers.items():
            turns = [spoken(client, role, text) for role, text in (("user", "One."), ("assistant", ""), ("user", "Two."))]
            body, notes = self.ask(client, AN, conversation(client, turns))
            self.assertEqual(body["messages"], [{"role": "user", "content": "One."}, {"role": "user", "content": "Two."}])
            self.assertEqual(notes, [f"dropped {pointer}"])
        for client in others(GE):
            turns = [spoken(client, role, text) for role, text in (("user", "One."), ("assistant", ""), ("user", "Two."))]
            body, notes = self.ask(client, GE, conversation(client, turns))
            self.assertEqual([text for turn in body["contents"] for text in texts(GE, turn)], ["One.", "Two."])
            self.assertEqual(len(notes), 1)

    def test_04_a_list_of_no_parts(self) -> None:
        """CH `content: []` of a user -> 400 that names `/messages/1/content`."""
        asked = chat({"role": "system", "content": "Be brief."}, {"role": "user", "content": []})
        for provider in others(CH):
            self.assertEqual(self.refused(CH, provider, asked).param, "/messages/1/content")

    def test_05_an_assistant_that_speaks_in_parts(self) -> None:
        """CH assistant content as parts -> blocks in their order, each its own; a refusal keeps its words."""
        said = [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}, {"type": "refusal", "refusal": "No."}]
        asked = chat(ASK, {"role": "assistant", "content": said}, ASK)
        body, notes = self.ask(CH, AN, asked)
        blocks = [{"type": "text", "text": text} for text in ("One.", "Two.", "No.")]
        self.assertEqual(body["messages"][1], {"role": "assistant", "content": blocks})
        self.assertEqual(notes, ["approximated /messages/1/content/2"])
        body, notes = self.ask(CH, GE, asked)
        self.assertEqual(body["contents"][1], {"role": "model", "parts": [{"text": "One."}, {"text": "Two."}, {"text": "No."}]})
        self.assertEqual(notes, ["approximated /messages/1/content/2"])
        body, notes = self.ask(CH, RE, asked)
        parts = [(part["type"], part.get("text", part.get("refusal"))) for part in body["input"][1]["content"]]
        self.assertEqual(parts, [("output_text", "One."), ("output_text", "Two."), ("refusal", "No.")])
        self.assertEqual(notes, [])

    def test_06_two_users_in_a_row(self) -> None:
        """Two `user` messages -> two at AN, CH and RE; one content of two parts at GE."""
        for client in ALL:
            asked = conversation(client, [spoken(client, "user", "One."), spoken(client, "user", "Two.")])
            for provider in others(client):
                body, notes = self.ask(client, provider, asked)
                if provider == GE:
                    self.assertEqual(body["contents"], [{"role": "user", "parts": [{"text": "One."}, {"text": "Two."}]}])
                else:
                    turns = body["input" if provider == RE else "messages"]
                    said = [(turn["role"], texts(provider, turn)) for turn in turns]
                    self.assertEqual(said, [("user", ["One."]), ("user", ["Two."])])
                self.assertEqual(notes, [])


class ResultOrderTests(EdgeCase):
    """Where the results of tools stand."""

    IDS = ("call_1", "call_2", "call_3")

    def test_07_three_results_in_one_message(self) -> None:
        """Three `tool` messages after one assistant -> AN one user message of three results; GE one content of three."""
        for client in (CH, RE):
            turns = [spoken(client, "user", "Weather?"), *called(client, *self.IDS), *answered(client, *self.IDS)]
            asked = conversation(client, turns, **tools(client, "weather"))
            body, notes = self.ask(client, AN, asked)
            self.assertEqual(
                body["messages"][1:],
                [
                    {"role": "assistant", "content": [tool_use(each) for each in self.IDS]},
                    {"role": "user", "content": [tool_result(each) for each in self.IDS]},
                ],
            )
            self.assertEqual(notes, [])
            body, _ = self.ask(client, GE, asked)
            self.assertEqual(len(body["contents"]), 3)
            given = [part["functionResponse"] for part in body["contents"][2]["parts"]]
            said = {"name": "weather", "response": {"output": "4 degrees"}}
            self.assertEqual(given, [{"id": each, **said} for each in self.IDS])

    def mixed(self, *content: Body, ids: tuple[str, ...] = ("call_1",)) -> Body:
        return messages(ASK, *called(AN, *ids), {"role": "user", "content": list(content)}, **tools(AN, "weather"))

    def test_08_text_before_a_tool_result_follows_the_tool_messages(self) -> None:
        """AN user `[text, tool_result]` -> CH `tool`, then `user`; the result comes first everywhere."""
        asked = self.mixed({"type": "text", "text": "And?"}, tool_result("call_1"))
        body, _ = self.ask(AN, CH, asked)
        self.assertEqual(
            body["messages"][2:],
            [{"role": "tool", "tool_call_id": "call_1", "content": "4 degrees"}, {"role": "user", "content": "And?"}],
        )
        body, _ = self.ask(AN, GE, asked)
        self.assertEqual(kinds(body), ["user", "call", "result", "user"])
        self.assertEqual(len(body["contents"]), 3)

    def test_09_text_between_tool_results(self) -> None:
        """AN user `[tool_result, text, tool_result]` -> CH `tool, tool, user`, never `tool, user, tool`."""
        ids = ("call_1", "call_2")
        asked = self.mixed(tool_result("call_1"), {"type": "text", "text": "And?"}, tool_result("call_2", "9 degrees"), ids=ids)
        for provider in (CH, GE):
            body, _ = self.ask(AN, provider, asked)
            self.assertEqual(kinds(body), ["user", "call", "call", "result", "result", "user"])
        body, _ = self.ask(AN, CH, asked)
        self.assertEqual([each.get("tool_call_id") for each in body["messages"][2:]], ["call_1", "call_2", None])
        self.assertEqual([each["content"] for each in body["messages"][2:]], ["4 degrees", "9 degrees", "And?"])

    def test_10_text_before_function_responses(self) -> None:
        """GE content `[text, functionResponse, text, functionResponse]` -> AN results first, each side in its own order."""
        parts: list[Body] = []
        for text, place in (("One.", "4 degrees"), ("Two.", "9 degrees")):
            given = {"functionResponse": {"name": "weather", "response": {"output": place}}}
            parts += [{"text": text}, given]
        call = {"functionCall": {"name": "weather", "args": OSLO}}
        turns = (spoken(GE, "user", "Weather?"), {"role": "model", "parts": [call, call]}, {"role": "user", "parts": parts})
        asked = contents(*turns, **tools(GE, "weather"))
        body, _ = self.ask(GE, AN, asked)
        first, second = (block["id"] for block in body["messages"][1]["content"])
        self.assertNotEqual(first, second)
        self.assertEqual(
            body["messages"][2:],
            [
                {
                    "role": "user",
                    "content": [
                        tool_result(first, "4 degrees"),
                        tool_result(second, "9 degrees"),
                        {"type": "text", "text": "One."},
                        {"type": "text", "text": "Two."},
                    ],
                }
            ],
        )
        body, _ = self.ask(GE, CH, asked)
        self.assertEqual(kinds(body)[:5], ["user", "call", "call", "result", "result"])


class SystemTests(EdgeCase):
    """Instructions, at the beginning and in the middle."""

    LEAD = ({"role": "system", "content": "Be brief."}, ASK, {"role": "assistant", "content": "Cold."}, ASK)

    def test_11_system_in_the_middle_stays_there(self) -> None:
        """A system message in the middle, for a Claude that knows them -> `role: system` in place; so at CH and RE."""
        for last in ((), ({"role": "assistant", "content": "Froid."}, ASK)):
            body, notes = self.ask(CH, AN, chat(*self.LEAD, SYSTEM, *last), model=NEW_CLAUDE)
            self.assertEqual((body["system"], body["messages"]), ("Be brief.", [*self.LEAD[1:], SYSTEM, *last]))
            self.assertEqual(notes, [])
            body, notes = self.ask(RE, AN, responses(*self.LEAD, SYSTEM, *last), model=NEW_CLAUDE)
            self.assertEqual((body["system"], body["messages"]), ("Be brief.", [*self.LEAD[1:], SYSTEM, *last]))
            self.assertEqual(notes, [])
        body, notes = self.ask(RE, CH, responses(*self.LEAD, SYSTEM, ASK))
        self.assertEqual((body["messages"], notes), ([*self.LEAD, SYSTEM, ASK], []))
        asked = messages(*self.LEAD[1:], SYSTEM, system="Be brief.")
        body, notes = self.ask(AN, CH, asked)
        self.assertEqual((body["messages"], notes), ([*self.LEAD, SYSTEM], []))
        body, notes = self.ask(AN, RE, asked)
        self.assertEqual((body["instructions"], notes), ("Be brief.", []))
        self.assertIn(body["input"][-1]["role"], ("system", "developer"))
        self.assertEqual(texts(RE, body["input"][-1]), ["Now in French."])

    def test_another_effort_from_here_on(self) -> None:
        """AN `output_config.effort` of a system message -> RE an update of the settings there; a note elsewhere."""
        system = {**SYSTEM, "output_config": {"effort": "low", "format": {"type": "json_schema"}}, "clear_at": None}
        asked = messages(*self.LEAD[1:], system)
        lost = ["dropped /messages/3/output_config/format/type"]
        body, notes = self.ask(AN, RE, asked)
        update = {"type": "configuration_update", "reasoning": {"effort": "low"}}
        self.assertEqual((body["input"][-1], notes), (update, lost))
        for provider in (CH, GE):
            _, notes = self.ask(AN, provider, asked)
            self.assertIn("dropped /messages/3/output_config/effort", notes)
        wrong = messages(*self.LEAD[1:], {**SYSTEM, "output_config": {"effort": "x"}})
        self.assertEqual(self.refused(AN, RE, wrong).param, "/messages/3/output_config/effort")

    def test_12_system_in_the_middle_becomes_an_envelope(self) -> None:
        """The same where it may not stand -> the user's envelope in place, noted; what came before keeps every byte."""
        for client, turn, pointer in ((CH, SYSTEM, "/messages/4"), (RE, SYSTEM, "/input/4")):
            for model in (SEVEN, BUDGET_CLAUDE):
                before = self.exchange(client, AN, conversation(client, list(self.LEAD)), model=model).raw
                now = self.exchange(client, AN, conversation(client, [*self.LEAD, turn]), model=model)
                self.assertEqual(now.body["messages"][3:], [{"role": "user", "content": ENVELOPE}])
                self.assertEqual(now.body["system"], "Be brief.")
                self.assertEqual(now.notes, [f"approximated {pointer}"])
                end = before.rindex(b"Weather?") + len(b'Weather?"}')
                self.assertEqual(now.raw[:end], before[:end])
        body, notes = self.ask(CH, GE, chat(*self.LEAD, SYSTEM))
        self.assertEqual(body["contents"][-1], {"role": "user", "parts": [{"text": "Weather?"}, {"text": ENVELOPE}]})
        self.assertEqual(body["systemInstruction"]["parts"], [{"text": "Be brief."}])
        self.assertEqual(notes, ["approximated /messages/4"])
        # A user's message may not follow one of the system's, whatever the model.
        body, notes = self.ask(CH, AN, chat(*self.LEAD, SYSTEM, ASK), model=NEW_CLAUDE)
        self.assertEqual(body["messages"][3:], [{"role": "user", "content": ENVELOPE}, ASK])
        self.assertEqual(notes, ["approximated /messages/4"])

    def test_13_two_systems_in_a_row(self) -> None:
        """Two system messages in a row in the middle -> one of two texts at AN."""
        for client in (CH, RE):
            turns = [*self.LEAD, SYSTEM, {"role": "system", "content": "And short."}]
            body, _ = self.ask(client, AN, conversation(client, turns), model=NEW_CLAUDE)
            self.assertEqual([turn["role"] for turn in body["messages"]], ["user", "assistant", "user", "system"])
            self.assertEqual(texts(AN, body["messages"][-1]), ["Now in French.", "And short."])
            self.assertEqual(body["system"], "Be brief.")

    def test_14_system_between_a_call_and_its_result(self) -> None:
        """A system message between a call and its result -> behind the result, noted."""
        result = {"role": "user", "content": [tool_result("call_1")]}
        asked = after_a_call(SYSTEM, *answered(CH, "call_1"))
        body, notes = self.ask(CH, AN, asked, model=NEW_CLAUDE)
        self.assertEqual(body["messages"][2:], [result, SYSTEM])
        self.assertEqual(notes, ["approximated /messages/2"])
        body, notes = self.ask(CH, AN, asked, model=SEVEN)
        self.assertEqual(kinds(body), ["user", "call", "result", "user"])
        self.assertEqual(texts(AN, body["messages"][-1]), [ENVELOPE])
        self.assertEqual(notes, ["approximated /messages/2"])
        body, _ = self.ask(CH, GE, asked)
        self.assertEqual(kinds(body), ["user", "call", "result", "user"])
        items = [ASK, *called(RE, "call_1"), SYSTEM, *answered(RE, "call_1")]
        body, notes = self.ask(RE, CH, responses(*items, **tools(RE, "weather")))
        self.assertEqual(kinds(body), ["user", "call", "result", "system"])
        self.assertEqual(notes, ["approximated /input/2"])
        # between two results, before the second of them
        for client in (CH, RE):
            (first,), (second,) = (answered(client, each) for each in ("call_1", "call_2"))
            turns = [ASK, *called(client, "call_1", "call_2"), first, SYSTEM, second]
            asked = conversation(client, turns, **tools(client, "weather"))
            number = turns.index(SYSTEM)
            for provider in (AN, CH if client == RE else GE):
                body, notes = self.ask(client, provider, asked)
                self.assertEqual(kinds(body)[:5], ["user", "call", "call", "result", "result"])
                self.assertIn(f"approximated /{'messages' if client == CH else 'input'}/{number}", notes)

    def test_15_a_marked_system_prompt_is_no_instructions(self) -> None:
        """Claude Code's system blocks with `cache_control` -> a developer item with a marked part, no `instructions`."""
        marked = {"type": "text", "text": "Long.", "cache_control": {"type": "ephemeral"}}
        asked = question(AN, system=[{"type": "text", "text": "You are Claude Code."}, marked])
        body, notes = self.ask(AN, RE, asked)
        self.assertNotIn("instructions", body)
        lead, user = body["input"]
        self.assertEqual((lead["role"], user["role"]), ("developer", "user"))
        self.assertEqual(
            lead["content"],
            [
                {"type": "input_text", "text": "You are Claude Code."},
                {"type": "input_text", "text": "Long.", "prompt_cache_breakpoint": {"mode": "explicit"}},
            ],
        )
        self.assertEqual(notes, [])
        body, notes = self.ask(AN, CH, asked)
        self.assertEqual(body["messages"][0]["content"][1]["prompt_cache_breakpoint"], {"mode": "explicit"})
        self.assertEqual(notes, [])
        for ttl, noted in (("5m", []), ("1h", ["approximated /system/0/cache_control"])):
            marked = {"type": "text", "text": "Long.", "cache_control": {"type": "ephemeral", "ttl": ttl}}
            for provider, member in ((RE, "input"), (CH, "messages")):
                body, notes = self.ask(AN, provider, question(AN, system=[marked]))
                (part,) = body[member][0]["content"]
                self.assertEqual(part["prompt_cache_breakpoint"], {"mode": "explicit", "ttl": "30m"})
                self.assertEqual([note.removesuffix("/ttl") for note in notes], noted)
            body, notes = self.ask(AN, GE, question(AN, system=[marked]))
            self.assertEqual(body["systemInstruction"]["parts"], [{"text": "Long."}])
            self.assertEqual([note.removesuffix("/ttl") for note in notes], ["dropped /system/0/cache_control"])

    def test_16_developers_are_systems(self) -> None:
        """CH and RE `developer` -> AN `system`, GE `systemInstruction`; between CH and RE it stays."""
        developer = {"role": "developer", "content": "Be brief."}
        for client in (CH, RE):
            asked = conversation(client, [developer, ASK])
            body, notes = self.ask(client, AN, asked)
            self.assertEqual((body["system"], body["messages"], notes), ("Be brief.", [ASK], []))
            body, notes = self.ask(client, GE, asked)
            self.assertEqual((body["systemInstruction"]["parts"], notes), ([{"text": "Be brief."}], []))
            self.assertEqual(len(body["contents"]), 1)
        body, notes = self.ask(RE, CH, responses(developer, ASK))
        self.assertEqual((body["messages"], notes), ([developer, ASK], []))

    def test_17_no_instructions(self) -> None:
        """RE `instructions: null` -> nothing, not an empty text."""
        asked = responses("Hello", instructions=None)
        for provider, member in ((CH, "instructions"), (AN, "system"), (GE, "systemInstruction")):
            body, notes = self.ask(RE, provider, asked)
            self.assertNotIn(member, body)
            self.assertEqual(kinds(body), ["user"])
            self.assertEqual(notes, [])


class ResponsesInputTests(EdgeCase):
    """What the input of a Responses request may be."""

    def test_18_the_input_is_a_text(self) -> None:
        """RE `input: "Hello"` -> one user message."""
        asked = responses("Hello")
        turn = {"role": "user", "content": "Hello"}
        for provider, member, expected in (
            *((CH, "messages", [turn]), (AN, "messages", [turn])),
            (GE, "contents", [{"role": "user", "parts": [{"text": "Hello"}]}]),
        ):
            body, notes = self.ask(RE, provider, asked)
            self.assertEqual((body[member], notes), (expected, []))

    def test_19_an_item_that_is_kept_elsewhere(self) -> None:
        """RE `item_reference` -> 400 that names it: only its provider has it."""
        asked = responses({"type": "item_reference", "id": "rs_1"}, ASK)
        for provider in others(RE):
            fault = self.refused(RE, provider, asked)
            self.assertEqual((fault.param, fault.code), ("/input/0", UNTRANSLATABLE))

    def test_20_an_assistants_input_text(self) -> None:
        """RE assistant content of type `input_text` is taken; what goes to RE is `output_text`."""
        said = {"role": "assistant", "content": [{"type": "input_text", "text": "Hi."}]}
        body, notes = self.ask(RE, CH, responses(ASK, said, ASK))
        self.assertEqual((body["messages"][1], notes), ({"role": "assistant", "content": "Hi."}, []))
        body, notes = self.ask(RE, AN, responses(ASK, said, ASK))
        self.assertEqual((body["messages"][1], notes), ({"role": "assistant", "content": "Hi."}, []))
        body, notes = self.ask(RE, GE, responses(ASK, said, ASK))
        self.assertEqual((body["contents"][1], notes), ({"role": "model", "parts": [{"text": "Hi."}]}, []))
        two = [{"type": "text", "text": "Hi."}, {"type": "text", "text": "You."}]
        for client in (CH, AN):
            turns = [spoken(client, "user", "One."), {"role": "assistant", "content": two}, spoken(client, "user", "Two.")]
            body, _ = self.ask(client, RE, conversation(client, turns))
            found = [(part["type"], part["text"]) for part in body["input"][1]["content"]]
            self.assertEqual(found, [("output_text", "Hi."), ("output_text", "You.")])


class PrefillTests(EdgeCase):
    """Conversations that end with the assistant."""

    POINTERS = {CH: "/messages/1", RE: "/input/1", GE: "/contents/1"}

    def begun(self, client: str, text: str) -> Body:
        return conversation(client, [spoken(client, "user", "Hello"), spoken(client, "assistant", text)])

    def test_21_prefill_where_it_is_not_taken(self) -> None:
        """A trailing assistant for a Claude without prefill -> 400 in Anthropic's words; others get it."""
        for client, pointer in self.POINTERS.items():
            fault = self.refused(client, AN, self.begun(client, "Once"), model=NEW_CLAUDE)
            self.assertIn("does not support assistant message prefill", fault.message)
            self.assertIn("must end with a user message", fault.message)
            self.assertEqual(fault.param, pointer)
            body, notes = self.ask(client, AN, self.begun(client, "Once"), model=BUDGET_CLAUDE)
            self.assertEqual((body["messages"][-1], notes), ({"role": "assistant", "content": "Once"}, []))

    def test_22_prefill_that_ends_in_white_space(self) -> None:
        """A trailing assistant that ends in white space -> trimmed for AN, noted; within a conversation it stays."""
        for client, pointer in self.POINTERS.items():
            body, notes = self.ask(client, AN, self.begun(client, "Once upon \n"), model=BUDGET_CLAUDE)
            self.assertEqual(body["messages"][-1], {"role": "assistant", "content": "Once upon"})
            (note,) = notes
            self.assertTrue(note.startswith(f"approximated {pointer}"), note)
            inside = conversation(client, [*self.turns(client, "Once upon \n"), spoken(client, "user", "Go on.")])
            body, notes = self.ask(client, AN, inside, model=BUDGET_CLAUDE)
            self.assertEqual((texts(AN, body["messages"][1]), notes), (["Once upon \n"], []))

    def turns(self, client: str, text: str) -> list[Body]:
        return [spoken(client, "user", "Hello"), spoken(client, "assistant", text)]


class GeminiFormTests(EdgeCase):
    """What the forms of a Gemini request may be."""

    def test_23_snake_case(self) -> None:
        """GE `system_instruction` -> the instructions, as by its other name."""
        asked = question(GE, system_instruction={"parts": [{"text": "Be brief."}]})
        body, notes = self.ask(GE, CH, asked)
        self.assertEqual(texts(CH, body["messages"][0]), ["Be brief."])
        self.assertEqual((body["messages"][0]["role"], notes), ("system", []))
        body, notes = self.ask(GE, AN, asked)
        self.assertEqual((body["system"], notes), ("Be brief.", []))
        body, notes = self.ask(GE, RE, asked)
        self.assertEqual((body["instructions"], notes), ("Be brief.", []))

    def test_24_roles_that_are_left_out_or_old(self) -> None:
        """GE content without a role, or with `function` -> the user's."""
        body, notes = self.ask(GE, CH, contents({"parts": [{"text": "Hello"}]}))
        self.assertEqual((body["messages"], notes), ([{"role": "user", "content": "Hello"}], []))
        given = {"role": "function", "parts": answered(GE, "call_1")[0]["parts"]}
        asked = contents({"parts": [{"text": "Weather?"}]}, *called(GE, "call_1"), given, **tools(GE, "weather"))
        body, notes = self.ask(GE, AN, asked)
        self.assertEqual(body["messages"][-1], {"role": "user", "content": [tool_result("call_1")]})
        self.assertEqual(notes, [])
        for provider in (CH, RE):
            body, notes = self.ask(GE, provider, asked)
            self.assertEqual((kinds(body), notes), (["user", "call", "result"], []))

    def test_25_only_the_full_form(self) -> None:
        """GE `contents` as a text, as texts or as bare parts, which only the SDK takes -> 400."""
        forms: tuple[tuple[Any, str], ...] = (
            ("Hello", "/contents"),
            (["Hello"], "/contents/0"),
            ([{"text": "Hello"}], "/contents/0"),
            ([{"role": "user", "parts": "Hello"}], "/contents/0/parts"),
            ([{"role": "user", "parts": ["Hello"]}], "/contents/0/parts/0"),
        )
        for form, pointer in forms:
            for provider in others(GE):
                fault = self.refused(GE, provider, {"contents": form})
                self.assertTrue((fault.param or "").startswith(pointer), (form, fault.param))
        for provider in others(GE):
            self.assertEqual(self.refused(GE, provider, question(GE, systemInstruction="Be brief.")).param, "/systemInstruction")


class NameTests(EdgeCase):
    """Who it is that speaks."""

    def test_26_the_name_of_a_user(self) -> None:
        """CH `name` on a user's message -> noted; the text is not touched."""
        asked = chat({"role": "user", "name": "Ada", "content": "Hello"})
        for provider, member in ((RE, "input"), (AN, "messages"), (GE, "contents")):
            body, notes = self.ask(CH, provider, asked)
            self.assertEqual(texts(provider, body[member][0]), ["Hello"])
            self.assertNotIn("Ada", text_of(body))
            self.assertEqual(notes, ["dropped /messages/0/name"])


class VersionTests(EdgeCase):
    """The versions of Anthropic's API, which its clients must keep to."""

    PDF = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}}
    PLACE = {"type": "char_location", "cited_text": "cold", "document_index": 0, "document_title": "Weather"}

    def test_27_a_document_of_the_assistants(self) -> None:
        """AN document in an assistant message under the newer version -> 400 that names it."""
        turns = ({"role": "user", "content": "Hello"}, {"role": "assistant", "content": [self.PDF]}, ASK)
        for provider in others(AN):
            fault = self.refused(AN, provider, messages(*turns), version=NEWER)
            self.assertEqual(fault.param, "/messages/1/content/0")

    def test_28_citations_of_the_users(self) -> None:
        """AN user text with citations under the newer version -> stripped and noted; the text stays. None is nothing."""
        cited = {**self.PLACE, "start_char_index": 0, "end_char_index": 4}
        for provider, version in ((provider, version) for provider in others(AN) for version in (NEWER, OLDER)):
            for citations in ([cited], [], None):
                block = {"type": "text", "text": "It is cold.", "citations": citations}
                body, notes = self.ask(AN, provider, messages({"role": "user", "content": [block]}), version=version)
                self.assertIn("It is cold.", text_of(body))
                self.assertNotIn("citations", text_of(body))
                self.assertEqual(bool(notes), bool(citations))
                for note in notes:
                    self.assertTrue(note.startswith("dropped /messages/0/content/0/citations"), note)

    def test_29_no_version_and_an_unknown_one(self) -> None:
        """AN without `anthropic-version` -> the older one, noted; one that does not exist -> 400."""
        asked = question(AN, temperature=0.5)
        for provider in others(AN):
            body, notes = self.ask(AN, provider, asked, version=None)
            self.assertEqual(len(notes), 1)
            self.assertIn("anthropic-version", notes[0])
            self.assertTrue(notes[0].startswith("invented "), notes[0])
            self.assertIn(0.5, [body.get("temperature"), body.get("generationConfig", {}).get("temperature")])
            self.assertIn("2024-01-01", self.refused(AN, provider, asked, version="2024-01-01").message)

    def test_30_sampling_under_the_newer_version(self) -> None:
        """AN `temperature`, `top_p` or `top_k` under 2026-10-21 -> 400 like the API's; under the older one they are taken."""
        for name, value in (("temperature", 0.5), ("top_p", 0.5), ("top_k", 5)):
            for provider in others(AN):
                fault = self.refused(AN, provider, messages(ASK, **{name: value}), version=NEWER)
                self.assertEqual(fault.param, f"/{name}")
        body, notes = self.ask(AN, CH, question(AN, temperature=0.5, top_p=0.25), version=OLDER, model="gpt-4.1")
        self.assertEqual((body["temperature"], body["top_p"], notes), (0.5, 0.25, []))
        body, notes = self.ask(AN, GE, question(AN, temperature=0.5, top_k=5), version=OLDER)
        self.assertEqual((body["generationConfig"]["temperature"], body["generationConfig"]["topK"], notes), (0.5, 5, []))
