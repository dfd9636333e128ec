"""Which row of a table each of very many buckets has, when few have one: a byte a bucket instead of four.

Rows stand in the order of their buckets, so a row is how many came before its block of 256 buckets, and its place in
that block.
"""

from array import array
from collections.abc import Sequence
from typing import overload

_BLOCK_BITS = 8
_MOST_OF_A_BLOCK = 255  # a place is kept in one byte, and 0 says that there is no row


class BucketRows(Sequence[int]):
    """The row of each bucket, from 1 on; 0 for a bucket without one.

    `numbers` are the buckets that have rows, in rising order, each below `buckets`. ValueError where they are not.
    """

    def __init__(self, numbers: Sequence[int], buckets: int) -> None:
        places, before = bytearray(buckets), array("I")
        block = last = -1
        for row, number in enumerate(numbers, 1):
            if not last < number < buckets:
                raise ValueError("the rows are not in the order of their buckets")
            last = number
            while block < number >> _BLOCK_BITS:
                block += 1
                before.append(row - 1)
            place = row - before[block]
            if place > _MOST_OF_A_BLOCK:
                raise ValueError("too many rows stand close together")
            places[number] = place
        self._places, self._before = bytes(places), before

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, bucket: int) -> int: ...
    @overload
    def __getitem__(self, bucket: slice) -> Sequence[int]: ...
    def __getitem__(self, bucket: int | slice) -> int | Sequence[int]:
        if isinstance(bucket, slice):
            return [self[one] for one in range(*bucket.indices(len(self)))]
        place = self._places[bucket]
        return place and self._before[bucket >> _BLOCK_BITS] + place
