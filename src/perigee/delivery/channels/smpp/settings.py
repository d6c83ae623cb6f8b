"""What an operator fills in for an SMPP account, and the times a session may take."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

_Octet = Annotated[int, Meta(ge=0, le=255)]


class BindMode(StrEnum):
    TRANSCEIVER = "transceiver"
    PAIR = "tx+rx"  # a transmitter and a receiver


class Alphabet(StrEnum):
    """How the operator reads data_coding 0."""

    GSM = "gsm"  # GSM 03.38, one septet to an octet
    LATIN1 = "latin1"
    ASCII = "ascii"


class Concatenation(StrEnum):
    UDH = "udh"  # a header in the text, 8-bit reference
    UDH16 = "udh16"  # the same, 16-bit reference: a septet or a letter less to a part
    SAR = "sar"  # sar_msg_ref_num, sar_total_segments, sar_segment_seqnum
    PAYLOAD = "payload"  # message_payload: the operator divides


class MessageIds(StrEnum):
    """How the operator writes a message's id in submit_sm_resp and in receipts."""

    AS_IS = "as_is"  # the same in both
    HEX_TO_DEC = "hex_to_dec"  # hexadecimal in the answer, decimal in receipts
    DEC_TO_HEX = "dec_to_hex"  # decimal in the answer, hexadecimal in receipts
    NO_ZEROS = "no_zeros"  # the same but for leading zeros


class SmppSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One account at an operator or aggregator. The password is stored encrypted by whoever keeps this form."""

    host: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:\-]{1,255}$", title="Server")]
    system_id: Annotated[str, Meta(pattern=r"^[\x21-\x7e]{1,15}$", title="User (system_id)")]
    port: Annotated[int, Meta(ge=1, le=65535, title="Port")] = 2775
    tls: Annotated[bool, Meta(title="TLS from the first octet")] = False
    verify: Annotated[
        bool,
        Meta(title="Check certificate", description="Off only for tests: anyone could read the messages."),
    ] = True
    password: Annotated[
        str, Meta(pattern=r"^[\x20-\x7e]{0,63}$", title="Password", extra_json_schema={"secret": True})
    ] = ""
    system_type: Annotated[str, Meta(pattern=r"^[\x20-\x7e]{0,12}$", title="System type")] = ""
    service_type: Annotated[str, Meta(pattern=r"^[\x20-\x7e]{0,5}$", title="Service type")] = ""
    bind: Annotated[BindMode, Meta(title="Bind as")] = BindMode.TRANSCEIVER
    binds: Annotated[
        int,
        Meta(
            ge=1,
            le=20,
            title="Binds per process",
            description="Each worker process binds so often; ask the operator how many are allowed in all.",
        ),
    ] = 1
    window: Annotated[int, Meta(ge=1, le=1000, title="Unanswered messages per bind")] = 10
    rate: Annotated[
        float,
        Meta(ge=0, le=100_000, title="Parts per second and process", description="0: as fast as it goes."),
    ] = 0.0
    source_ton: Annotated[
        _Octet | None, Meta(title="Sender's type of number", description="Empty: read from the sender.")
    ] = None
    source_npi: Annotated[_Octet | None, Meta(title="Sender's numbering plan")] = None
    destination_ton: Annotated[_Octet, Meta(title="Recipient's type of number")] = 1
    destination_npi: Annotated[_Octet, Meta(title="Recipient's numbering plan")] = 1
    address_range: Annotated[
        str,
        Meta(
            pattern=r"^[\x20-\x7e]{0,40}$",
            title="Numbers to receive for",
            description="As the operator says; empty: all.",
        ),
    ] = ""
    alphabet: Annotated[Alphabet, Meta(title="Alphabet of data_coding 0")] = Alphabet.GSM
    concatenation: Annotated[Concatenation, Meta(title="Long messages")] = Concatenation.UDH
    max_parts: Annotated[int, Meta(ge=1, le=255, title="Most parts of a message")] = 10
    transliterate: Annotated[
        bool,
        Meta(
            title="Plain punctuation",
            description="Typographic quotes, dashes and spaces become plain ones where that alone saves the wide coding.",
        ),
    ] = True
    message_ids: Annotated[MessageIds, Meta(title="Message ids")] = MessageIds.AS_IS
    receipts: Annotated[bool, Meta(title="Ask for delivery receipts")] = True
    validity_hours: Annotated[
        int, Meta(ge=0, le=720, title="Hours a message may wait", description="0: the operator's own time.")
    ] = 48
    stop_words: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=40)]],
        Meta(max_length=100, title="More words that unsubscribe"),
    ] = []
    stop_reply: Annotated[
        str,
        Meta(
            max_length=160,
            title="Answer to a stop word",
            description="Sent once; empty: nothing is answered.",
        ),
    ] = ""


class Times(msgspec.Struct, frozen=True):
    """Seconds."""

    connect: float = 10.0
    bind: float = 15.0
    enquire: float = 30.0  # between enquire_links; without its answer by the next one the session is dead
    answer: float = 60.0  # for a submit_sm; later the message is uncertain
    unbind: float = 5.0
    first_wait: float = 1.0  # before binding again, doubled each time
    longest_wait: float = 60.0
    refused_wait: float = 300.0  # when only other settings can help
