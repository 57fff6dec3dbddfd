"""How llmux itself says no: in the dialect of the path, or as plain JSON where the path has none."""

from __future__ import annotations

import math

from llmux import jsonio
from llmux.dialects.openai_chat.errors import TABLE as _STATUSES
from llmux.dialects.registry import DIALECTS
from llmux.errors import Fault
from llmux.headers import Headers


def refusal(dialect: str | None, fault: Fault, request_id: str) -> tuple[int, Headers, bytes]:
    """Status, headers and body of a refusal."""
    headers: Headers = [(b"content-type", b"application/json"), (b"x-llmux-request-id", request_id.encode())]
    if dialect is None:
        status = fault.status or _STATUSES[fault.kind][0]
        body = jsonio.dumps({"error": fault.message})
    else:
        speaker = DIALECTS[dialect]
        status, body = speaker.error_body(fault, request_id)
        headers.append((speaker.request_id_header, request_id.encode()))
    if fault.kind == "auth":
        headers.append((b"www-authenticate", b"Bearer"))
    if fault.retry_after is not None:
        headers.append((b"retry-after", b"%d" % math.ceil(fault.retry_after)))
        headers.append((b"retry-after-ms", b"%d" % round(fault.retry_after * 1000)))
    if fault.should_retry is not None:
        headers.append((b"x-should-retry", b"true" if fault.should_retry else b"false"))
    return status, headers, body
