"""What the reference lists: the rooms of the package, and the public names in each."""

import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from htresearch.publish.docs.docstring import Docstring, parse

#: Looked at by name, for its public names are what is listed; nothing here uses them.
_PACKAGE = "htresearch"
#: What is no room for users of the library.
_NO_ROOM = frozenset({"cli", "atomic", "bench"})


@dataclass(frozen=True)
class Name:
    """A public name: a function, a class or a value.

    Attributes
    ----------
    path : str
        How it is called, such as ``ht.scales.alpha``.
    kind : str
        ``"function"``, ``"class"``, ``"method"``, ``"property"`` or ``"value"``.
    value : object
        What it names.
    docstring : Docstring
        Its docstring in parts.
    signature : inspect.Signature or None
        For what can be called.
    members : tuple of Name
        A class's own public methods and properties.
    """

    path: str
    kind: str
    value: object
    docstring: Docstring
    signature: inspect.Signature | None = None
    members: tuple["Name", ...] = ()

    @property
    def short(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]

    def parameters(self) -> list[str]:
        """Return the names that a caller may give."""
        if self.signature is None:
            return []
        return [name for name in self.signature.parameters if name not in ("self", "cls")]


@dataclass(frozen=True)
class Room:
    """A part of the package with its public names.

    Attributes
    ----------
    name : str
        Such as ``"scales"``.
    docstring : Docstring
        The module's.
    names : tuple of Name
        Functions, then classes, then values, each by name.
    """

    name: str
    docstring: Docstring
    names: tuple[Name, ...]


def rooms() -> list[Room]:
    """Return every room of the package that users call, by name.

    Returns
    -------
    list of Room
        Found in the package itself, so that a new room is listed without being named here.

    Examples
    --------
    >>> {"scales", "study"} <= {room.name for room in rooms()}
    True
    """
    found = []
    for module in pkgutil.iter_modules(import_module(_PACKAGE).__path__):
        if not module.name.startswith("_") and module.name not in _NO_ROOM:
            found.append(room(module.name))
    return found


def room(name: str) -> Room:
    """Return one room.

    Parameters
    ----------
    name
        Its name under ``htresearch``, such as ``"scales"``.

    Returns
    -------
    Room
        Its public names: those of ``__all__``, and what the package offers from it at the top.
    """
    package, module = import_module(_PACKAGE), import_module(f"{_PACKAGE}.{name}")
    listed = _listed(module, f"ht.{name}")
    for top, home in package._NAMES.items():
        if home.split(".")[1] == name and not any(entry.short == top for entry in listed):
            listed.append(_name(f"ht.{top}", getattr(package, top)))
    order = {"function": 0, "class": 1}
    return Room(name, parse(module.__doc__), tuple(sorted(listed, key=lambda n: (order.get(n.kind, 2), n.path))))


def _listed(module: ModuleType, path: str) -> list[Name]:
    found = []
    for name in _public(module):
        value = getattr(module, name)
        if inspect.ismodule(value):
            found += _listed(value, f"{path}.{name}")
        else:
            found.append(_name(f"{path}.{name}", value))
    return found


def _public(module: ModuleType) -> list[str]:
    """Return the names of ``__all__``, or else those that are made in the module and not hidden."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == module.__name__
    ]


def _name(path: str, value: object) -> Name:
    if inspect.isclass(value):
        return Name(path, "class", value, parse(value.__doc__), _signature(value), _members(path, value))
    if callable(value):
        return Name(path, "function", value, parse(inspect.getdoc(value)), _signature(value))
    return Name(path, "value", value, Docstring())


def _members(path: str, kind: type) -> tuple[Name, ...]:
    found = []
    for name, value in vars(kind).items():
        if name.startswith("_") or inspect.isclass(value):
            continue
        of = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        if inspect.isfunction(of):
            found.append(Name(f"{path}.{name}", "method", of, parse(inspect.getdoc(of)), _signature(of)))
        elif isinstance(value, property) or hasattr(value, "func"):
            found.append(Name(f"{path}.{name}", "property", value, parse(inspect.getdoc(value))))
    return tuple(found)


def _signature(value: Callable) -> inspect.Signature | None:
    try:
        return inspect.signature(value)
    except (TypeError, ValueError):
        return None
