"""Small changes to a module, each of which some test should notice.

Kinds: comparison (its boundary, its opposite), arithmetic sign, boolean, constant, counterpart (buy for sell, bid for
ask, up for down), removed statement, swapped arguments. Left alone: annotations, decorators, docstrings, messages and
log lines, which no money depends on; and bare numbers outside of functions (pauses, page sizes, numbers remembered),
which are settings. A ``Decimal`` there is changed like any other: it is a rate or a price.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import islice

Replace = Callable[[ast.AST], None]

_BOUNDARY: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_SIGN: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
}
_PAIRS = (
    ("min", "max"),
    ("price_up", "price_down"),
    ("qty_up", "qty_down"),
    ("floor_to", "ceil_to"),
    ("ROUND_FLOOR", "ROUND_CEILING"),
    ("BUY", "SELL"),
    ("buy", "sell"),
    ("buying", "selling"),
    ("bid", "ask"),
    ("bids", "asks"),
    ("base", "quote"),
    ("taker", "maker"),
    ("free", "locked"),
    ("ZERO", "ONE"),
)
_COUNTERPART = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
#: Calls whose result does not depend on the order of these arguments, that fail at once with another one, or that only the type
#: checker reads.
_NO_SWAP = frozenset({"min", "max", "gather", "suppress", "isinstance", "getattr", "setattr", "partial", "TypeVar"})


@dataclass(frozen=True)
class Mutant:
    """One change of one module. ``id`` stays the same while the code that it changes does, whatever moves around it."""

    id: str
    module: str  #: path of the file inside the package
    function: str  #: the outermost function or method it lies in; empty outside of any
    line: int
    kind: str
    number: int  #: its place among the module's mutants


class _Places:
    """Every place of a module at which something can be replaced, in the order of the source."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree

    def walk(self) -> Iterator[tuple[ast.AST, str, Replace]]:
        yield from self._children(self._tree, ())

    def _children(self, node: ast.AST, names: tuple[str, ...]) -> Iterator[tuple[ast.AST, str, Replace]]:
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns", "decorator_list", "type_comment", "bases", "keywords") and not isinstance(node, ast.Call):
                continue
            if isinstance(value, list):
                for index, item in enumerate(value):
                    if isinstance(item, ast.AST):
                        yield from self._node(item, names, _putter(value, index))
            elif isinstance(value, ast.AST):
                yield from self._node(value, names, _setter(node, field))

    def _node(self, node: ast.AST, names: tuple[str, ...], replace: Replace) -> Iterator[tuple[ast.AST, str, Replace]]:
        if isinstance(node, ast.JoinedStr) or _is_docstring(node) or _is_log(node) or _is_slots(node):
            return
        yield node, ".".join(names), replace
        if isinstance(node, ast.Raise):
            return  # what an error says changes no money
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names = (*names, node.name)
        yield from self._children(node, names)


def mutants(module: str, source: str) -> list[Mutant]:
    """Every mutant of ``source``, in the order of the source."""
    tree = ast.parse(source)
    functions = _outermost_functions(tree)
    seen: dict[str, int] = {}
    found: list[Mutant] = []
    for number, (node, names, _, kind, changed) in enumerate(_every_change(tree)):
        mutant_id = f"{module} {names or '(module)'}: {_text(node)} -> {_text(changed)}"
        seen[mutant_id] = seen.get(mutant_id, 0) + 1
        if seen[mutant_id] > 1:
            mutant_id += f" #{seen[mutant_id]}"
        line = getattr(node, "lineno", 0)
        found.append(Mutant(mutant_id, module, _function_at(functions, line), line, kind, number))
    return found


def mutated(source: str, mutant: Mutant) -> str:
    """``source``, of which ``mutant`` was made, with the change in it. Comments are lost."""
    return ast.unparse(changed_tree(source, mutant.number))


def changed_tree(source: str, number: int) -> ast.Module:
    """``source``, parsed, with change ``number`` in it."""
    tree = ast.parse(source)
    _, _, replace, _, changed = next(islice(_every_change(tree), number, None))
    replace(changed)
    return ast.fix_missing_locations(tree)


def _every_change(tree: ast.Module) -> Iterator[tuple[ast.AST, str, Replace, str, ast.AST]]:
    """(node, names around it, how to replace it, kind of change, what it becomes). Changes nothing by itself."""
    for node, names, replace in _Places(tree).walk():
        for kind, changed in _changes(node):
            if names or kind != "constant" or not isinstance(node, ast.Constant):
                yield node, names, replace, kind, changed


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            for place, op in enumerate(ops):
                for table in (_BOUNDARY, _OPPOSITE):
                    other = table.get(type(op))
                    if other is not None:
                        yield "comparison", ast.Compare(left, [*ops[:place], other(), *ops[place + 1 :]], comparators)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _SIGN and not _is_text(left) and not _is_text(right):
            yield "arithmetic", ast.BinOp(left, _SIGN[type(op)](), right)
        case ast.AugAssign(target=target, op=op, value=value):
            if type(op) in _SIGN:
                yield "arithmetic", ast.AugAssign(target, _SIGN[type(op)](), value)
            yield "statement", ast.Pass()
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield "arithmetic", operand
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "boolean", operand
        case ast.BoolOp(op=op, values=values):
            yield "boolean", ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.Constant(value=bool(value)):
            yield "boolean", ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield "constant", ast.Constant(value + 1)
        case ast.Constant(value=float(value)):
            yield "constant", ast.Constant(value * 2 if value else 1.0)
        case ast.If(test=test) if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Constant):
            yield "boolean", ast.If(ast.UnaryOp(ast.Not(), test), node.body, node.orelse)
        case ast.Call(func=func, args=args):
            yield from _changed_calls(node, func, args)
        case ast.Name(id=name, ctx=ast.Load()) if name in _COUNTERPART:
            yield "counterpart", ast.Name(_COUNTERPART[name], ast.Load())
        case ast.Attribute(value=value, attr=name, ctx=ast.Load()) if name in _COUNTERPART:
            yield "counterpart", ast.Attribute(value, _COUNTERPART[name], ast.Load())
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield "statement", ast.Return(ast.Constant(None))
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.Raise() | ast.Continue() | ast.Break() | ast.Delete():
            yield "statement", ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield "statement", ast.Pass()


def _changed_calls(node: ast.Call, func: ast.expr, args: list[ast.expr]) -> Iterator[tuple[str, ast.AST]]:
    name = func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""
    if name == "Decimal" and len(args) == 1 and isinstance(args[0], ast.Constant) and isinstance(args[0].value, str):
        try:
            value = Decimal(args[0].value)
        except InvalidOperation:
            return
        # A power of ten may be a step to round to, of which only the exponent counts.
        other = value.scaleb(1) if value.as_tuple().digits == (1,) else value * 2 or Decimal(1)
        yield "constant", ast.Call(func, [ast.Constant(str(other))], node.keywords)
    elif len(args) < 2 or name in _NO_SWAP or any(isinstance(arg, ast.Starred) for arg in args[:2]):
        return
    elif ast.dump(args[0]) != ast.dump(args[1]):
        yield "arguments", ast.Call(func, [args[1], args[0], *args[2:]], node.keywords)


def _text(node: ast.AST) -> str:
    """A node on one line; of an `if` only its condition."""
    if isinstance(node, ast.If):
        return f"if {ast.unparse(node.test)}"
    return " ".join(ast.unparse(node).split())


def _putter(items: list[ast.AST], index: int) -> Replace:
    return lambda node: items.__setitem__(index, node)


def _setter(parent: ast.AST, field: str) -> Replace:
    return lambda node: setattr(parent, field, node)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_log(node: ast.AST) -> bool:
    if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        return False
    func = node.value.func
    return isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id == "log"


def _is_slots(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.startswith("__")


def _outermost_functions(tree: ast.Module) -> list[tuple[int, int, str]]:
    """(first line, last line, qualified name) of every function that lies in no other."""
    found: list[tuple[int, int, str]] = []

    def visit(body: list[ast.stmt], names: tuple[str, ...]) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.append((node.lineno, node.end_lineno or node.lineno, ".".join((*names, node.name))))
            elif isinstance(node, ast.ClassDef):
                visit(node.body, (*names, node.name))

    visit(tree.body, ())
    return found


def _function_at(functions: list[tuple[int, int, str]], line: int) -> str:
    return next((name for first, last, name in functions if first <= line <= last), "")
