from __future__ import annotations

import pytest

from did_health.errors import FormatError
from did_health.limits import MAX_BEARER_TOKENS
from did_health.services.bearer import BearerTokens

TOKEN = "0123456789abcdef"


def test_a_file_of_tokens_is_read() -> None:
    tokens = BearerTokens.parse(f"# ours\n\n  {TOKEN}  \nfedcba9876543210==\n")
    assert tokens.demanded
    assert tokens.accept(f"Bearer {TOKEN}")
    assert tokens.accept("bearer  fedcba9876543210==")
    for header in ("", "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer # ours", "Bearer \udcff"):
        assert not tokens.accept(header)
    assert TOKEN not in repr(tokens)


def test_without_tokens_every_request_is_let_through() -> None:
    assert not BearerTokens().demanded
    assert BearerTokens().accept("")


@pytest.mark.parametrize("text", ["", "# nothing\n", "short", "with blank 0123456789", "\u00e9" * 20, "x" * 5000, f"{TOKEN}\n" * (MAX_BEARER_TOKENS + 1)])
def test_a_file_that_holds_no_tokens_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(FormatError) as refused:
        BearerTokens.parse(text)
    assert not text.strip() or text.strip()[:20] not in str(refused.value)
