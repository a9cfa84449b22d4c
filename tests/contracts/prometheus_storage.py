"""A real Prometheus that holds given samples and scrapes nothing: they come by remote write, stale markers included."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.real import PATIENCE, free_port
from tests.real.processes import Process, binary, clean_environment

STALE = struct.pack("<Q", 0x7FF0000000000002)
"""The value that ends a series, bit for bit (model/value.StaleNaN)."""
CHUNK = 60_000
"""Bytes of one literal of Snappy; its length has two bytes."""

Sample = tuple[float, float | None]
"""Unix seconds and a value; None ends the series."""
Series = tuple[Mapping[str, str], Sequence[Sample]]
"""Labels, the name among them, and samples in their order."""


@contextmanager
def holding(folder: Path, series: Sequence[Series]) -> Iterator[httpx.Client]:
    """A client of its API."""
    (folder / "prometheus.yml").write_text("{}")
    address = f"127.0.0.1:{free_port()}"
    command = [
        binary("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address={address}",
        "--web.enable-remote-write-receiver",
        "--log.level=warn",
    ]
    process = Process("prometheus", command, folder, clean_environment())
    process.start()
    try:
        process.ready(f"http://{address}/-/ready")
        with httpx.Client(base_url=f"http://{address}/api/v1", timeout=PATIENCE, trust_env=False) as client:
            headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
            body = _snappy(b"".join(_field(1, _time_series(labels, samples)) for labels, samples in series))
            client.post("/write", content=body, headers=headers).raise_for_status()
            yield client
    finally:
        process.stop(5)


# ---------------------------------------------------------------- the wire: protobuf in Snappy


def _time_series(labels: Mapping[str, str], samples: Sequence[Sample]) -> bytes:
    """prometheus.TimeSeries: labels (1) and samples (2)."""
    named = (_field(1, name.encode()) + _field(2, value.encode()) for name, value in sorted(labels.items()))
    return b"".join([*(_field(1, label) for label in named), *(_field(2, _sample(*sample)) for sample in samples)])


def _sample(at: float, value: float | None) -> bytes:
    """prometheus.Sample: the value as a double (1) and milliseconds (2)."""
    return b"\x09" + (STALE if value is None else struct.pack("<d", value)) + b"\x10" + _varint(round(at * 1000))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _snappy(content: bytes) -> bytes:
    """Snappy's block format with literals alone: nothing is compressed."""
    chunks = (content[at : at + CHUNK] for at in range(0, len(content), CHUNK))
    return _varint(len(content)) + b"".join(bytes([61 << 2]) + struct.pack("<H", len(c) - 1) + c for c in chunks)
