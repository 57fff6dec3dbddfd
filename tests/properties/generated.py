"""Generated requests and responses: everything that all dialects, or some of them, can say."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from llmux import jsonio
from llmux.dialects.context import Context, Options, Target
from llmux.dialects.neutral import (
    Choice,
    Finish,
    Inline,
    Item,
    Media,
    Message,
    Output,
    OutputItem,
    Reason,
    Reasoning,
    ReasoningPolicy,
    Request,
    Response,
    Sampling,
    Segment,
    Text,
    Tool,
    ToolCall,
    ToolPolicy,
    ToolResult,
    Usage,
)
from llmux.dialects.notes import Notes
from llmux.dialects.seals import Seals

MODELS = {
    "openai-chat": "gpt-5.1",
    "openai-responses": "gpt-5.1",
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-3-pro-preview",
}
SEALS = Seals((b"properties",))

# Letters of one to four bytes, quotes, backslashes, line ends and what looks like JSON; no lone surrogates and no NUL, which some
# SDKs refuse.
_LETTERS = 'ab zZ09é漢😀"\\/\n\t{}[]:,<>&\u2028'
words = st.text(st.sampled_from(_LETTERS), min_size=1, max_size=30).filter(lambda text: text.strip() != "")
names = st.text(st.sampled_from("abcdefgh_"), min_size=1, max_size=12).map(lambda name: f"t{name}")
ids = st.integers(0, 10**9).map(lambda number: f"call_{number}")
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.sampled_from([0.5, 1e-7, -2.25]) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
arguments = st.dictionaries(words, json_values, max_size=3).map(lambda value: jsonio.dumps(value).decode())
schemas = st.sampled_from(
    [
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        {
            "type": "object",
            "properties": {"properties": {"type": ["string", "null"]}, "n": {"$ref": "#/$defs/n"}},
            "$defs": {"n": {"type": "integer"}},
        },
    ]
)
pictures = st.sampled_from(["iVBORw0KGgo=", "AAAA"]).map(lambda data: Media("image", Inline(data), "image/png"))


def context(provider: str, asked: dict[str, Any] | None = None, *, stream: bool = False, lenient: bool = False) -> Context:
    """An exchange with a provider."""
    notes = Notes(lenient=lenient)
    target = Target.of(MODELS[provider], Options(max_tokens=4096))
    return Context(notes=notes, seals=SEALS, target=target, asked=asked or {}, stream=stream, now=1_700_000_000)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """A conversation that every dialect can say: instructions, turns with text and pictures, calls with their results."""
    items: list[Item] = []
    if draw(st.booleans()):
        items.append(Message("system", (Text(draw(words)),)))
    tools = [Tool(name, description=draw(words), schema=draw(schemas)) for name in sorted(draw(st.sets(names, max_size=3)))]
    turn = 1
    calls = 0
    for _ in range(draw(st.integers(1, 3))):
        parts: list[Any] = [Text(draw(words))]
        if draw(st.integers(0, 3)) == 0:
            parts.append(draw(pictures))
        items.append(Message("user", tuple(parts), turn))
        turn += 1
        if draw(st.booleans()):
            items.append(Message("assistant", (Text(draw(words)),), turn))
        called = []
        for _ in range(draw(st.integers(0, 2)) if tools else 0):
            calls += 1
            call = ToolCall(f"call_{calls}", draw(st.sampled_from(tools)).name, draw(arguments), turn)
            called.append(call)
        items += called
        turn += 1
        for call in called:
            items.append(ToolResult(call.call_id, call.name, (Text(draw(words)),), turn=turn))
        turn += 1
    items.append(Message("user", (Text(draw(words)),), turn))
    policy = ToolPolicy()
    if tools:
        forced = ToolPolicy("one", (tools[0].name,), ("function",))
        policy = draw(st.sampled_from([ToolPolicy(), ToolPolicy("auto"), ToolPolicy("required"), forced]))
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    return Request(
        tuple(items),
        tuple(tools),
        policy=policy,
        sampling=Sampling(max_out=draw(st.none() | st.integers(1, 4000))),
        output=draw(st.sampled_from([Output(), Output("schema", schema, "response")])),
        reasoning=ReasoningPolicy(),
    )


usages = st.builds(
    lambda cached, written, fresh, thought, said: Usage(cached + written + fresh, cached, written, thought + said, thought),
    *([st.integers(0, 1000)] * 5),
)


@st.composite
def responses(draw: st.DrawFn) -> Response:
    """An answer: reasoning, texts and calls in any order."""
    items: list[OutputItem] = []
    calls = 0
    for kind in draw(st.lists(st.sampled_from(["message", "reasoning", "call"]), min_size=1, max_size=5)):
        if kind == "message":
            items.append(Message("assistant", (Text(draw(words)),)))
        elif kind == "reasoning":
            items.append(Reasoning((Segment(draw(st.sampled_from(["summary", "full"])), draw(words)),)))
        else:
            calls += 1
            items.append(ToolCall(f"call_{calls}", draw(names), draw(arguments)))
    cut: Reason = draw(st.sampled_from(["stop", "length"]))
    reason: Reason = "tool_calls" if calls else cut
    return Response("r1", "m-1", 1_700_000_000, (Choice(tuple(items), Finish(reason)),), draw(usages))
