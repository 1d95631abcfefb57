"""The wire, held to the golden messages that the JavaScript tests read too."""

import json
from base64 import b64decode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from exams.enums import OpKind
from exams.protocol import (
    KEPT_CODES,
    MAX_MILLISECONDS,
    MAX_QUESTION,
    MAX_SEQ,
    MAX_VALUE_CHARACTERS,
    REFUSALS,
    RETRY_CODES,
    Act,
    Call,
    Hello,
    Malformed,
    Ping,
    Ready,
    acknowledged,
    encode,
    parse,
    refused,
)
from exams.rules.ops import Op, chain_digest, genesis_digest, receipt_code

WIRE = Path(__file__).parent.parent / "wire"
NONCE_BYTES = 12


def golden(name):
    return json.loads((WIRE / f"{name}.json").read_text())


def frame_of(parsed):
    """Write a parsed frame back as the tablet would."""
    match parsed:
        case Hello(version=version, at=at, skew=skew, waiting=waiting):
            head = {"t": "hello", "v": version, "at": at} | ({} if skew is None else {"skew": skew})
            return head | ({"waiting": waiting} if waiting else {})
        case Act(op=op):
            head = {"t": "op", "seq": op.seq, "kind": op.kind.name.lower(), "q": op.question}
            return head | {"value": op.value, "at": op.made_at, "digest": op.digest.hex()}
        case Ready(paper=paper):
            return {"t": "ready", "paper": paper}
        case Ping(at=at, question=question, skew=skew):
            return {"t": "ping", "at": at, "q": question} | ({} if skew is None else {"skew": skew})
        case Call(raised=raised):
            return {"t": "call", "raised": raised}


@pytest.mark.parametrize("message", golden("tablet")["accepted"], ids=lambda message: message["name"])
def test_parse_reads_every_frame_of_a_tablet(message):
    assert frame_of(parse(encode(message["frame"]))) == message["frame"]


@pytest.mark.parametrize("message", golden("tablet")["rejected"], ids=lambda message: message["name"])
def test_parse_refuses_what_is_not_a_frame_with_its_code(message):
    with pytest.raises(Malformed) as caught:
        parse(message["text"])
    assert caught.value.code == message["code"]


def test_chain_is_the_golden_one():
    chain = golden("chain")
    for start in chain["genesis"]:
        assert genesis_digest(start["sitting"], start["sheet"]).hex() == start["digest"]
    head = bytes.fromhex(chain["genesis"][0]["digest"])
    for op in chain["ops"]:
        head = chain_digest(head, op["seq"], OpKind[op["kind"].upper()], op["q"], op["value"], op["at"])
        assert head.hex() == op["digest"]
    assert receipt_code(head) == chain["receipt"]


def test_refusals_are_the_golden_ones():
    frames = [message["frame"] for message in golden("server")["accepted"] if message["frame"]["t"] == "refused"]
    assert frames == [*(refused(code, 14) for code in REFUSALS), refused("malformed")]


def test_acknowledgements_are_the_golden_ones():
    frames = [message["frame"] for message in golden("server")["accepted"] if message["frame"]["t"] == "ack"]
    assert frames == [acknowledged(13, {}), acknowledged(14, {15: "AAAA"})]


def test_codes_to_retry_and_to_keep_are_refusals():
    assert set(REFUSALS) >= RETRY_CODES | KEPT_CODES
    assert set() == RETRY_CODES & KEPT_CODES


def test_a_greeting_may_say_nothing_of_its_clock():
    assert parse('{"t":"hello","v":1}') == Hello(version=1, at=None, skew=None, waiting=0)


def test_sealed_paper_of_the_javascript_tests_opens_with_its_keys():
    paper = golden("paper")
    file = b64decode(paper["file"])
    body = NONCE_BYTES + int.from_bytes(file[8:12], "big")
    header = json.loads(file[12:body])
    keys = paper["opening"] | paper["released"]
    for entry in header["questions"]:
        number, start = str(entry["number"]), body + entry["offset"]
        blob = file[start : start + entry["length"]]
        context = (paper["context"] + number).encode()
        plain = AESGCM(b64decode(keys[number])).decrypt(blob[:NONCE_BYTES], blob[NONCE_BYTES:], context)
        assert json.loads(plain) == paper["steps"][number]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=6),
    max_leaves=12,
)
NEARLY_FRAMES = st.fixed_dictionaries(
    {"t": st.sampled_from(["hello", "op", "ready", "ping", "call"]) | JSON_VALUES},
    optional=dict.fromkeys(
        ("v", "seq", "kind", "q", "value", "at", "skew", "waiting", "digest", "paper", "raised"), JSON_VALUES
    ),
)
VALUES = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=MAX_VALUE_CHARACTERS)
OPS = st.builds(
    Op,
    seq=st.integers(1, MAX_SEQ),
    kind=st.sampled_from(OpKind),
    question=st.integers(0, MAX_QUESTION),
    value=VALUES,
    made_at=st.integers(0, MAX_MILLISECONDS),
    digest=st.binary(min_size=32, max_size=32),
)


def objection(text):
    """Return the code with which `parse` refuses a text, or None; any other exception goes through."""
    try:
        parse(text)
    except Malformed as error:
        return error.code
    return None


@given(st.text() | (JSON_VALUES | NEARLY_FRAMES).map(json.dumps))
def test_parse_raises_nothing_but_malformed(text):
    assert objection(text) in {None, "malformed", "too-big"}


@given(OPS)
def test_op_survives_its_travel(op):
    assert parse(encode(frame_of(Act(op)))) == Act(op)
