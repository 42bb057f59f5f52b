"""A large buffer is mapped on its own, also after a larger one was freed, so that it is given back when it is freed."""

import subprocess
import sys

import pytest

#: Frees a buffer of 4 MB, and says whether one of 1 MB made after it lies in the heap.
_CHILD = """
import sys
from arbtui.runtime.large_buffers import give_back_large_buffers

if sys.argv[1] == "held":
    assert give_back_large_buffers()
large = bytearray(4_000_000)
del large
buffer = bytearray(1_000_000)
import ctypes
address = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
heap = next(line for line in open("/proc/self/maps") if line.rstrip().endswith("[heap]"))
low, high = (int(part, 16) for part in heap.split()[0].split("-"))
print("heap" if low <= address < high else "mapped")
"""


@pytest.mark.parametrize(("bound", "where"), [("as it is", "heap"), ("held", "mapped")])
def test_a_buffer_is_mapped_on_its_own_although_a_larger_one_was_freed(bound: str, where: str) -> None:
    said = subprocess.run([sys.executable, "-c", _CHILD, bound], capture_output=True, text=True, check=True, timeout=60).stdout
    assert said.strip() == where
