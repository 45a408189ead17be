"""Whatever goes into a parser of ``encoding`` or ``keys``, only an error of our tree comes out; and what is written is read again."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import base58
import cbor2
from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.encoding import base64, cbor, jcs, multibase, multihash, multikey, strict_json, timestamps, varint
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import Algorithm, public_key_from_jwk, public_key_from_multikey, signer_from_secret
from did_health.keys.ed25519 import Ed25519PublicKey
from did_health.keys.nist import NISTPublicKey
from did_health.keys.sealed import SealingCost, open_sealed, seal
from did_health.roles.evidence import Evidence

quick = settings(max_examples=150, deadline=None)

any_text = st.text() | st.text(st.characters(), max_size=200)
json_scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | any_text
json_values = st.recursive(
    json_scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4), max_leaves=12
)  # fmt: skip
json_like_bytes = st.binary(max_size=200) | st.text('{}[]":,\\u0123456789.eE+-truefalsn \ud800é', max_size=60).map(
    lambda text: text.encode(errors="surrogatepass")
)
# Also what JSON cannot hold.
values = st.recursive(
    json_scalars | st.binary() | st.just(object()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text | st.integers() | st.none(), inner, max_size=4) | st.tuples(inner),
    max_leaves=12,
)  # fmt: skip
cbor_keys = st.integers(-(2**66), 2**66) | st.text(max_size=20) | st.binary(max_size=20)
cbor_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | cbor_keys | st.builds(cbor2.CBORSimpleValue, st.integers(32, 255)),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(cbor_keys, inner, max_size=5) | st.builds(cbor2.CBORTag, st.integers(4, 2**64 - 1), inner),
    max_leaves=15,
)  # fmt: skip


def only_our_errors(call: Callable[[], Any], *more: type[Exception]) -> Any:
    """Call; ``FormatError`` (and ``more``) may come, anything else fails the test. ``None`` then."""
    try:
        return call()
    except (FormatError, *more):
        return None


@quick
@given(json_like_bytes | any_text)
def test_strict_json_reads_or_refuses(data: bytes | str) -> None:
    value = only_our_errors(lambda: strict_json.loads(data))
    if value is not None:
        assert json.loads(data) == value


@quick
@given(json_values)
def test_strict_json_reads_what_python_writes(value: Any) -> None:
    text = json.dumps(value)
    read = only_our_errors(lambda: strict_json.loads(text))
    if read is not None:
        assert read == value


@quick
@given(json_values)
def test_strict_json_reads_what_it_writes(value: Any) -> None:
    written = only_our_errors(lambda: strict_json.dumps(value))
    if written is not None and "null" not in written.decode():  # orjson writes NaN as null
        assert strict_json.loads(written) == value


@quick
@given(values)
def test_jcs_is_the_reference_implementation_but_faster(value: Any) -> None:
    expected = only_our_errors(lambda: jcs.canonicalize_slowly(value))
    assert only_our_errors(lambda: jcs.canonicalize(value)) == expected


@quick
@given(json_values)
def test_jcs_of_a_value_that_was_surveyed_as_plain(value: Any) -> None:
    if strict_json.survey(value).plain:
        expected = only_our_errors(lambda: jcs.canonicalize_slowly(value))
        assert only_our_errors(lambda: jcs.canonicalize_plain(value)) == expected


@quick
@given(json_like_bytes | json_values.map(lambda value: json.dumps({"format": "did-health/evidence/v1", "items": value}).encode()))
def test_evidence_is_read_or_refused(data: bytes) -> None:
    only_our_errors(lambda: Evidence.parse(data))


@quick
@given(json_values)
def test_canonical_form_is_stable(value: Any) -> None:
    canonical = only_our_errors(lambda: jcs.canonicalize(value))
    if canonical is not None:
        # As a parser reads it to which every number is a double: 1e16 is written with all its digits, like an integer too long to be safe.
        assert jcs.canonicalize(json.loads(canonical, parse_int=float)) == canonical


@quick
@given(st.binary(max_size=300))
def test_cbor_reads_or_refuses(data: bytes) -> None:
    value = only_our_errors(lambda: cbor.loads(data))
    if value is not None:
        assert cbor.dumps(value) == data


@quick
@given(cbor_values, st.data())
def test_cbor_mutated_reads_or_refuses(value: Any, draw: st.DataObject) -> None:
    data = bytearray(cbor.dumps(value))
    data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    read = only_our_errors(lambda: cbor.loads(bytes(data)))
    if read is not None:
        assert cbor.dumps(read) == data


@quick
@given(cbor_values)
def test_cbor_reads_what_it_writes_and_so_does_cbor2(value: Any) -> None:
    data = cbor.dumps(value)
    assert cbor.loads(data) == value
    assert cbor.dumps(cbor.loads(data)) == data


@quick
@given(cbor_values | values)
def test_cbor_writes_or_refuses(value: Any) -> None:
    only_our_errors(lambda: cbor.dumps(value))


@quick
@given(st.binary())
def test_base58btc_is_that_of_the_base58_package(data: bytes) -> None:
    text = multibase.base58btc_encode(data)
    assert text == base58.b58encode(data).decode()
    assert multibase.base58btc_decode(text) == data


@quick
@given(any_text | st.text("123456789ABCabc0OIl -_=+/", max_size=80))
def test_text_decoders_decode_one_form_or_refuse(text: str) -> None:
    for decode, encode in (
        (base64.base64_decode, base64.base64_encode),
        (base64.base64url_decode, base64.base64url_encode),
        (multibase.base58btc_decode, multibase.base58btc_encode),
    ):
        data = only_our_errors(lambda decode=decode: decode(text))
        if data is not None:
            assert encode(data) == text


@settings(max_examples=300, deadline=None)
@given(st.sampled_from("\x00079fFvVtTbBcChkKRzZmMuUpQ/🚀"), any_text | st.text("0123456789abcdefABCDEF=-_", max_size=40))
def test_every_multibase_decodes_or_refuses(prefix: str, text: str) -> None:
    data = only_our_errors(lambda: multibase.decode(prefix + text), UnsupportedError)
    if data is not None:
        assert multibase.encode(prefix, data).lower() == (prefix + text).lower()


@quick
@given(st.sampled_from("079fFvVtTbBcChkKzZmMuU"), st.binary(max_size=40))
def test_every_multibase_reads_what_it_writes(prefix: str, data: bytes) -> None:
    assert multibase.decode(multibase.encode(prefix, data)) == data


@quick
@given(st.binary(max_size=60))
def test_binary_parsers_read_or_refuse(data: bytes) -> None:
    only_our_errors(lambda: varint.decode(data))
    only_our_errors(lambda: multihash.decode(data))
    only_our_errors(lambda: multihash.matches(data, b"x"), UnsupportedError)
    only_our_errors(lambda: multikey.decode(multibase.encode("z", data)), UnsupportedError)
    only_our_errors(lambda: multikey.decode(multibase.encode("z", b"\xed\x01" + data)))
    for raw in (data, data[:32].ljust(32, b"\0"), data[:33].ljust(33, b"\2")):
        only_our_errors(lambda raw=raw: Ed25519PublicKey(raw))
        for algorithm in (Algorithm.P256, Algorithm.P384):
            only_our_errors(lambda raw=raw, algorithm=algorithm: NISTPublicKey(algorithm, raw))
            only_our_errors(lambda raw=raw, algorithm=algorithm: signer_from_secret(algorithm, raw))


@quick
@given(any_text)
def test_multikeys_are_read_or_refused(text: str) -> None:
    only_our_errors(lambda: multikey.decode(text), UnsupportedError)
    only_our_errors(lambda: public_key_from_multikey("z6Mk" + text), UnsupportedError)


@quick
@given(
    st.fixed_dictionaries(
        {"kty": st.sampled_from(["OKP", "EC", "RSA"]) | json_values},
        optional={"crv": st.sampled_from(["Ed25519", "P-256", "P-384"]) | json_values, "x": json_values, "y": json_values, "d": json_values},
    )
)
def test_jwks_are_read_or_refused(jwk: dict[str, Any]) -> None:
    only_our_errors(lambda: public_key_from_jwk(jwk), UnsupportedError)


@quick
@given(any_text | st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})\Z"))
def test_timestamps_are_read_or_refused(text: str) -> None:
    moment = only_our_errors(lambda: timestamps.parse(text))
    if moment is not None:
        assert timestamps.parse(timestamps.format(moment)) == moment.replace(microsecond=0)


@quick
@given(st.datetimes(timezones=st.timezones()))
def test_every_moment_is_written_so_that_it_is_read_again(moment: Any) -> None:
    try:
        written = timestamps.format(moment)
    except OverflowError:  # its UTC is before the year 1 or after 9999
        return
    assert abs((timestamps.parse(written) - moment).total_seconds()) < 1


@quick
@given(st.binary(min_size=64, max_size=96), st.binary(max_size=20))
def test_verification_of_garbage_says_no(signature: bytes, message: bytes) -> None:
    assert not signer_from_secret(Algorithm.ED25519, bytes(32)).public_key.verify(signature, message)
    assert not signer_from_secret(Algorithm.P256, b"\1" * 32).public_key.verify(signature, message)
    assert not signer_from_secret(Algorithm.P384, b"\1" * 48).public_key.verify(signature, message)


SEALED = json.loads(seal(b"x", "correct horse", content="key", random=bytes, cost=SealingCost(operations=1, memory_bytes=8192)))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(SEALED)), json_values)
def test_sealed_files_open_or_are_refused(name: str, value: Any) -> None:
    # Not more memory than a test should take.
    if name in ("operations", "memoryBytes") and type(value) is int and value > 1 << 16:
        value = 1 << 40
    data = json.dumps({**SEALED, name: value}).encode()
    opened = only_our_errors(lambda: open_sealed(data, "correct horse", content="key"), UnsupportedError, VerificationError)
    assert opened is None or SEALED[name] == value


@quick
@given(json_like_bytes)
def test_sealed_garbage_is_refused(data: bytes) -> None:
    only_our_errors(lambda: open_sealed(data, "correct horse", content="key"), UnsupportedError)


def test_nan_is_not_hidden_by_the_comparisons_above() -> None:
    assert only_our_errors(lambda: jcs.canonicalize(math.nan)) is None
