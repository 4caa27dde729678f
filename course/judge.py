"""What a hidden test cell runs; it stands alone, and its text is packed into every such cell.

A student's code shares a kernel with the tests. So nothing of the kernel is trusted: the package is loaded
afresh from its files (which must be those of the release), numbers are compared in plain Python, what is
printed does not count, and a call has a limit. What a person should look at is a line

    FLAG: exercise 7.2: calls descent.rules.adam

and the cell fails, so that the marks wait for that person. A cell that fails says why, in one exception.
"""

import builtins
import contextlib
import copy
import functools
import hashlib
import importlib
import importlib.util
import io
import math
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np


class Wrong(AssertionError):
    """What a student reads where a test fails: the message alone."""

    def _render_traceback_(self):
        return [str(self)]


class RanTooLong(BaseException):
    """Of an endless loop; no `except Exception` stops it."""


def digest(folder):
    """One number for all source files of the package in `folder`."""
    whole = hashlib.sha256()
    for path in sorted(Path(folder).rglob("*.py")):
        whole.update(path.relative_to(folder).as_posix().encode())
        whole.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return whole.hexdigest()[:16]


def my_numbers(name, seed, exercise, **choices):
    """Numbers of one's own, from one's name and the release's public seed: the same wherever this runs."""
    import hashlib
    import unicodedata
    plain = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    mine = {}
    for letter, all_of in choices.items():
        text = f"{seed}/{exercise}/{letter}/{plain}"
        pick = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        mine[letter] = all_of[pick % len(all_of)]
    return mine


# ---- the package, loaded afresh ---------------------------------------------


def package(release, source):
    """{"descent.exercises": module, ...}, loaded from the files; their folder; flags; what ran too long;
    flags by exercise.

    The modules that the student's code has, or has changed, stay what they are in sys.modules.
    """
    place = "_" + hashlib.sha256((release + source).encode()).hexdigest()
    if place in sys.modules:
        return sys.modules[place]
    ours = [name for name in sys.modules if name.split(".")[0] == "descent"]
    theirs = {name: sys.modules.pop(name) for name in ours}
    try:
        spec = importlib.util.find_spec("descent")
        if spec is None or not spec.submodule_search_locations:
            raise Wrong("The package `descent` is not installed here.")
        folder = list(spec.submodule_search_locations)[0]
        importlib.import_module("descent.exercises")
        fresh = {name: sys.modules.pop(name) for name in list(sys.modules)
                 if name.split(".")[0] == "descent"}
    finally:
        sys.modules.update(theirs)
    flags = []
    if digest(folder) != source:
        flags.append(f"the files of the package are not those of release {release}")
    found = fresh, str(folder), flags, set(), {}
    sys.modules[place] = found
    return found


def replaced(fresh, env, checks):
    """What the student's code has replaced: checks, parts of the package, of numpy, of Python."""
    def code(thing):
        thing = getattr(thing, "__wrapped__", thing)
        return getattr(thing, "__code__", thing)

    def foreign(thing):
        return callable(thing) and getattr(thing, "__module__", None) == "__main__"

    for name in checks:
        if name in env and code(env[name]) != code(getattr(fresh["descent.exercises"], name)):
            if type(env[name]).__name__ != "_Told":   # each cell has its own
                yield f"`{name}` is not the book's"
    for name, module in fresh.items():
        theirs = vars(sys.modules.get(name, module))
        for key, thing in vars(module).items():
            mine = theirs.get(key, thing)
            if foreign(mine) or (name.startswith("descent.exercises") and hasattr(thing, "__code__")
                                 and code(mine) != code(thing)):
                yield f"{name}.{key} is replaced"
    for module in np, np.linalg, np.random, math, builtins:
        for key, thing in vars(module).items():
            if foreign(thing):
                yield f"{module.__name__}.{key} is replaced"


class _Told:
    """In the place of a check: says again what it said."""

    def __init__(self, message):
        self.message = message

    def __call__(self, *args, **kwargs):
        message, self.message = self.message, ""
        if message:
            print(message)


# ---- a student's function ---------------------------------------------------


class Judge:
    """Judges one part of one exercise.

    env : the student's namespace, globals()
    number : "7.2"
    release, source : version and digest of the package
    forbids : modules whose functions may not be called, beside descent.exercises
    allows : functions or modules that may be called all the same
    limit : seconds of processor time for all calls of this cell together
    """

    def __init__(self, env, number, release, source, *, forbids=(), allows=(), limit=4.0, checks=()):
        self.env, self.number, self.limit, self.left = env, number, limit, limit
        self.forbids, self.allows, self.called = ("descent.exercises", *forbids), allows, {}
        self.checks = checks
        self.fresh, self.folder, flags, self.late, past = package(release, source)
        self.flags = past.setdefault(number, list(flags))   # a flag holds for the exercise's later cells, too
        self.flags += replaced(self.fresh, env, checks)

    def answer(self, name):
        """What the student has under this name."""
        if name not in self.env:
            raise Wrong(f"Exercise {self.number}: there is no `{name}`. Its cell was not run, raises an error, or "
                        "defines another name.")
        found = self.env[name]
        return self.watched(found) if callable(found) else found

    def watched(self, function):
        """The student's function: silent, with a limit, and its calls of the library are seen."""
        @functools.wraps(function)
        def call(*args, **kwargs):
            with self._silent(), self._limited(function), self._seen(function):
                return function(*args, **kwargs)

        if (self.number, function) in self.late:
            self.end(f"`{getattr(function, '__name__', 'it')}` ran too long before, and is not tried again.")
        return call

    @contextlib.contextmanager
    def _silent(self):
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield

    @contextlib.contextmanager
    def _limited(self, function):
        if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
            yield
            return

        processor, clock = time.process_time(), time.monotonic()

        def used():   # a busy machine makes nobody late, but what sleeps is stopped, too
            return max(time.process_time() - processor, (time.monotonic() - clock) / 3)

        late = RanTooLong(f"it ran longer than {self.limit:g} seconds; is there an endless loop?")

        def again(frame, event, _):
            if event == "line":
                raise late
            return again

        def stop(_, frame):
            if used() < self.left:
                return
            self.late.add((self.number, function))
            if frame is not None:   # an `except:` that swallows it is left at its first line
                frame.f_trace = again
                sys.settrace(lambda *_: None)
            raise late

        before, traced = signal.signal(signal.SIGALRM, stop), sys.gettrace()
        signal.setitimer(signal.ITIMER_REAL, max(self.left, 1e-3), min(self.limit, 0.5))   # and again, should it be caught
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self.left -= used()
            sys.settrace(traced)
            signal.signal(signal.SIGALRM, before)

    @contextlib.contextmanager
    def _seen(self, function):
        def look(frame, event, _):
            code, caller = frame.f_code, frame.f_back and frame.f_back.f_code
            if (event == "call" and code.co_filename.startswith(self.folder) and code.co_name[0] != "<"
                    and "<locals>" not in code.co_qualname
                    and not (caller and caller.co_filename.startswith(self.folder)
                             and "<locals>" not in caller.co_qualname)):   # what it calls itself, no decorators
                self.called[f"{frame.f_globals.get('__name__')}.{code.co_qualname}"] = True

        before = sys.getprofile()
        sys.setprofile(look)
        try:
            yield
        finally:
            if sys.getprofile() is not look and (self.number, function) not in self.late:   # which ends `look`, too
                self.flags.append("switches off what watches its calls")
            sys.setprofile(before)

    def end(self, complaint=""):
        """Flags are printed; with a flag or a complaint the cell fails."""
        def within(name, modules):
            return any(name == module or name.startswith(module + ".") for module in modules)

        self.flags += [f"calls {name}" for name in self.called
                       if within(name, self.forbids) and not within(name, self.allows)]
        lines = [f"FLAG: exercise {self.number}: {flag}" for flag in dict.fromkeys(self.flags)]
        if lines:
            print(*lines, sep="\n")
        if complaint:
            raise Wrong(f"Exercise {self.number}: {complaint}")
        if lines:
            raise Wrong("\n".join([*lines, f"Exercise {self.number}: a person looks at it before it is marked."]))

    # ---- three kinds of tests -----------------------------------------------

    def by_the_book(self, call, answers):
        """The check of the book, loaded afresh; `call` is its line, `answers` the names in it."""
        verdicts, exercises = [], self.fresh["descent.exercises"]

        def recorded(check):
            def run(*args, **kwargs):
                verdicts.append(check(*args, **kwargs))
            return run

        names = {name: recorded(getattr(exercises, name)) for name in self.checks}
        names.update({name: self.answer(name) for name in answers})
        try:
            with self._silent():
                exec(compile(call, "<frozen check>", "exec"), {"np": np, **names})
        except RanTooLong as late:
            self.end(str(late))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self.end(f"the answer cannot be checked: {type(error).__name__}: {error}")
        message = "\n".join(verdict.message for verdict in verdicts)
        for name in self.checks:   # the line below in the cell says it once
            self.env[name] = _Told("")
        good = bool(verdicts) and not [v for v in verdicts if v.points != 1]
        if good and not self.flags:
            self.env[self.checks[0]] = _Told(message)
        self.end("" if good else message)

    def function(self, name, cases, *, rtol, quantities=("the result",), driver=None):
        """Hidden inputs, and what the book's own solution makes of them: [(arguments, [quantity, ...]), ...]."""
        engine = self.fresh["descent.exercises.engine"]
        function = self.answer(name)
        if function is None:
            self.end(f"`{name}` is not done yet.")
        if not callable(function):
            self.end(f"`{name}` must be a function.")
        for n, (args, right) in enumerate(cases, 1):
            where = f"`{name}`, hidden input {n} of {len(cases)} ({_told(args)})"
            try:
                given = copy.deepcopy(args)
                with np.errstate(all="ignore"):
                    result = DRIVERS[driver](function, *given) if driver else function(*given)
                if result is None:
                    self.end(f"`{name}` is not done yet: it returns nothing.")
                got = [part.tolist() for part in engine._read(result, quantities).values()]
            except Wrong:
                raise
            except KeyboardInterrupt:
                raise
            except RanTooLong as late:
                self.end(f"{where}: {late}")
            except engine.Complaint as complaint:
                self.end(f"{where}: {complaint}")
            except BaseException as error:
                self.end(f"{where}: it raised {type(error).__name__}: {error}")
            for quantity, mine, wanted in zip(quantities, got, right):
                place = _difference(mine, wanted, rtol)
                if place is not None:
                    self.end(f"{where}: {quantity} is wrong{place}")
        self.end()

    def value(self, answer, right, *, rtol=5e-3, order=True):
        """A number, some numbers, or a word, compared with what is stored here."""
        engine, name = self.fresh["descent.exercises.engine"], answer
        try:
            found = self.answer(name)
            found = found() if callable(found) else found
            if found is None:
                self.end(f"`{name}` is not done yet.")
            if isinstance(right, str):
                mine = "".join(map(str, found)) if isinstance(found, (set, list, tuple)) else found
                mine = "".join(sorted({c for c in mine.lower() if c.isalpha()}))
                self.end("" if mine == right else f"`{name}` is not right: {found!r}")
                return
            mine = engine._array(found).tolist()
        except Wrong:
            raise
        except KeyboardInterrupt:
            raise
        except RanTooLong as late:
            self.end(str(late))
        except BaseException as error:
            self.end(f"`{name}` cannot be read: {type(error).__name__}: {error}")
        if not order and isinstance(mine, list):
            mine = sorted(mine)
        exact = not isinstance(right, (float, list))
        place = _difference(mine, right, 1e-9 if exact else rtol)
        self.end("" if place is None else f"`{name}` is not right{place}")


    def _at_rest(self, rate, steps):
        """Whether RMSprop with this schedule ends at rest after so many steps; "" or what is wrong."""
        rates = [rate(t) for t in range(1, steps + 1)]
        if rates[0] is None:
            return "it is not done yet"
        for t, alpha in enumerate(rates, 1):
            if not 0 <= float(alpha) < math.inf:
                return f"the rate at t = {t} is {alpha}, but it must be a number of at least 0"
        problems, loop, rules = (self.fresh[f"descent.{name}"] for name in ("problems", "loop", "rules"))
        for curvatures, start in (([1, 50], [-8.0, 1.5]), ([3, 900], [5.0, -7.0]), ([1, 50], [-0.5, 8.0])):
            ravine = problems.quadratic(curvatures)
            end = loop.run(rules.rmsprop, ravine.grad, np.array(start), steps, alpha=lambda t: rates[t - 1],
                           record=False).theta
            if not float(ravine(end)) < 1e-12:
                return f"from {tuple(start)} f ends at {float(ravine(end)):.3g} after {steps} steps"
        return ""

    def own(self, answer, seed, choices, right, kind, *, inputs=(), rtol=5e-3, quantities=("the result",)):
        """By the numbers of the student whose name stands in `name`.

        right : source of a function of these numbers that gives the right value, the right function, or a
            judge of the answer, which returns what is wrong ("" or a Verdict)
        inputs : of a function, hidden ones
        """
        name = self.env.get("name")
        if not isinstance(name, str) or not name.strip():
            self.end("write your name into the cell `name = \"\"`: your numbers come from it.")
        print(f"NAME: {name.strip()}")
        mine = my_numbers(name, seed, self.number, **choices)
        names = {"np": np, "math": math, "descent": self.fresh["descent"], "exercises": self.fresh["descent.exercises"],
                 "at_rest": self._at_rest}
        right = eval(right, names)(**mine)
        if kind == "value":
            self.value(answer, right if isinstance(right, float) else np.asarray(right, float).tolist(), rtol=rtol)
        elif kind == "function":
            self.function(answer, [(args, [np.asarray(right(*args)).tolist()]) for args in inputs], rtol=rtol,
                          quantities=quantities)
        else:
            try:
                with self._silent():
                    found = right(self.answer(answer))
            except (KeyboardInterrupt, Wrong):
                raise
            except BaseException as error:
                found = f"`{answer}` cannot be read: {type(error).__name__}: {error}"
            self.end(found if isinstance(found, str) else "" if found.points == 1 else found.message)


def _two_days(function, gradients, cut, alpha):
    """The first days end at `cut`; what is saved goes on."""
    saved = function(gradients[:cut], alpha)
    return None if saved is None else function(gradients[cut:], alpha, saved)[0]


def _in_place(function, gradients, *hyper):
    """Steps that write into their arrays; the parameters after each."""
    theta, m, v, s = (np.zeros(gradients.shape[1]) for _ in range(4))
    path = []
    for t, g in enumerate(gradients, 1):
        function(theta, g.copy(), m, v, s, t, *hyper)
        if not theta.any():
            return None
        path.append(theta.copy())
    return np.array(path)


DRIVERS = {"two days": _two_days, "in place": _in_place}


# ---- comparing in plain Python ----------------------------------------------


def _difference(mine, right, rtol):
    """None, or in words where nested lists of numbers differ."""
    if _shape(mine) != _shape(right):
        return f": its shape is {_shape(mine)}, but {_shape(right)} is needed"
    mine, right = dict(_flat(mine)), dict(_flat(right))
    scale = max([x if x > 0 else -x for x in right.values() if x - x == 0], default=0.0)
    for place, wanted in right.items():
        got = mine[place]
        size = wanted if wanted > 0 else -wanted
        near = -rtol * (size + 1e-3 * scale) <= got - wanted <= rtol * (size + 1e-3 * scale)
        if not (near or got == wanted or (got != got and wanted != wanted)):
            at = f" at entry {place if len(place) > 1 else place[0]}" if place else ""
            return f"{at}: yours is {got:.6g}"
    return None


def _shape(value):
    return (len(value), *(_shape(value[0]) if len(value) else ())) if isinstance(value, list) else ()


def _flat(value, place=()):
    if isinstance(value, list):
        for n, part in enumerate(value):
            yield from _flat(part, (*place, n))
    else:
        yield place, float(value)


def _told(args):
    """Arguments in a few words: numbers, and the shapes of arrays."""
    return ", ".join(f"{arg:.4g}" if isinstance(arg, (int, float)) else
                     f"an array of shape {np.shape(arg)}" for arg in args)
