"""Loads what the second reader learned, from `rules/second_reader.bin`.

The file is a magic line, a line of JSON (scales, biases, calibration, thresholds, how it was made) and, deflated, the
numbers of the hash buckets that hold something (four bytes each, the lowest first) and their rows of weights. A file
that is not whole is refused by name: half a model would judge.
"""

import hashlib
import json
import struct
import sys
import zlib
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mailbot.core.bucket_rows import BucketRows
from mailbot.core.calibration import COLUMNS, LABELS, Calibration, Logistic
from mailbot.core.rulebook import Thresholds
from mailbot.core.second_reader import BIAS, MOST_BUCKETS, SecondReader, Weights
from mailbot.errors import ConfigurationError

FILE = "second_reader.bin"
MAGIC = b"mailbot second reader 1\n"
_NUMBER = 4  # bytes of a bucket's number


def load_second_reader(folder: Path) -> SecondReader:
    """The second reader of a rules folder. Raises ConfigurationError when its file is missing or broken."""
    path = folder / FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError([f"{path} can not be read: {error}. Run `make train` or restore the file"]) from error
    try:
        return _reader(content)
    except (ValueError, KeyError, TypeError, IndexError, struct.error, zlib.error) as error:
        raise ConfigurationError([f"{path} is not whole ({error}). Restore it or run `make train`"]) from error


def write_second_reader(path: Path, buckets: Sequence[int], rows: bytes, header: Mapping[str, Any]) -> None:
    """Writes the data file, `rows` being those of `buckets`; the same input gives the same bytes."""
    content = struct.pack(f"<{len(buckets)}I", *buckets) + rows
    line = json.dumps({**header, "sha256": hashlib.sha256(content).hexdigest()}, sort_keys=True)
    path.write_bytes(MAGIC + line.encode() + b"\n" + zlib.compress(content, 9))


def _reader(content: bytes) -> SecondReader:
    if not content.startswith(MAGIC):
        raise ValueError("the first line is not its own")
    end = content.index(b"\n", len(MAGIC))
    header = json.loads(content[len(MAGIC) : end])
    if header["labels"] != [str(right) for right in LABELS]:
        raise ValueError("its rights are not ours")
    learned = zlib.decompress(memoryview(content)[end + 1 :])
    if hashlib.sha256(learned).hexdigest() != header["sha256"]:
        raise ValueError("the weights do not match their digest")
    table, index = _table(learned, int(header["buckets"]))
    version = hashlib.sha256(content).hexdigest()[:12]
    weights = Weights(
        table=table, index=index, scales=_row(header["scales"]), biases=_row(header["biases"]), version=version
    )
    return SecondReader(weights, _calibration(header))


def _table(learned: bytes, buckets: int) -> tuple[bytes, Sequence[int]]:
    """The rows, after one that says nothing, and the row of every bucket."""
    count = len(learned) // (_NUMBER + COLUMNS)
    if count * (_NUMBER + COLUMNS) != len(learned) or buckets & (buckets - 1) or not 0 < buckets <= MOST_BUCKETS:
        raise ValueError("the table has no whole rows")
    numbers = array("I", memoryview(learned)[: count * _NUMBER].tobytes())
    if sys.byteorder == "big":
        numbers.byteswap()
    rows = b"".join((bytes([BIAS]) * COLUMNS, memoryview(learned)[count * _NUMBER :]))
    return rows, BucketRows(numbers, buckets)


def _calibration(header: Mapping[str, Any]) -> Calibration:
    return Calibration(
        alone=_logistics(header["alone"]),
        together=_logistics(header["together"]),
        thresholds=Thresholds(**header["thresholds"]),
    )


def _row(values: Sequence[float]) -> tuple[float, ...]:
    if len(values) != COLUMNS:
        raise ValueError(f"{len(values)} columns instead of {COLUMNS}")
    return tuple(float(value) for value in values)


def _logistics(rows: Sequence[Sequence[float]]) -> tuple[Logistic, ...]:
    if len(rows) != COLUMNS:
        raise ValueError(f"{len(rows)} columns instead of {COLUMNS}")
    return tuple(Logistic(bias=float(row[0]), weights=tuple(float(w) for w in row[1:])) for row in rows)
