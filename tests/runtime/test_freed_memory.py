"""What was freed is given back to the system: large buffers at once, pages between blocks that are in use when they are looked for."""

import subprocess
import sys

import pytest

#: Frees a buffer of 4 MB, and says whether one of 1 MB made after it lies in the heap.
_CHILD = """
import sys
from arbtui.runtime.freed_memory import give_back_large_buffers

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


#: Frees nine of ten blocks all over the heap, and says how many kB the system has got back before a look, and after it.
_BUSY_MOMENT = """
from arbtui.runtime.freed_memory import give_back_free_pages

def held():
    lines = open("/proc/self/smaps_rollup").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Anonymous:"))

blocks = [bytes(6000) for _ in range(4000)]
full = held()
blocks = [block if number % 10 == 0 else None for number, block in enumerate(blocks)]
freed = held()
assert give_back_free_pages()
print(full - freed, full - held())
"""


def test_what_a_busy_moment_needed_is_given_back_though_what_is_left_of_it_lies_all_over_the_heap() -> None:
    said = subprocess.run([sys.executable, "-c", _BUSY_MOMENT], capture_output=True, text=True, check=True, timeout=60).stdout
    by_itself, looked_for = map(int, said.split())
    assert by_itself < 2_000
    assert looked_for > 12_000


#: Takes a hundred buffers of 87 kB, as large as what each connection to a journal takes, and says by how many kB the heap grew.
_BUFFERS = """
import sys
from arbtui.runtime.freed_memory import give_back_large_buffers

if sys.argv[1] == "held":
    assert give_back_large_buffers()

def heap():
    line = next(line for line in open("/proc/self/maps") if line.rstrip().endswith("[heap]"))
    low, high = (int(part, 16) for part in line.split()[0].split("-"))
    return (high - low) // 1024

before = heap()
buffers = [bytearray(87_000) for _ in range(100)]
print(heap() - before)
"""


@pytest.mark.parametrize("bound", ["as it is", "held"])
def test_what_reading_a_journal_takes_is_no_part_of_the_heap(bound: str) -> None:
    """In the hole that it left smaller blocks would settle, so that the next reading needs the heap to grow."""
    said = subprocess.run([sys.executable, "-c", _BUFFERS, bound], capture_output=True, text=True, check=True, timeout=60).stdout
    assert (int(said) < 500) == (bound == "held"), f"{said.strip()} kB of 8,500 kB"
