"""The bytes of SMPP 3.4: frames, the fields of the PDUs we use, optional parameters. No connection, no state.

Section numbers are those of the SMPP Protocol Specification 3.4, issue 1.2. Everything read is bounded before it is
looked at: a frame is 16 octets to 64 KiB, a C-octet string has its specified maximum.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import NamedTuple

import msgspec

from perigee.errors import PerigeeError

HEADER = struct.Struct(">IIII")
LONGEST = 64 * 1024
RESPONSE = 0x8000_0000
LAST_SEQUENCE = 0x7FFF_FFFF


class Command(IntEnum):
    """`command_id` (5.1.2.1); a response has bit 31 set."""

    BIND_RECEIVER = 0x01
    BIND_TRANSMITTER = 0x02
    SUBMIT_SM = 0x04
    DELIVER_SM = 0x05
    UNBIND = 0x06
    BIND_TRANSCEIVER = 0x09
    ENQUIRE_LINK = 0x15
    ALERT_NOTIFICATION = 0x102
    DATA_SM = 0x103
    GENERIC_NACK = RESPONSE
    SUBMIT_SM_RESP = RESPONSE | 0x04
    DELIVER_SM_RESP = RESPONSE | 0x05
    UNBIND_RESP = RESPONSE | 0x06
    ENQUIRE_LINK_RESP = RESPONSE | 0x15


class Tag(IntEnum):
    """Optional parameters that we read or write (5.3.2)."""

    RECEIPTED_MESSAGE_ID = 0x001E
    USER_MESSAGE_REFERENCE = 0x0204
    SAR_MSG_REF_NUM = 0x020C
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


class Unreadable(PerigeeError):
    """Octets that are no SMPP; `status` is what to answer with (5.1.3)."""

    code = "smpp_unreadable"

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Pdu(NamedTuple):
    command: int
    status: int
    sequence: int
    body: bytes


class Address(NamedTuple):
    """Type of number, numbering plan (5.2.5, 5.2.6), digits or letters."""

    ton: int = 0
    npi: int = 0
    value: str = ""


class ShortMessage(msgspec.Struct, frozen=True, gc=False):
    """submit_sm and deliver_sm, which have the same fields (4.4.1, 4.6.1), and data_sm, which has some (4.7.1)."""

    source: Address
    destination: Address
    text: bytes = b""
    service_type: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority: int = 0
    schedule: str = ""
    validity: str = ""
    registered_delivery: int = 0
    replace: int = 0
    data_coding: int = 0
    default_message: int = 0
    tlvs: tuple[tuple[int, bytes], ...] = ()

    def tlv(self, tag: int) -> bytes | None:
        """The first parameter with this tag."""
        return next((value for known, value in self.tlvs if known == tag), None)

    @property
    def payload(self) -> bytes:
        """The user's octets, wherever they stand (5.3.2.32)."""
        return self.text or self.tlv(Tag.MESSAGE_PAYLOAD) or b""

    def encode(self) -> bytes:
        """The body of a submit_sm or deliver_sm. ValueError for what does not fit its field."""
        if len(self.text) > 254:
            raise ValueError("short_message holds at most 254 octets")
        return b"".join(
            [
                c_string(self.service_type, 6),
                _address(self.source),
                _address(self.destination),
                bytes((self.esm_class, self.protocol_id, self.priority)),
                c_string(self.schedule, 17),
                c_string(self.validity, 17),
                bytes((self.registered_delivery, self.replace, self.data_coding, self.default_message)),
                bytes((len(self.text),)),
                self.text,
                *[struct.pack(">HH", tag, len(value)) + value for tag, value in self.tlvs],
            ]
        )


def frame(command: int, sequence: int, body: bytes = b"", status: int = 0) -> bytes:
    return HEADER.pack(16 + len(body), command, status, sequence) + body


def bind(
    command: Command, sequence: int, system_id: str, password: str, system_type: str, own: Address
) -> bytes:
    """A bind of any kind (4.1); `own` are the addresses whose inbound messages we want."""
    body = b"".join(
        [
            c_string(system_id, 16),
            c_string(password, 64),  # the specification says 9; longer ones are in use
            c_string(system_type, 13),
            bytes((0x34, own.ton, own.npi)),
            c_string(own.value, 41),
        ]
    )
    return frame(command, sequence, body)


def c_string(text: str, size: int) -> bytes:
    """A C-octet string of at most `size` octets with its end. ValueError when it does not fit."""
    octets = text.encode("latin-1")
    if len(octets) >= size or 0 in octets:
        raise ValueError(f"at most {size - 1} octets without NUL")
    return octets + b"\0"


class Frames:
    """Cuts a stream of octets into PDUs."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, octets: bytes) -> Iterator[Pdu]:
        """Raises Unreadable for an impossible length: the stream is lost then."""
        self._rest += octets
        start, size = 0, len(self._rest)
        try:
            while size - start >= 4:
                length = int.from_bytes(self._rest[start : start + 4])
                if not 16 <= length <= LONGEST:
                    raise Unreadable(f"a PDU of {length} octets", 0x02)
                if size - start < length:
                    break
                _, command, status, sequence = HEADER.unpack_from(self._rest, start)
                body = bytes(self._rest[start + 16 : start + length])
                start += length
                yield Pdu(command, status, sequence, body)
        finally:
            del self._rest[:start]


def read_message_id(body: bytes) -> str:
    """Of a submit_sm_resp; '' where there is none, as after a refusal (4.4.2). Without its NUL or longer than
    specified it is read all the same: a lost id is a lost receipt."""
    return body.split(b"\0", 1)[0][:255].decode("latin-1")


def read_short_message(body: bytes) -> ShortMessage:
    """The body of a deliver_sm or submit_sm. Raises Unreadable."""
    read = _Reader(body)
    service_type = read.c_string(6)
    source, destination = read.address(21), read.address(21)
    esm_class, protocol_id, priority = read.octets(3)
    schedule, validity = read.c_string(17), read.c_string(17)
    registered, replace, data_coding, default_message, length = read.octets(5)
    return ShortMessage(
        source,
        destination,
        read.octets(length),
        service_type,
        esm_class,
        protocol_id,
        priority,
        schedule,
        validity,
        registered,
        replace,
        data_coding,
        default_message,
        tuple(read.tlvs()),
    )


def read_data_sm(body: bytes) -> ShortMessage:
    """The body of a data_sm, whose text is in message_payload. Raises Unreadable."""
    read = _Reader(body)
    service_type = read.c_string(6)
    source, destination = read.address(65), read.address(65)
    esm_class, registered, data_coding = read.octets(3)
    return ShortMessage(
        source,
        destination,
        service_type=service_type,
        esm_class=esm_class,
        registered_delivery=registered,
        data_coding=data_coding,
        tlvs=tuple(read.tlvs()),
    )


def _address(address: Address) -> bytes:
    return bytes((address.ton, address.npi)) + c_string(address.value, 21)


class _Reader:
    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def octets(self, count: int) -> bytes:
        found = self._body[self._at : self._at + count]
        if len(found) < count:
            raise Unreadable("a PDU ends within a field", 0x02)
        self._at += count
        return found

    def c_string(self, size: int) -> str:
        end = self._body.find(b"\0", self._at, self._at + size)
        if end < 0:
            raise Unreadable(f"a string without end within {size} octets", 0x02)
        found = self._body[self._at : end].decode("latin-1")
        self._at = end + 1
        return found

    def address(self, size: int) -> Address:
        ton, npi = self.octets(2)
        return Address(ton, npi, self.c_string(size))

    def tlvs(self) -> Iterable[tuple[int, bytes]]:
        """What stands behind the last whole parameter is passed over: some send a stray NUL there."""
        while len(self._body) - self._at >= 4:
            tag, length = struct.unpack_from(">HH", self._body, self._at)
            value = self._body[self._at + 4 : self._at + 4 + length]
            if len(value) < length:
                return
            self._at += 4 + length
            yield tag, value
