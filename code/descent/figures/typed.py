"""What a reader types, pastes or uploads, as numbers; what cannot be read is refused in a sentence.

A formula is read by `ast` and may hold numbers, arithmetic, comparisons, conditions, and calls of numpy's and the random
generator's functions, nothing else.
"""

import ast
import builtins
import csv
import io
import time

import numpy as np

__all__ = ["Refused", "formula", "gradients_of", "number", "numbers", "plane", "uploaded"]

MOST = 20_000   # steps
SECONDS = 2     # that a formula may take for all of them
EXACT = 4096    # bits of a whole number
PLAIN = {"abs": abs, "min": min, "max": max, "round": round, "int": int, "float": float}
NUMPY = {name for name in dir(np) if isinstance(getattr(np, name), np.ufunc)} | {
    "pi", "e", "where", "clip", "sinc", "round", "interp", "mean", "sum", "prod", "max", "min", "median", "array", "linspace"}
RANDOM = {name for name in dir(np.random.Generator) if name[0] != "_"} - {"bit_generator", "spawn", "bytes"}
NODES = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.Attribute, ast.Name, ast.Constant,
         ast.List, ast.Tuple, ast.Subscript, ast.keyword, ast.Load, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)


class Refused(ValueError):
    """The sentence that stands under the field."""


def formula(text, *names):
    """Return a function of these names that computes the formula.

    >>> formula("1 if t % 3 == 1 else -0.5", "t")(4)
    1
    >>> formula("open('x')", "t")
    Traceback (most recent call last):
        ...
    descent.figures.typed.Refused: open is no function that a formula may call: functions of np, and abs, min, max, round, int, float.
    """
    text = text.strip()
    if not text:
        raise Refused("The formula is empty.")
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        where = f" at character {error.offset}" if getattr(error, "offset", None) else ""
        hint = " Is it an equation? Write its right-hand side." if "=" in text and "==" not in text else (
            " A power is written **." if "^" in text else "")
        raise Refused(f"Python cannot read this{where}: {getattr(error, 'msg', error)}.{hint}") from None
    for node in ast.walk(tree):
        _allow(node, names)
    code = compile(ast.fix_missing_locations(_Powers().visit(tree)), "formula", "eval")
    space = {"__builtins__": {}, "np": np, "_power": _power, **PLAIN}
    return lambda *values: eval(code, space | dict(zip(names, values)))


def _allow(node, names):
    knows = [*names, "np"]
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitXor, ast.MatMult, ast.LShift, ast.RShift)):
        raise Refused("A power is written **, as in 0.99**t." if isinstance(node.op, ast.BitXor) else
                      "This operation is not one of numbers.")
    if not isinstance(node, NODES) or isinstance(node, (ast.In, ast.NotIn, ast.Is, ast.IsNot)):
        kind = {"Lambda": "lambda", "ListComp": "A list that is computed", "GeneratorExp": "A list that is computed", "NamedExpr": ":=",
                "JoinedStr": "A text", "Dict": "A dictionary", "Slice": "A slice"}.get(type(node).__name__, "This")
        raise Refused(f"{kind} is not allowed in a formula: numbers, arithmetic, comparisons, a if b else c, and functions are.")
    if isinstance(node, ast.Constant) and not isinstance(node.value, (int, float)):
        raise Refused(f"{node.value!r} is no number.")
    if isinstance(node, ast.Name) and node.id not in knows and node.id not in PLAIN:
        if hasattr(np, node.id):
            raise Refused(f"{node.id} is not known: write np.{node.id}.")
        if node.id in RANDOM and "rng" in names:
            raise Refused(f"{node.id} is not known: write rng.{node.id}().")
        if hasattr(builtins, node.id):
            raise Refused(f"{node.id} is no function that a formula may call: functions of np, and {', '.join(PLAIN)}.")
        raise Refused(f"{node.id} is not known: a formula knows {', '.join(knows[:-1])} and np." if len(knows) > 1
                      else f"{node.id} is not a number.")
    if isinstance(node, ast.Attribute):
        owner = node.value.id if isinstance(node.value, ast.Name) else None
        if owner == "np" and node.attr not in NUMPY or owner == "rng" and node.attr not in RANDOM:
            raise Refused(f"{owner}.{node.attr} is not among the functions of numbers that a formula may call.")
        if owner not in ("np", "rng"):
            raise Refused(f".{node.attr} is allowed behind np and rng only; write np.{node.attr}(...).")
    if isinstance(node, ast.Call) and not isinstance(node.func, (ast.Attribute, ast.Name)):
        raise Refused("A call needs the name of a function before its bracket.")
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
        raise Refused(f"{node.func.id} is no function: for a product write {node.func.id} * (...).")


class _Powers(ast.NodeTransformer):
    """a ** b as a call that refuses what would take for ever, and is else the same."""

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow):
            return ast.Call(ast.Name("_power", ast.Load()), [node.left, node.right], [])
        return node


def _power(a, b):
    if isinstance(a, int) and isinstance(b, int) and abs(a).bit_length() * b > EXACT:
        raise Refused(f"{a}**{b} is too large a whole number: write {a}.0.")
    return a**b


def _reason(error):
    if isinstance(error, ZeroDivisionError):
        return "the formula divides by zero"
    if isinstance(error, OverflowError):
        return "the formula is too large a number"
    text = str(error).rstrip(".").split("\n")[0]
    if "truth value of an array" in text:
        return "a condition on arrays is written np.where(condition, a, b)"
    return text or type(error).__name__


def _one(value, where):
    if np.ndim(value) or isinstance(value, complex):
        what = "a complex number" if isinstance(value, complex) else f"an array of shape {np.shape(value)}"
        raise Refused(f"{where} is {what}, and one number is wanted.")
    try:
        value = float(value)
    except TypeError:
        raise Refused(f"{where} is a function: it needs brackets, as in rng.standard_normal().") from None
    except OverflowError:
        raise Refused(f"{where} is too large a number.") from None
    if not np.isfinite(value):
        raise Refused(f"{where} is {value}, and a finite number is wanted.")
    return value


def gradients_of(text, steps, seed, first=1):
    """The gradients of a formula of t and rng, t from `first` on, as floats.

    >>> gradients_of("0.5**t", 3, seed=0)
    [0.5, 0.25, 0.125]
    """
    f, rng, values, begun = formula(text, "t", "rng"), np.random.default_rng(seed), [], time.perf_counter()
    with np.errstate(all="ignore"):
        for t in range(first, first + steps):
            try:
                value = f(t, rng)
            except Refused:
                raise
            except Exception as error:  # whatever the reader's formula does, it is told
                raise Refused(f"At t = {t}: {_reason(error)}.") from None
            values.append(_one(value, f"At t = {t} the formula"))
            if time.perf_counter() - begun > SECONDS:
                raise Refused(f"The formula is slow: {t - first + 1} of {steps} steps in {SECONDS} seconds.")
    return values


def plane(text):
    """The function of x and y that a formula is, entry by entry.

    >>> float(plane("x**2 + 3 * y")(2.0, 1.0))
    7.0
    """
    f = formula(text, "x", "y")
    x = np.array([[0.3, 0.7], [1.1, 0.2]])
    with np.errstate(all="ignore"):
        try:
            value, alone = (np.asarray(f(a, a.T.copy())) for a in (x, x[:1, :1]))
        except Refused:
            raise
        except Exception as error:
            raise Refused(f"At x = 0.3, y = 0.3: {_reason(error)}.") from None
    if value.dtype.kind not in "iuf" or value.shape not in ((), x.shape):
        raise Refused(f"For each x and y one number is wanted, not {value.dtype.name} of shape {value.shape}.")
    if not np.array_equal(value.flat[0], alone.flat[0], equal_nan=True):
        raise Refused("For each x and y one number is wanted, so no sums or means over many: "
                      "of two values take np.minimum or np.maximum.")
    return f


def number(text, low=None, high=None, whole=False):
    """The number that is typed: 0.9995, 1e-3, 1/3, 1 - 1e-4.

    >>> number("1 - 1e-4", low=0, high=1), number("12", whole=True)
    (0.9999, 12)
    """
    text = text.strip().replace("−", "-")
    if not text:
        raise Refused("A number is missing.")
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        if "," in text:
            raise Refused(f"{text} has a comma: write a point, as in {text.replace(',', '.')}.") from None
        try:
            value = formula(text)()
        except Refused as error:
            raise Refused(f"{text} is no number. {error}") from None
        except Exception as error:
            raise Refused(f"{text} is no number: {_reason(error)}.") from None
    value = _one(value, text)
    if whole:
        if value != int(value):
            raise Refused(f"{text} is not a whole number.")
        value = int(value)
    if low is not None and value < low:
        raise Refused(f"{text} is too small: at least {low:g}.")
    if high is not None and (value > high if whole else value >= high):
        raise Refused(f"{text} is too large: " + ("at most" if whole else "less than") + f" {high:g}.")
    return value


def numbers(text):
    """Numbers that are pasted, with whatever stands between them.

    >>> numbers("[0.5, -1e-3; 2]")
    [0.5, -0.001, 2.0]
    """
    words = text.replace("−", "-")
    for between in "[](){},;|":
        words = words.replace(between, " ")
    words = [word for word in words.split() if word not in ("array", "tensor", "...")]
    values = []
    for place, word in enumerate(words, 1):
        try:
            values.append(float(word))
        except ValueError:
            raise Refused(f"Entry {place}, {word[:20]}, is no number.") from None
        if not np.isfinite(values[-1]):
            raise Refused(f"Entry {place} is {word}, and a gradient is a finite number.")
    if not values:
        raise Refused("No number is there yet.")
    return values[:MOST]


def uploaded(name, content, column=1):
    """(gradients, the code that reads them, what to know) of a file, .npy or .csv; of several columns one.

    >>> uploaded("g.csv", b"loss,g\\n3,0.5\\n2,-1\\n", column=2)
    ([0.5, -1.0], 'np.loadtxt("g.csv", delimiter=",", skiprows=1, ndmin=2)[:, 1]', '2 rows, column 2 of 2.')
    """
    content, quoted = bytes(content), '"' + name.replace("\\", "").replace('"', "") + '"'
    if name.lower().endswith(".npy"):
        try:
            table = np.load(io.BytesIO(content), allow_pickle=False)
        except Exception:
            raise Refused(f"{name} is no array of numbers that numpy can read: save it with np.save.") from None
        if table.dtype.kind not in "iufb":
            raise Refused(f"{name} holds {table.dtype.name}, and real numbers are wanted.")
        code = f"np.load({quoted})"
        if table.ndim != 2:
            if table.ndim == 0 or table.size == 0:
                raise Refused(f"{name} has shape {table.shape}: a row for each step is wanted.")
            code += f".reshape({len(table)}, -1)"
            table = table.reshape(len(table), -1)
    else:
        table, code = _table(name, content, quoted)
    if not 1 <= column <= table.shape[1]:
        raise Refused(f"{name} has {table.shape[1]} column{'s' * (table.shape[1] > 1)}: {column} is not one of them.")
    chosen = table[:, column - 1].astype(float)
    code += f"[:, {column - 1}]"
    if len(chosen) > MOST:
        chosen, code = chosen[:MOST], code.replace("[:, ", f"[:{MOST}, ")
    bad = np.flatnonzero(~np.isfinite(chosen))
    if len(bad):
        raise Refused(f"Row {bad[0] + 1} of {name} is {chosen[bad[0]]}, and a gradient is a finite number.")
    cut = f", of {len(table)} the first {MOST}" if len(table) > MOST else ""
    return chosen.tolist(), code, f"{len(chosen)} rows{cut}, column {column} of {table.shape[1]}."


def _table(name, content, quoted):
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused(f"{name} is neither a .npy file nor text.") from None
    lines = text.splitlines()
    if not any(line.strip() for line in lines):
        raise Refused(f"{name} is empty.")
    mark = next((mark for mark in (",", ";", "\t") if mark in lines[-1] or mark in lines[0]), None)
    skip = 0
    while skip < len(lines) and not _numeric(next(csv.reader([lines[skip]], delimiter=mark or " "), [])):
        skip += 1
    if skip == len(lines):
        raise Refused(f"No line of {name} holds numbers alone; its first is {lines[0][:40]!r}.")
    options = (f", delimiter={mark!r}".replace("'", '"') if mark else "") + (f", skiprows={skip}" if skip else "")
    try:
        table = np.loadtxt(io.StringIO(text), delimiter=mark, skiprows=skip, ndmin=2)
    except ValueError as error:
        raise Refused(f"{name}: {_reason(error)}.") from None
    return table, f"np.loadtxt({quoted}{options}, ndmin=2)"


def _numeric(words):
    words = [word for word in words if word.strip()]
    try:
        return bool(words) and all(float(word) is not None for word in words)
    except ValueError:
        return False
