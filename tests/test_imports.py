"""Imports run one way: down. Read from the source, so that an import inside a function counts too."""

import ast
import subprocess
import sys
from pathlib import Path

import htresearch

PACKAGE = "htresearch"
SOURCE = Path(htresearch.__file__).parent

GROUND = {"appearance", "atomic", "checks", "drawn", "errors", "identifiers", "language", "result"}
FLOORS = [
    GROUND,
    {"instruments"},
    {"scales", "multilevel", "designs", "appraisal", "singlecase", "intake", "study"},
    {"corps"},
    {"disclosure"},
    {"publish", "bench"},
    {"cli"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

# Rooms of one floor do not know one another, but for these; nor do these know every room below.
BESIDE = {
    "designs": {"multilevel"},
    "appraisal": {"multilevel"},
    "singlecase": {"multilevel"},
    "intake": {"study"},  # what it writes is a study
}
ONLY_BELOW = {
    **dict.fromkeys(("multilevel", "designs", "appraisal", "singlecase"), GROUND),
    "corps": GROUND | {"study"},
}


def modules(source: Path) -> dict[str, Path]:
    """Every module of a package by its dotted name."""
    found = {}
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        found[".".join((PACKAGE, *parts)).removesuffix(".__init__")] = path
    return found


def imports(name: str, path: Path, known: dict[str, Path]) -> list[tuple[str, bool]]:
    """The modules of the package that a module imports, each with whether it does so while being imported itself."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = []

    def visit(node: ast.AST, at_once: bool) -> None:
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for child in node.orelse:
                visit(child, at_once)
            return
        if isinstance(node, ast.Import):
            found.extend((alias.name, at_once) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base]).rstrip(".")
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                found.append((inner if inner in known else base, at_once))
        lazy = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            visit(child, at_once and not lazy)

    visit(ast.parse(path.read_text(encoding="utf-8")), True)
    return [(target, at_once) for target, at_once in found if target.split(".")[0] == PACKAGE]


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def wrong_arrows(source: Path) -> list[str]:
    """Every import that runs upwards, sideways, or in a circle."""
    known = modules(source)
    wrong = [
        f"{name}: place the room “{room(name)}” on a floor"
        for name in known
        if room(name) and room(name) not in FLOOR
    ]
    if wrong:
        return wrong
    at_once: dict[str, set[str]] = {name: set() for name in known}
    for name, path in known.items():
        if not room(name):
            continue  # the package itself only names its modules
        for target, now in imports(name, path, known):
            if now and target in known and target != name:
                at_once[name].add(target)
            if not may_import(room(name), room(target)):
                wrong.append(f"{name} imports {target}")
    return wrong + [f"circle: {' > '.join(circle)}" for circle in circles(at_once)]


def may_import(here: str, there: str) -> bool:
    if here == there:
        return True
    if not there:
        return here == "cli"  # the public names are for users
    if there not in FLOOR:
        return False
    if here in GROUND and there in GROUND:
        return True  # as long as no circle forms while modules load
    if there in BESIDE.get(here, ()):
        return True
    return FLOOR[there] < FLOOR[here] and there in ONLY_BELOW.get(here, FLOOR)


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Circles of modules that import one another while loading (a package's own `__init__` stands for its files)."""
    found, done = [], set()

    def walk(name: str, trail: list[str]) -> None:
        if name in trail:
            found.append([*trail[trail.index(name) :], name])
            return
        if name in done:
            return
        for target in sorted(graph.get(name, ())):
            walk(target, [*trail, name])
        done.add(name)

    for name in sorted(graph):
        walk(name, [])
    return found


def test_imports_run_one_way():
    assert wrong_arrows(SOURCE) == []


def tree(folder: Path, **files: str) -> Path:
    for name, text in {"__init__": "", **files}.items():
        path = folder.joinpath(*name.split("__IN__")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_an_upward_arrow_is_seen_even_inside_a_function(tmp_path):
    source = tree(
        tmp_path, errors="", result="def f():\n    from htresearch import cli\n", cli="import htresearch.result"
    )
    assert wrong_arrows(source) == ["htresearch.result imports htresearch.cli"]


def test_a_method_that_knows_the_study_is_seen(tmp_path):
    source = tree(tmp_path, study__IN__open="", study__IN____init__="", multilevel="from .study.open import x")
    assert wrong_arrows(source) == ["htresearch.multilevel imports htresearch.study.open"]


def test_a_circle_is_seen(tmp_path):
    source = tree(tmp_path, errors="from htresearch import language", language="from htresearch.errors import x")
    assert wrong_arrows(source) == ["circle: htresearch.errors > htresearch.language > htresearch.errors"]


def test_a_circle_that_waits_inside_a_function_is_none(tmp_path):
    source = tree(
        tmp_path, errors="from htresearch import language", language="def f():\n    import htresearch.errors"
    )
    assert wrong_arrows(source) == []


def test_what_only_a_type_checker_reads_is_no_import(tmp_path):
    hint = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from htresearch.cli import main\n"
    assert wrong_arrows(tree(tmp_path, errors=hint, cli="")) == []


def test_a_room_without_a_floor_is_seen(tmp_path):
    assert wrong_arrows(tree(tmp_path, utils="")) == ["htresearch.utils: place the room “utils” on a floor"]


def test_importing_the_package_loads_nothing_heavy():
    heavy = ("pandas", "numpy", "matplotlib", "scipy", "yaml", "duckdb", "statsmodels")
    code = f"import sys, htresearch; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_help_of_the_command_line_loads_nothing_heavy():
    heavy = ("pandas", "numpy", "matplotlib", "scipy", "nbclient", "duckdb", "statsmodels")
    code = f"""
import sys
from htresearch.cli import main
try:
    main(["--help"])
except SystemExit:
    pass
print([m for m in {heavy} if m in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout.strip().endswith("[]")
