"""What an exchange says, in no dialect's words.

The spine is a flat list of items, the finest grain that all four dialects embed into: a message, a piece of reasoning, a
tool call, a tool result. Roles and turns are attributes, so that every writer can regroup. A stream tells the same things as
events (`llmux.dialects.events`). Token counts are inclusive: `in_total` holds the cached ones, `out_total` the reasoning.

`at` is the JSON pointer of what an item was read from, for notes; it is "" where nothing was read. None means that the
request does not say; what it says, it says by a value. Structs of msgspec, because a stream makes one for every few
characters and they cost half of what an attrs class does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, repeat
from typing import Any, Literal

import msgspec

Role = Literal["system", "developer", "user", "assistant", "tool"]


# --- what items are made of


class Mark(msgspec.Struct, frozen=True, gc=False):
    """The end of a prefix that the provider shall cache. `ttl` is in the words of whoever set it: 5m, 1h, 30m, 12h."""

    ttl: str | None = None
    at: str = ""


class Seal(msgspec.Struct, frozen=True, gc=False):
    """Opaque proof that its maker wants back unchanged; nobody else can use it, and nobody may invent it.

    `family` is whose it is: `anthropic`, `openai`, `gemini`. `kind` says where its maker keeps it. `at` is where it was read,
    where that is not the place of what it seals.
    """

    family: str
    kind: Literal["signature", "redacted", "encrypted", "thought_signature"]
    payload: str
    at: str = ""


class Annotation(msgspec.Struct, frozen=True, gc=False):
    """Where a text got what it says. `start` and `end` (exclusive) count code points of the text; None: all of it.

    `kind` is `url` where a page on the web is named; everything else is known to its own dialect only, as `raw`.
    `encrypted` is the proof of a web search's result that its maker wants back. `at` is the list in an answer that it stood in.
    """

    kind: str
    url: str = ""
    title: str = ""
    cited: str = ""
    start: int | None = None
    end: int | None = None
    dialect: str = ""
    raw: Any = None
    at: str = ""


class TokenProbability(msgspec.Struct, frozen=True, gc=False):
    """One token with its log probability; `raw_bytes` are its UTF-8 bytes where they were told, `top` the likeliest ones."""

    token: str
    logprob: float
    raw_bytes: tuple[int, ...] | None = None
    top: tuple[TokenProbability, ...] = ()


class Text(msgspec.Struct, frozen=True, gc=False):
    """Text that is to be read."""

    text: str
    annotations: tuple[Annotation, ...] = ()
    logprobs: tuple[TokenProbability, ...] = ()
    seals: tuple[Seal, ...] = ()
    mark: Mark | None = None
    at: str = ""


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """The model's own words for why it does not answer."""

    text: str
    at: str = ""


class Inline(msgspec.Struct, frozen=True, gc=False):
    """Bytes, as standard base64 text."""

    data: str


class Link(msgspec.Struct, frozen=True, gc=False):
    """A URL: `https:`, or what a provider keeps (`gs:`)."""

    url: str


class FileId(msgspec.Struct, frozen=True, gc=False):
    """A file that `family` keeps; nobody else knows it."""

    family: str
    id: str


class PlainText(msgspec.Struct, frozen=True, gc=False):
    """A document whose content is text."""

    text: str


class Blocks(msgspec.Struct, frozen=True, gc=False):
    """A document whose content are parts."""

    parts: tuple[Part, ...]


Source = Inline | Link | FileId | PlainText | Blocks


class Media(msgspec.Struct, frozen=True, gc=False):
    """An image, a sound, a film or a document. `mime` is "" where it is not known; `name` is a file's name or title.

    `detail` is how closely to look: low, high, auto, original. `context` and `citable` are what Anthropic knows of documents.
    """

    kind: Literal["image", "audio", "video", "file"]
    source: Source
    mime: str = ""
    name: str = ""
    detail: str | None = None
    context: str | None = None
    citable: bool | None = None
    mark: Mark | None = None
    at: str = ""


class SearchResult(msgspec.Struct, frozen=True, gc=False):
    """Something that the client found and wants cited."""

    source: str
    title: str
    parts: tuple[Part, ...]
    citable: bool | None = None
    mark: Mark | None = None
    at: str = ""


class OpaquePart(msgspec.Struct, frozen=True, gc=False):
    """A part that only `dialect` knows, carried as it came."""

    kind: str
    raw: Any
    dialect: str = ""
    at: str = ""


Part = Text | Refusal | Media | SearchResult | OpaquePart


class Segment(msgspec.Struct, frozen=True, gc=False):
    """Reasoning text: the model's own (`full`) or a summary of it."""

    kind: Literal["summary", "full"]
    text: str


# --- items


class Message(msgspec.Struct, frozen=True, gc=False):
    """Somebody says something. `turn` counts the wire messages from which items came; `id` is "" until a dialect gives one.

    `author` names who speaks. `phase` is what Responses says of a message: `commentary` or `final_answer`. `cut`: it broke off.
    """

    role: Role
    parts: tuple[Part, ...]
    turn: int = 0
    id: str = ""
    author: str = ""
    phase: str = ""
    cut: bool = False
    at: str = ""


class Reasoning(msgspec.Struct, frozen=True, gc=False):
    """One unit of thinking. Without segments it is hidden, and only its seals tell of it."""

    segments: tuple[Segment, ...]
    seals: tuple[Seal, ...] = ()
    turn: int = 0
    id: str = ""
    at: str = ""

    @property
    def text(self) -> str:
        """The segments, one below the other."""
        return "\n\n".join(segment.text for segment in self.segments)


CallKind = Literal["function", "custom"]


class ToolCall(msgspec.Struct, frozen=True, gc=False):
    """The model asks for a tool of the client's.

    `args_text` is authoritative. For a function it is JSON text, which may be empty, or no JSON at all; for a custom tool it
    is the raw input. `namespace` is "" for most. `seals` are those that Gemini puts on a call. `cut`: it broke off, so that it
    must not be carried out.
    """

    call_id: str
    name: str
    args_text: str
    turn: int = 0
    id: str = ""
    kind: CallKind = "function"
    namespace: str = ""
    seals: tuple[Seal, ...] = ()
    mark: Mark | None = None
    cut: bool = False
    at: str = ""


class ToolResult(msgspec.Struct, frozen=True, gc=False):
    """What a tool gave back. `name` is None where the dialect does not repeat it.

    `form` is how the wire said it: a string, a list of parts, or an object (whose JSON text is then the only part).
    """

    call_id: str
    name: str | None
    parts: tuple[Part, ...]
    is_error: bool = False
    turn: int = 0
    id: str = ""
    kind: CallKind = "function"
    form: Literal["string", "parts", "object"] = "string"
    mark: Mark | None = None
    at: str = ""


ServerFamily = Literal[
    "web_search", "web_fetch", "code", "file_search", "image_gen", "mcp", "tool_search", "maps", "url_context", "other"
]


class ServerCall(msgspec.Struct, frozen=True, gc=False):
    """The provider calls a tool of its own; the client has nothing to do. `args_text` is JSON text (a search's holds `query`).

    `raw` is the item as `dialect` said it.
    """

    family: ServerFamily
    call_id: str
    name: str
    args_text: str
    dialect: str
    raw: Any
    status: str = "completed"
    turn: int = 0
    id: str = ""
    at: str = ""


class ServerResult(msgspec.Struct, frozen=True, gc=False):
    """What the provider's own tool gave back to its model. `hits` are the pages of a search, `text` what else can be read."""

    family: ServerFamily
    call_id: str
    hits: tuple[Annotation, ...]
    text: str
    dialect: str
    raw: Any
    is_error: bool = False
    turn: int = 0
    id: str = ""
    at: str = ""


class OpaqueItem(msgspec.Struct, frozen=True, gc=False):
    """An item that only `dialect` knows, carried as it came."""

    kind: str
    raw: Any
    dialect: str = ""
    turn: int = 0
    at: str = ""


OutputItem = Message | Reasoning | ToolCall | ServerCall | ServerResult | OpaqueItem  # what a model says
Item = OutputItem | ToolResult


def plain(parts: Iterable[Part]) -> str:
    """The text of some parts, one below the other."""
    return "\n".join(part.text for part in parts if isinstance(part, Text))


# --- a request


ToolKind = Literal["function", "custom", "hosted"]


class Server(msgspec.Struct, frozen=True, gc=False):
    """A server of tools (MCP) that the provider connects to. `token` is what it is shown as a bearer's, `headers` are the others.

    `allowed` are the tools that may be used, None: all of them. `unsaid` are pointers of what no other API can be told of it,
    each with the reason: whoever tells another API of the server refuses.
    """

    label: str
    url: str
    token: str | None = None
    headers: Mapping[str, str] = {}
    allowed: tuple[str, ...] | None = None
    deferred: bool | None = None
    unsaid: tuple[tuple[str, str], ...] = ()
    at: str = ""


class Tool(msgspec.Struct, frozen=True, gc=False):
    """A tool that the client offers (`function`, `custom`: free text in), or that the provider has (`hosted`).

    `schema` is the JSON Schema of a function's arguments, None where it has none; `grammar` is a custom tool's `format`.
    `family` and `raw` are a hosted tool's: `raw` is the tool as `dialect` said it; `server` is what a family of `mcp` is about.
    """

    name: str
    kind: ToolKind = "function"
    namespace: str = ""
    description: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None
    grammar: dict[str, Any] | None = None
    examples: tuple[Any, ...] = ()
    deferred: bool | None = None
    output_schema: dict[str, Any] | None = None
    mark: Mark | None = None
    family: ServerFamily = "other"
    dialect: str = ""
    raw: Any = None
    server: Server | None = None
    at: str = ""


# Modes that oblige the model to call.
FORCED = ("required", "one", "subset_required", "hosted")


class ToolPolicy(msgspec.Struct, frozen=True, gc=False):
    """Which tools may, must or must not be called.

    `mode`: `one` forces `names[0]`; the subsets confine to `names`, the providers' own tools among them; `validated` is Gemini's;
    `hosted` forces a tool of the provider, told by `raw`. None: the request does not say. `parallel` is whether several calls may
    come at once. `kinds` goes with `names`.
    """

    mode: Literal["auto", "none", "required", "one", "subset_auto", "subset_required", "validated", "hosted"] | None = None
    names: tuple[str, ...] = ()
    kinds: tuple[ToolKind, ...] = ()
    parallel: bool | None = None
    max_calls: int | None = None
    raw: Any = None

    @property
    def named(self) -> Iterator[tuple[str, ToolKind]]:
        """The names, each with its kind."""
        return zip(self.names, chain(self.kinds, repeat("function")), strict=False)


class Sampling(msgspec.Struct, frozen=True, gc=False):
    """How tokens are chosen, and how many. Numbers as the client wrote them."""

    max_out: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    logit_bias: Mapping[str, Any] | None = None
    n: int | None = None
    stop: tuple[str, ...] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None


Level = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Show = Literal["none", "summary", "full"]


class ReasoningPolicy(msgspec.Struct, frozen=True, gc=False):
    """How much to think, by level or by budget (tokens); both are kept as said. `show` is how much of it to tell.

    `enabled`: `auto` leaves it to the model. `detail` is what Responses says of a summary: auto, concise, detailed.
    """

    enabled: Literal["yes", "no", "auto", "between_tools"] | None = None
    level: Level | None = None
    budget: int | None = None
    show: Show | None = None
    detail: str | None = None


class Output(msgspec.Struct, frozen=True, gc=False):
    """What the answer shall look like. `schema`, `name`, `description` and `strict` go with the format `schema`."""

    format: Literal["text", "json", "schema"] | None = None
    schema: Any = None
    name: str | None = None
    description: str | None = None
    strict: bool | None = None
    modalities: tuple[str, ...] | None = None
    verbosity: str | None = None


class Caching(msgspec.Struct, frozen=True, gc=False):
    """What the request says of prompt caches beside the marks.

    `key` keeps requests together. `automatic`: the provider places a mark itself; `marked_only`: it shall not; both with the
    lifetime of what is kept. `retention` is OpenAI's older word for that.
    """

    key: str | None = None
    automatic: Mark | None = None
    marked_only: Mark | None = None
    retention: str | None = None


Tier = Literal["auto", "standard", "flex", "priority", "fast", "scale"]


class Request(msgspec.Struct, frozen=True, gc=False):
    """What a client asks for.

    `display` is how much of the reasoning a client of its dialect expects to be shown (what playback shows), where
    `reasoning.show` is what it said. `user` names the end user; `legacy_user` is what OpenAI's older member says beside it.
    `moderation` is what OpenAI shall look for in what is said. `where` gives the JSON pointer of each scalar that was read,
    by the slot's name: `seed`, `tool_choice`, `level`.
    """

    items: tuple[Item, ...]
    tools: tuple[Tool, ...] = ()
    display: Show = "none"
    model: str = ""
    stream: bool = False
    include_usage: bool | None = None
    policy: ToolPolicy = ToolPolicy()
    sampling: Sampling = Sampling()
    reasoning: ReasoningPolicy = ReasoningPolicy()
    output: Output = Output()
    caching: Caching = Caching()
    tier: Tier | None = None
    user: str | None = None
    legacy_user: str | None = None
    moderation: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] | None = None
    store: bool | None = None
    where: Mapping[str, str] = {}


# --- a response


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Tokens, inclusive. `in_written_long` are those of `in_written` that are kept for an hour, `in_tool` those of `in_total`
    that the provider's own tools brought. `modalities` are pairs like `("in_audio", 12)`; `searches` counts web searches."""

    in_total: int = 0
    in_cached: int = 0
    in_written: int = 0
    out_total: int = 0
    out_reasoning: int = 0
    in_written_long: int = 0
    in_tool: int = 0
    modalities: tuple[tuple[str, int], ...] = ()
    searches: int = 0
    fetches: int = 0
    tier: str | None = None


Reason = Literal[
    "stop",
    "stop_sequence",
    "length",
    "context_full",
    "tool_calls",
    "refusal",  # the model's own
    "filter",  # the provider's
    "blocked",  # the prompt was not even answered
    "paused",  # a loop of the provider's own tools rests
    "malformed",  # a call that cannot be read
    "unsealed",  # a seal is missing
    "continuation",  # the provider wants to be asked to go on
    "disabled",  # the account may not
    "unknown",
]


class Finish(msgspec.Struct, frozen=True, gc=False):
    """Why the model stopped. `stop_sequence` is the sequence that stopped it, `message` and `category` what was said of it,
    `raw` the provider's own word. `at` is where that stood, `sequence_at` and `message_at` where those did."""

    reason: Reason
    stop_sequence: str | None = None
    message: str | None = None
    category: str | None = None
    raw: str = ""
    at: str = ""
    sequence_at: str = ""
    message_at: str = ""


class Choice(msgspec.Struct, frozen=True, gc=False):
    """One of several answers to one request."""

    items: tuple[OutputItem, ...]
    finish: Finish


class Response(msgspec.Struct, frozen=True, gc=False):
    """A whole response. `id` is without any dialect's prefix, `created` in Unix seconds, `usage` None where nobody counted."""

    id: str
    model: str
    created: int
    choices: tuple[Choice, ...]
    usage: Usage | None
    tier: str | None = None
    fingerprint: str | None = None

    @property
    def items(self) -> tuple[OutputItem, ...]:
        """What the first choice says; most dialects know no other."""
        return self.choices[0].items

    @property
    def finish(self) -> Finish:
        """Why the first choice ended."""
        return self.choices[0].finish
