from __future__ import annotations

import pytest

from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import Algorithm, signer_from_secret
from did_health.limits import MAX_COSIGNATURE_SKEW_SECONDS, MAX_POLICY_BYTES, MAX_POLICY_LINES
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.cosignature import cosign, cosigner_key
from did_health.tlog.merkle import Tree, leaf_hash
from did_health.tlog.note import NoteSigner, Signature, SignatureType, SignedNote, VerifierKey, sign_note
from did_health.tlog.proof import TlogProof
from did_health.tlog.witness_policy import Cosigned, PolicyGroup, PolicyLog, PolicyWitness, VerifiedCheckpoint, WitnessPolicy, quorum_policy, verify_proof

LOG = NoteSigner("log.example", signer_from_secret(Algorithm.ED25519, b"l" * 32))
OTHER_LOG = NoteSigner("other.example", signer_from_secret(Algorithm.ED25519, b"o" * 32))
NAMES = ("w1", "w2", "w3", "w4", "w5")
SIGNERS = {name: signer_from_secret(Algorithm.ED25519, name.encode() * 16) for name in NAMES}
KEYS = {name: cosigner_key(f"{name}.example", signer.public_key) for name, signer in SIGNERS.items()}
TREE = Tree.from_leaf_hashes(leaf_hash(b"%d" % number) for number in range(9))
HEAD = Checkpoint("log.example", 9, TREE.root())
WITNESS_LINES = "".join(f"witness {name} {key}\n" for name, key in KEYS.items())


def policy(rules: str) -> WitnessPolicy:
    return WitnessPolicy.parse(f"log {LOG.vkey}\n{WITNESS_LINES}{rules}")


def cosigned(head: Checkpoint = HEAD, signer: NoteSigner = LOG, **times: int) -> SignedNote:
    note = sign_note(head.encode(), [signer])
    return note.with_signatures([cosign(note, KEYS[name].name, SIGNERS[name], time) for name, time in times.items()])


def refusal(trusted: WitnessPolicy, note: SignedNote, now: int | None = None) -> str:
    with pytest.raises(VerificationError) as caught:
        trusted.check(note, now=now)
    return caught.value.code


THREE_OF_FIVE = policy("group all-five 3 w1 w2 w3 w4 w5\nquorum all-five\n")


def test_a_quorum_makes_a_checkpoint_believable() -> None:
    verified = THREE_OF_FIVE.check(cosigned(w1=100, w2=300, w4=200))
    assert verified == VerifiedCheckpoint(HEAD, 100, (Cosigned("w1", 100), Cosigned("w2", 300), Cosigned("w4", 200)))


def test_too_few_witnesses_do_not() -> None:
    assert refusal(THREE_OF_FIVE, cosigned(w1=100, w2=300)) == "quorum_not_met"
    assert refusal(THREE_OF_FIVE, cosigned()) == "quorum_not_met"


def test_an_empty_policy_refuses_everything() -> None:
    assert refusal(WitnessPolicy(), cosigned(w1=1)) == "policy_empty"
    assert refusal(WitnessPolicy.parse("quorum none\n"), cosigned(w1=1)) == "policy_empty"
    assert refusal(WitnessPolicy.parse(f"{WITNESS_LINES}quorum w1\n"), cosigned(w1=1)) == "policy_empty"


def test_a_policy_without_witnesses_gives_no_time() -> None:
    assert policy("quorum none\n").check(cosigned(w1=100)) == VerifiedCheckpoint(HEAD, None, ())


def test_the_log_must_be_known_by_the_name_that_is_the_origin() -> None:
    assert refusal(THREE_OF_FIVE, cosigned(signer=OTHER_LOG, w1=1, w2=1, w3=1)) == "note_unverified"
    both = WitnessPolicy.parse(f"log {LOG.vkey}\nlog {OTHER_LOG.vkey}\nquorum none\n")
    assert refusal(both, cosigned(signer=OTHER_LOG)) == "note_unverified"
    unnamed = NoteSigner("log.example", OTHER_LOG.signer)
    assert refusal(both, cosigned(signer=unnamed)) == "note_unverified"
    assert both.check(cosigned(Checkpoint("other.example", 9, HEAD.root), OTHER_LOG)).checkpoint.origin == "other.example"


def test_a_bad_signature_of_a_known_log_or_witness_condemns_the_checkpoint() -> None:
    good = cosigned(w1=100, w2=300, w3=200, w4=1)
    for line in good.signatures:
        bad = Signature(line.name, line.key_id, line.blob[:-1] + bytes([line.blob[-1] ^ 1]))
        note = SignedNote(good.text, tuple(bad if other is line else other for other in good.signatures))
        assert refusal(THREE_OF_FIVE, note) == "note_signature_invalid"


def test_a_note_that_is_no_checkpoint_is_malformed() -> None:
    with pytest.raises(FormatError):
        THREE_OF_FIVE.check(sign_note("hello\n", [LOG]))


def test_the_time_is_that_of_the_most_favourable_quorum() -> None:
    times = {"w1": 500, "w2": 100, "w3": 400, "w4": 300, "w5": 200}
    note = cosigned(**times)
    for threshold, expected in enumerate([500, 400, 300, 200, 100], 1):
        assert policy(f"group g {threshold} w1 w2 w3 w4 w5\nquorum g\n").check(note).timestamp == expected
    assert policy("group g any w1 w2\nquorum g\n").check(note).timestamp == 500
    assert policy("group g all w1 w2\nquorum g\n").check(note).timestamp == 100
    assert policy("quorum w4\n").check(note).timestamp == 300


def test_groups_of_groups() -> None:
    trusted = policy("group x 2 w1 w2 w3\ngroup y any w4 w5\ngroup both all x y\nquorum both\n")
    assert trusted.check(cosigned(w1=10, w3=30, w5=20)).timestamp == 10
    assert trusted.check(cosigned(w1=10, w2=25, w3=30, w4=5, w5=20)).timestamp == 20
    assert refusal(trusted, cosigned(w1=10, w2=10, w3=10)) == "quorum_not_met"
    assert refusal(trusted, cosigned(w1=10, w4=10, w5=10)) == "quorum_not_met"


def test_future_cosignatures_are_not_counted() -> None:
    now = 1_000
    edge = now + MAX_COSIGNATURE_SKEW_SECONDS
    assert THREE_OF_FIVE.check(cosigned(w1=edge, w2=edge, w3=edge), now=now).timestamp == edge
    assert refusal(THREE_OF_FIVE, cosigned(w1=edge, w2=edge, w3=edge + 1), now) == "quorum_not_met"
    late = THREE_OF_FIVE.check(cosigned(w1=1, w2=2, w3=3, w4=edge + 1), now=now)
    assert (late.timestamp, [item.witness for item in late.cosigners]) == (1, ["w1", "w2", "w3"])
    assert THREE_OF_FIVE.check(cosigned(w1=50, w2=50, w3=1_005), now=now, max_future_skew=5).timestamp == 50
    with pytest.raises(VerificationError):
        THREE_OF_FIVE.check(cosigned(w1=50, w2=50, w3=1_006), now=now, max_future_skew=5)


def test_one_witness_that_cosigns_twice_counts_once() -> None:
    note = cosigned(w1=1, w2=2)
    assert refusal(THREE_OF_FIVE, note.with_signatures([cosign(note, KEYS["w1"].name, SIGNERS["w1"], 3)])) == "quorum_not_met"


def test_one_key_under_two_names_counts_once() -> None:
    alias = cosigner_key("alias.example", SIGNERS["w1"].public_key)
    lines = f"log {LOG.vkey}\n{WITNESS_LINES}witness again {KEYS['w1']}\nwitness alias {alias}\n"
    note = cosigned(w1=1, w2=2)
    note = note.with_signatures([cosign(note, alias.name, SIGNERS["w1"], 3)])
    two_of = WitnessPolicy.parse(f"{lines}group g 2 w1 again alias\nquorum g\n")
    assert refusal(two_of, note) == "quorum_not_met"
    three_of = WitnessPolicy.parse(f"{lines}group a any again alias\ngroup g 3 w1 w2 a\nquorum g\n")
    assert refusal(three_of, note) == "quorum_not_met"
    only = WitnessPolicy.parse(f"{lines}group g all again w2\nquorum g\n")
    assert only.check(note).timestamp == 1


def test_a_witness_outside_the_quorum_is_not_even_read() -> None:
    note = cosigned(w1=1)
    forged = Signature(KEYS["w2"].name, KEYS["w2"].key_id, bytes(72))
    assert policy("quorum w1\n").check(note.with_signatures([forged])).cosigners == (Cosigned("w1", 1),)


def test_a_witness_key_written_as_a_note_key_means_its_cosignatures() -> None:
    plain = VerifierKey(KEYS["w1"].name, SignatureType.ED25519, KEYS["w1"].raw)
    trusted = WitnessPolicy.parse(f"log {LOG.vkey}\nwitness w1 {plain}\nquorum w1\n")
    assert trusted.check(cosigned(w1=7)).timestamp == 7
    assert str(plain) in trusted.encode()
    note = sign_note(HEAD.encode(), [LOG, NoteSigner(plain.name, SIGNERS["w1"])])
    assert refusal(trusted, note) == "quorum_not_met"


def test_a_witness_of_a_type_that_is_only_read_never_counts() -> None:
    key = VerifierKey("pq.example", SignatureType.ML_DSA_44_COSIGNATURE, bytes(1312))
    trusted = WitnessPolicy.parse(f"log {LOG.vkey}\nwitness pq {key}\nquorum pq\n")
    note = cosigned().with_signatures([Signature(key.name, key.key_id, bytes(2428))])
    assert refusal(trusted, note) == "quorum_not_met"


def test_a_proof_of_an_entry_is_verified_whole() -> None:
    proof = TlogProof(4, TREE.inclusion_proof(4), cosigned(w1=100, w2=300, w4=200), extra=b"unauthenticated")
    assert verify_proof(proof, b"4", THREE_OF_FIVE, now=300).timestamp == 100
    for entry, trusted, code in (
        (b"5", THREE_OF_FIVE, "inclusion_proof_invalid"),
        (b"4", WitnessPolicy(), "policy_empty"),
        (b"4", policy("group g all w1 w3\nquorum g\n"), "quorum_not_met"),
    ):
        with pytest.raises(VerificationError) as caught:
            verify_proof(proof, entry, trusted, now=300)
        assert caught.value.code == code


def test_policies_read_as_written() -> None:
    trusted = WitnessPolicy(
        (PolicyLog(LOG.key, "https://log.example/"), PolicyLog(OTHER_LOG.key)),
        (PolicyWitness("w1", KEYS["w1"], "https://w1.example/"), PolicyWitness("Ärzte-Zeuge", KEYS["w2"])),
        (PolicyGroup("g", 1, ("w1",)), PolicyGroup("h", 2, ("g", "Ärzte-Zeuge"))),
        "h",
    )
    assert WitnessPolicy.parse(trusted.encode()) == trusted
    assert WitnessPolicy.parse(trusted.encode().encode()) == trusted
    assert hash(WitnessPolicy.parse(trusted.encode())) == hash(trusted)


def test_spacing_comments_and_a_missing_last_newline_do_not_matter() -> None:
    text = f"# trust\n\n \t# indented\n\tlog \t {LOG.vkey}  \nwitness w1 {KEYS['w1']}\ngroup g all w1\nquorum\tg"
    trusted = WitnessPolicy.parse(text)
    assert trusted.encode() == f"log {LOG.vkey}\nwitness w1 {KEYS['w1']}\ngroup g 1 w1\nquorum g\n"


def test_names_are_octets() -> None:
    """K and the Kelvin sign differ, a no-break space separates nothing, and what is not UTF-8 survives."""
    for name in ("\u212a", "a\xa0b", "#w"):
        text = f"witness K {KEYS['w1']}\nwitness {name} {KEYS['w2']}\nquorum {name}\n"
        assert WitnessPolicy.parse(text).quorum == name
    octets = b"witness \xff " + str(KEYS["w1"]).encode() + b"\nquorum \xff\n"
    assert WitnessPolicy.parse(octets).encode().encode("utf-8", "surrogateescape") == octets


W1, W2 = f"witness w1 {KEYS['w1']}\n", f"witness w2 {KEYS['w2']}\n"


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("empty", ""),
        ("no quorum", W1),
        ("two quorums", f"{W1}quorum w1\nquorum w1\n"),
        ("quorum before its definition", f"quorum w1\n{W1}"),
        ("quorum of nothing known", "quorum w1\n"),
        ("quorum with two names", f"{W1}{W2}quorum w1 w2\n"),
        ("quorum without name", "quorum\n"),
        ("unknown line", f"{W1}mirror w1\nquorum w1\n"),
        ("keyword in capitals", f"{W1}Quorum w1\n"),
        ("log without key", "log\nquorum none\n"),
        ("log with too much", f"log {LOG.vkey} https://log.example/ more\nquorum none\n"),
        ("log twice", f"log {LOG.vkey}\nlog {LOG.vkey}\nquorum none\n"),
        ("log key under two names", f"log {LOG.vkey}\nlog {VerifierKey('l2.example', SignatureType.ED25519, LOG.key.raw)}\nquorum none\n"),
        ("log with a cosigner's key", f"log {KEYS['w1']}\nquorum none\n"),
        ("bad key", "log log.example+00000000+AAAA!\nquorum none\n"),
        ("witness without key", "witness w1\nquorum w1\n"),
        ("witness with too much", f"witness w1 {KEYS['w1']} url more\nquorum w1\n"),
        ("witness named twice", f"{W1}witness w1 {KEYS['w2']}\nquorum w1\n"),
        ("witness named none", f"witness none {KEYS['w1']}\nquorum none\n"),
        ("witness named any", f"witness any {KEYS['w1']}\nquorum any\n"),
        ("group named all", f"{W1}group all 1 w1\nquorum w1\n"),
        ("group named as a witness", f"{W1}{W2}group w1 1 w2\nquorum w1\n"),
        ("group without members", f"{W1}group g 1\nquorum w1\n"),
        ("group of unknown", f"{W1}group g 1 w2\nquorum g\n"),
        ("group of later", f"{W1}group g 1 w2\n{W2}quorum g\n"),
        ("group of itself", f"{W1}group g 1 g\nquorum g\n"),
        ("group of none", f"{W1}group g 1 none\nquorum g\n"),
        ("member twice", f"{W1}group g 1 w1 w1\nquorum g\n"),
        ("member of two groups", f"{W1}group g 1 w1\ngroup h 1 w1\nquorum h\n"),
        ("threshold 0", f"{W1}group g 0 w1\nquorum g\n"),
        ("threshold above members", f"{W1}group g 2 w1\nquorum g\n"),
        ("negative threshold", f"{W1}group g -1 w1\nquorum g\n"),
        ("leading zero in threshold", f"{W1}group g 01 w1\nquorum g\n"),
        ("threshold in words", f"{W1}group g most w1\nquorum g\n"),
        ("carriage return", f"{W1}quorum w1\r\n"),
        ("nul", f"{W1}# \0\nquorum w1\n"),
        ("delete", f"{W1}# \x7f\nquorum w1\n"),
        ("half a character", f"{W1}# \ud800\nquorum w1\n"),
        ("too long", f"{W1}quorum w1\n#{'x' * MAX_POLICY_BYTES}\n"),
        ("too many lines", f"{W1}quorum w1\n" + "\n" * MAX_POLICY_LINES),
    ],
)
def test_malformed_policy(fault: str, text: str) -> None:
    with pytest.raises(FormatError):
        WitnessPolicy.parse(text)


def test_a_key_of_an_unknown_type_is_unsupported() -> None:
    with pytest.raises(UnsupportedError):
        WitnessPolicy.parse("log log.example+00000000+AgAA\nquorum none\n")


def test_a_line_that_is_not_understood_is_named() -> None:
    with pytest.raises(FormatError, match="line 2") as caught:
        WitnessPolicy.parse(f"{W1}whatness w1\n")
    assert caught.value.where == "line 2"


def test_names_and_urls_that_a_file_cannot_hold_are_refused() -> None:
    for name in ("", "two words", "line\nbreak", "tab\there", "\0"):
        with pytest.raises(FormatError):
            WitnessPolicy(witnesses=(PolicyWitness(name, KEYS["w1"]),))
        with pytest.raises(FormatError):
            WitnessPolicy(logs=(PolicyLog(LOG.key, name),))


def test_a_policy_built_in_code_obeys_the_same_rules() -> None:
    witnesses = (PolicyWitness("w1", KEYS["w1"]), PolicyWitness("w2", KEYS["w2"]))
    for groups in ((PolicyGroup("g", 1, ("w3",)),), (PolicyGroup("g", 3, ("w1", "w2")),), (PolicyGroup("g", 1, ()),), (PolicyGroup("w1", 1, ("w2",)),)):
        with pytest.raises(FormatError):
            WitnessPolicy(witnesses=witnesses, groups=groups)
    with pytest.raises(FormatError):
        WitnessPolicy(witnesses=witnesses, quorum="g")


def test_a_large_policy_is_read() -> None:
    """§ Implementation limits: 32 logs, 32 witnesses and 32 groups are to be supported."""
    signers = [signer_from_secret(Algorithm.ED25519, bytes([number]) * 32) for number in range(64)]
    lines = [f"log {NoteSigner(f'log{number}.example', signer).vkey}" for number, signer in enumerate(signers[:32])]
    lines += [f"witness w{number} {cosigner_key(f'w{number}.example', signer.public_key)}" for number, signer in enumerate(signers[32:])]
    lines += [f"group g{number} any w{number}" for number in range(31)]
    lines += [f"group g all {' '.join(f'g{number}' for number in range(31))} w31", "quorum g"]
    trusted = WitnessPolicy.parse("\n".join(lines))
    assert (len(trusted.logs), len(trusted.witnesses), len(trusted.groups)) == (32, 32, 32)


# ---- witnesses and mirrors


BOTH = quorum_policy([PolicyLog(LOG.key)], witnesses=[KEYS["w1"], KEYS["w2"], KEYS["w3"]], quorum=2, mirrors=[KEYS["w4"], KEYS["w5"]])


def test_a_policy_that_demands_mirrors_is_not_satisfied_by_witnesses() -> None:
    assert refusal(BOTH, cosigned(w1=7, w2=7, w3=7)) == "quorum_not_met"
    assert refusal(BOTH, cosigned(w1=7, w4=7, w5=7)) == "quorum_not_met"
    found = BOTH.check(cosigned(w1=7, w2=8, w3=9, w5=6))
    assert found.timestamp == 6
    assert {one.witness for one in found.cosigners} == {"witness-1", "witness-2", "witness-3", "mirror-2"}
    assert WitnessPolicy.parse(BOTH.encode()) == BOTH


def test_who_would_satisfy_a_policy_is_told_before_anybody_is_asked() -> None:
    assert BOTH.satisfied_by([KEYS["w1"], KEYS["w3"], KEYS["w4"]])
    assert not BOTH.satisfied_by([KEYS["w1"], KEYS["w2"], KEYS["w3"]])
    assert not BOTH.satisfied_by([])
    assert WitnessPolicy((PolicyLog(LOG.key),)).satisfied_by([])


def test_without_mirrors_it_is_the_quorum_of_witnesses() -> None:
    plain = quorum_policy([PolicyLog(LOG.key)], witnesses=[KEYS["w1"], KEYS["w2"]], quorum=2)
    assert plain.quorum == "witnesses"
    assert plain.check(cosigned(w1=7, w2=8)).timestamp == 7
    with pytest.raises(FormatError):
        quorum_policy([PolicyLog(LOG.key)], witnesses=[KEYS["w1"]], quorum=2)
