"""As much of gRPC as a unary call over a unix socket wants: HTTP/2 frames, and protocol buffers as dictionaries."""

import socket
import struct

DATA, HEADERS, SETTINGS, PING, GOAWAY, WINDOW = 0, 1, 4, 6, 7, 8
END_STREAM, END_HEADERS, ACK = 1, 4, 1


class CallFailed(Exception):
    """The server answered without a message: its own log says why."""


def varint(number):
    """A number in groups of seven bits, the lowest first."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def encode(message):
    """A message from {field: value}: numbers, texts, messages (dictionaries) and lists of them."""
    out = b""
    for field, value in message.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, int):
                out += varint(field << 3) + varint(item)
                continue
            content = encode(item) if isinstance(item, dict) else item.encode()
            out += varint(field << 3 | 2) + varint(len(content)) + content
    return out


def decode(data):
    """The fields of a message: numbers as they are, the others as bytes; the last of a repeated one."""
    fields, at = {}, 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = number()
        value = number()
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        fields[key >> 3] = value
    return fields


def frame(kind, flags, stream, content=b""):
    """An HTTP/2 frame."""
    return struct.pack(">I", len(content))[1:] + struct.pack(">BBI", kind, flags, stream) + content


def header(name, value):
    """A header in HPACK's plainest form: never indexed, never compressed."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def call(path, method, message, timeout=60, headers=()):
    """Calls `/package.Service/Method` of the server at the unix socket; gives the decoded answer."""
    content = encode(message)
    block = b"".join(header(*pair) for pair in (
        (":method", "POST"), (":scheme", "http"), (":path", method), (":authority", "localhost"),
        ("content-type", "application/grpc"), ("te", "trailers"), *headers))
    with socket.socket(socket.AF_UNIX) as server:
        server.settimeout(timeout)
        server.connect(path)
        server.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0)
                       + frame(WINDOW, 0, 0, struct.pack(">I", 1 << 24))
                       + frame(HEADERS, END_HEADERS, 1, block)
                       + frame(DATA, END_STREAM, 1, b"\0" + struct.pack(">I", len(content)) + content))
        stream, answer = server.makefile("rb"), b""
        while True:
            start = stream.read(9)
            if len(start) < 9:
                break
            size = int.from_bytes(start[:3], "big")
            kind, flags, number = struct.unpack(">BBI", start[3:])
            body = stream.read(size)
            if kind in (SETTINGS, PING) and not flags & ACK:
                server.sendall(frame(kind, ACK, 0, body if kind == PING else b""))
            elif kind == DATA:
                answer += body
            if kind == GOAWAY or number == 1 and flags & END_STREAM and kind in (DATA, HEADERS):
                break
    if len(answer) < 5:
        raise CallFailed(method)
    return decode(answer[5:])
