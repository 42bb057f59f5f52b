import ast
import textwrap

import pytest

from tests.conftest import REPOSITORY
from tests.proof.mutation.equivalents import equivalents
from tests.proof.mutation.fixed import fixed_mutants
from tests.proof.mutation.mutants import mutants, mutated
from tests.proof.mutation.package import package_mutants, spread


def made_of(source: str) -> list[str]:
    """What the mutants of ``source`` change, without module and function."""
    return [mutant.id.partition(": ")[2] for mutant in mutants("m.py", textwrap.dedent(source))]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a < b", ["a < b -> a <= b", "a < b -> a >= b"]),
        ("x = a is b", ["a is b -> a is not b"]),
        ("x = a + b * c", ["a + b * c -> a - b * c", "b * c -> b / c"]),
        ("x = -a", ["-a -> a"]),
        ("x = 'a' + b", []),
        ("x = not a", ["not a -> a"]),
        ("x = a and b", ["a and b -> a or b"]),
        ("x = f(True)", ["True -> False"]),
        ("x = 3", []),  # a setting, outside of any function
        ("x = Decimal('0.05')", ["Decimal('0.05') -> Decimal('0.10')"]),  # a rate
        ("x = Decimal('1e-8')", ["Decimal('1e-8') -> Decimal('1E-7')"]),  # a step to round to
        ("def f():\n    return 3", ["return 3 -> return None", "3 -> 4"]),
        ("def f():\n    return 0.5", ["return 0.5 -> return None", "0.5 -> 1.0"]),
        ("x = book.bid", ["book.bid -> book.ask"]),
        ("x = max(a, b)", ["max -> min"]),
        ("x = f(a, b, c)", ["f(a, b, c) -> f(b, a, c)"]),
        ("x = f(a.b, a.b, c)", []),  # the same either way
        ("x = TypeVar('x', int, str)", []),
        ("f(a)", ["f(a) -> pass"]),
        ("a.b = c", ["a.b = c -> pass"]),
        ("a = c", []),  # whatever reads it fails at once
        ("if a:\n    pass", ["if a -> if not a"]),
        ("def f():\n    raise ValueError(1 + 2)", ["raise ValueError(1 + 2) -> pass"]),  # but not its message
        ("def f(a: int | None = None) -> 'x':\n    '''Doc.'''\n    log.info(f'{a + 1}')", []),
        ("@g(1 < 2)\ndef f(): ...", []),
    ],
)
def test_what_is_changed(source: str, expected: list[str]) -> None:
    assert made_of(source) == expected


def test_a_mutant_is_named_by_where_it_is_and_what_it_does_and_two_alike_are_numbered() -> None:
    source = "class A:\n    def f(self):\n        return g(lambda: x - 1) - (x - 1)\n"
    found = mutants("p/m.py", source)
    assert {(mutant.function, mutant.line) for mutant in found} == {("A.f", 3)}
    named = [mutant.id for mutant in found if "x - 1 -> x + 1" in mutant.id]
    assert named == ["p/m.py A.f: x - 1 -> x + 1", "p/m.py A.f: x - 1 -> x + 1 #2"]
    moved = mutants("p/m.py", "import os\n\n\n" + source)
    assert [mutant.id for mutant in moved] == [mutant.id for mutant in found]


def test_every_mutant_changes_its_module_and_nothing_but_what_it_names() -> None:
    path = REPOSITORY / "arbtui" / "execution" / "hedging.py"
    source = path.read_text()
    plain = ast.unparse(ast.parse(source))
    found = mutants("execution/hedging.py", source)
    assert len(found) > 100
    assert len({mutant.id for mutant in found}) == len(found)
    for mutant in spread(found, 60):  # each is the whole module once more
        text = mutated(source, mutant)
        compile(text, mutant.id, "exec")
        changed = [(a, b) for a, b in zip(plain.splitlines(), text.splitlines(), strict=False) if a != b]
        assert changed, mutant.id
        if len(plain.splitlines()) == len(text.splitlines()):
            assert len(changed) == 1, mutant.id


def test_a_sample_is_spread_over_all_and_is_always_the_same() -> None:
    every = package_mutants("risk")
    assert spread(every, 0) == spread(every, 10_000) == every
    some = spread(every, 20)
    assert len(some) == 20
    assert some == spread(every, 20)
    assert len({mutant.module for mutant in some}) > 2


def test_the_list_of_ci_names_mutants_and_tests_of_today() -> None:
    listed = fixed_mutants()
    assert {mutant.kind for mutant, _ in listed} == {
        "arithmetic",
        "comparison",
        "boolean",
        "constant",
        "counterpart",
        "statement",
        "arguments",
    }
    for _, tests in listed:
        assert (REPOSITORY / tests).is_file()


def test_the_equivalents_name_mutants_of_today() -> None:
    listed = equivalents()
    modules = {mutant.partition(" ")[0] for mutant in listed}
    known = {each.id for module in modules for each in mutants(module, (REPOSITORY / "arbtui" / module).read_text())}
    assert not listed.keys() - known, "take them out"
    assert all(len(reason) > 20 for reason in listed.values())
