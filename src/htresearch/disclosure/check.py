"""One question about anything that is to leave: may it? What is not known may not."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

from htresearch import checks
from htresearch.disclosure.rules import Rules, load_rules
from htresearch.disclosure.verdicts import Finding, Verdicts, decide
from htresearch.errors import Fault
from htresearch.language import Text, listing

_CHECKERS: dict[str, Callable] = {}


def register(*types: type | str) -> Callable[[Callable], Callable]:
    """Register a function as the checker of types.

    Parameters
    ----------
    types
        Types, or their dotted names (``"matplotlib.figure.Figure"``), so that nothing heavy is loaded. A checker
        serves subclasses that have none of their own.

    Returns
    -------
    callable
        A decorator for ``checker(thing, rules, **what) -> Verdicts``; `what` are the keywords that it takes.

    Examples
    --------
    >>> from htresearch.disclosure import check, decide, register
    >>> class Motto(str):
    ...     pass
    >>> @register(Motto)
    ... def motto(thing, rules):
    ...     return decide(["motto"], [], rules)
    >>> check(Motto("All pupils")).passed
    True
    """

    def keep(checker: Callable) -> Callable:
        for kind in types:
            _CHECKERS[kind if isinstance(kind, str) else _name(kind)] = checker
        return checker

    return keep


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def checker_of(thing: object) -> Callable | None:
    """Return the checker of the nearest type of a thing, or ``None``."""
    return next((_CHECKERS[_name(kind)] for kind in type(thing).__mro__ if _name(kind) in _CHECKERS), None)


def check(thing: object, rules: Rules | str | Path | None = None, **what: object) -> Verdicts:
    """Say of each cell or term of an output whether it may leave, by which rule, and what to do.

    Parameters
    ----------
    thing
        A `Tabulation`, a result of this package, a plain data frame of known provenance. Anything else is refused.
    rules
        A preset (``"public"`` by default), a file, or rules: see `load_rules`.
    what
        What the checker of this type can be told, such as ``statistic=`` and ``counts=`` for a plain data frame.

    Returns
    -------
    Verdicts
        A row per cell or term; ``.passed`` is true only if every one may leave.

    Raises
    ------
    ArgumentError
        If there are no such rules, or if `what` holds a name that the checker does not take.

    References
    ----------
    Hundepool, A., et al. (2012). *Statistical Disclosure Control*. https://doi.org/10.1002/9781118348239

    Examples
    --------
    >>> check(lambda scores: scores.max()).passed
    False
    """
    rules = load_rules(rules)
    checker = checker_of(thing)
    if checker is None:
        return _unknown(thing, rules)
    takes = list(inspect.signature(checker).parameters.values())
    if not any(p.kind is p.VAR_KEYWORD for p in takes):
        checks.require(*(_no_argument(name, thing, [p.name for p in takes[2:]]) for name in what))
    return checker(thing, rules, **what)


def _no_argument(name: str, thing: object, known: list[str]) -> Fault | None:
    if name in known:
        return None
    kind = type(thing).__name__
    fix = Text(f"可用：{listing(known).zh}", f"Use {listing(known).en}") if known else Text("请去掉", "Leave it out")
    return Fault(
        checks.argument(name),
        Text(f"检查 {kind} 时没有这个参数", f"is no argument for checking a {kind}"),
        checks.suggestion(name, known) or fix,
    )


def _unknown(thing: object, rules: Rules) -> Verdicts:
    kind = type(thing).__name__
    finding = Finding(
        None,
        "unknown",
        Text(
            f"不认识这种内容（{kind}），无法检查。",
            f"This kind of output ({kind}) is not known and cannot be checked.",
        ),
        Text(
            "表格请用 ht.disclosure.tabulate 从原始数据生成；模型请给本包的结果。",
            "Make tables from the microdata by ht.disclosure.tabulate; for models give this package's results.",
        ),
    )
    return decide([str(Text("整个输出", "the whole output"))], [finding], rules, kind="unknown", method=kind)
