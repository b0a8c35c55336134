"""Mail and answers after what happens to them on the way."""

from typing import Any

HOSTILE = [
    b"\r\nContent-Type: multipart/report; boundary=\r\n\r\n",
    b"\r\nContent-Transfer-Encoding: uuencode\r\n\r\nbegin 666 a\r\nM\r\n",
    b'; charset="=?utf-8?q?=00?="',
    b"; boundary*0=a; boundary*2=b",
    b"Content-Type: message/delivery-status; charset=utf-16\r\n",
    b"\\x{110000}\\x{D800}",
    b"=?utf-8?b?/w?=",
    b"\x00\xed\xa0\x80\xff\xfe",
    b"((((((((((",
    b"X-Failed-Recipients: ,,,;@\r\n",
]


def broken(raw: bytes, chance: Any) -> bytes:
    """A mail after some of what happens to mail: cut, repeated, joined, with bytes and whole lines changed."""
    content = bytearray(raw or b"\n")
    for _ in range(chance.randrange(1, 8)):
        at, end = sorted(chance.randrange(len(content) + 1) for _ in range(2))
        match chance.randrange(6):
            case 0:
                del content[end:]
            case 1:
                del content[at:end]
            case 2:
                content[at:at] = content[at:end][:2000]
            case 3:
                content[at : at + 1] = chance.randbytes(chance.randrange(4))
            case 4:
                lines = bytes(content).split(b"\r\n")
                chance.shuffle(lines)
                content = bytearray(b"\r\n".join(lines))
            case _:
                content[at:at] = chance.choice(HOSTILE)
        content = content or bytearray(b"\n")
    return bytes(content)
