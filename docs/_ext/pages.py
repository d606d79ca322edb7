"""The directives: API, data dictionary, command line, examples and the notebook."""

import ast
import contextlib
import importlib
import inspect
import io
import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import corridor

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "examples"


class PublicNames(SphinxDirective):
    """Document every public name of a module: ``.. public-names:: corridor.planning``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the entries of the module's ``__all__``, or of what it defines."""
        module = importlib.import_module(self.arguments[0])
        entries: dict[str, list[str]] = {"function": [], "class": [], "exception": [], "data": []}
        for name in _public(module):
            value = getattr(module, name)
            kind = _kind(value)
            if module is not corridor and value is getattr(corridor, name, None):
                link = f":py:obj:`corridor.{name}` stands among the verbs and results."
                entries[kind] += [link, ""]
            elif kind != "data" or _is_described(module, name):
                # Constants without a text of their own are told of where they are used.
                entries[kind] += [f".. auto{kind}:: {module.__name__}.{name}", *_OPTIONS[kind], ""]
        lines = [line for part in entries.values() for line in part]
        return self.parse_text_to_nodes("\n".join(lines))


_OPTIONS = {
    "function": (),
    "class": ("   :members:",),
    "exception": ("   :members:",),
    "data": ("   :no-value:",),
}


def _kind(value: object) -> str:
    if inspect.isclass(value):
        return "exception" if issubclass(value, BaseException) else "class"
    return "function" if callable(value) else "data"


def _public(module: object) -> list[str]:
    if hasattr(module, "__all__"):
        return [name for name in module.__all__ if not name.startswith("_")]
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    ]


def _is_described(module: object, name: str) -> bool:
    """Return whether a text follows the assignment of a constant in the module's source."""
    body = ast.parse(inspect.getsource(module)).body
    for before, after in itertools.pairwise(body):
        target = getattr(before, "target", None) or getattr(before, "targets", [None])[0]
        if getattr(target, "id", None) == name:
            return isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
    return False


class DataDictionary(SphinxDirective):
    """Document every table of a data set folder from the schema."""

    def run(self) -> list[nodes.Node]:
        """Return a section per table."""
        from corridor.network.schema import TABLES

        lines: list[str] = []
        for table in TABLES.values():
            key = " / ".join(f"`{name}`" for name in (*table.key, *table.tail)) or "none"
            needed = "required" if table.required else "optional"
            lines += [f"## {table.file}", "", f"Key: {key}; the file is {needed}.", ""]
            lines += _table(
                ("column", "holds", "unit", "must stand", "blank", "meaning"),
                (
                    (
                        f"`{column.name}`",
                        column.expected.replace(f" ({column.unit})", ""),
                        column.unit,
                        "yes" if column.required else "",
                        _blank(column),
                        column.meaning,
                    )
                    for column in table.columns
                ),
            )
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def _blank(column: object) -> str:
    if not column.blank:
        return "no"
    if column.default is not None:
        return f"= {str(column.default).lower()}"
    return "filled" if column.fillable else "yes"


class ResultColumns(SphinxDirective):
    """Document the columns of results, as they stand in the written files."""

    def run(self) -> list[nodes.Node]:
        """Return one table of all columns."""
        from corridor.report.files.fields import MEANINGS, unit_of

        rows = ((f"`{name}`", unit_of(name), text) for name, text in sorted(MEANINGS.items()))
        lines = _table(("column", "unit", "meaning"), rows)
        return self.parse_text_to_nodes("\n".join(lines))


class CommandReference(SphinxDirective):
    """Document every command from the application itself."""

    def run(self) -> list[nodes.Node]:
        """Return a section per command."""
        import typer.main

        from corridor.cli import app

        lines: list[str] = []
        for name, command in typer.main.get_command(app).commands.items():
            usage = [f"corridor {name}"]
            usage += [p.metavar or p.name.upper() for p in command.params if _is_argument(p)]
            lines += [f"## corridor {name}", "", str(command.help or ""), ""]
            lines += ["```text", " ".join([*usage, "[OPTIONS]"]), "```", ""]
            lines += _table(
                ("argument or option", "meaning", "default"),
                (
                    (
                        f"`{_spelled(parameter)}`",
                        _plain(parameter.help or ""),
                        _default(parameter.default),
                    )
                    for parameter in command.params
                ),
            )
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def _is_argument(parameter: object) -> bool:
    return parameter.param_type_name == "argument"


def _spelled(parameter: object) -> str:
    if _is_argument(parameter):
        return parameter.metavar or parameter.name.upper()
    return " ".join([*parameter.opts, *parameter.secondary_opts])


def _default(value: object) -> str:
    if value is None or value is False or callable(value) or value == ():
        return ""
    return f"`{value}`"


def _plain(text: str) -> str:
    """Return a text in which Markdown takes no character for markup."""
    for sign in "\\`*_{}[]<>|":
        text = text.replace(sign, f"\\{sign}")
    return text


class Examples(SphinxDirective):
    """Show every example and what it prints."""

    def run(self) -> list[nodes.Node]:
        """Return a section per example: the question, the output and the source."""
        lines: list[str] = []
        for file in sorted(EXAMPLES.glob("[0-9]*.py")):
            source = file.read_text(encoding="utf-8")
            question = str(ast.get_docstring(ast.parse(source))).partition("\n\n")[0]
            self.env.note_dependency(str(file))
            lines += [f"## {file.stem[3:].replace('_', ' ').capitalize()}", "", question, ""]
            lines += [f"`python examples/{file.name} --short` prints", "", "```text"]
            lines += [_printed(file), "```", "", "The script:", "", "```python", source, "```", ""]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


class Run(SphinxDirective):
    """Run the code of a page, one block after the other, and show what it prints."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the code and its output; an error ends the build."""
        spaces = self.env.temp_data.setdefault("corridor_run", {})
        namespace = spaces.setdefault(self.env.docname, {"__name__": "__docs__"})
        code = "\n".join(self.content)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, self.env.docname, "exec"), namespace)  # noqa: S102 (our own page)
        found: list[nodes.Node] = [_code(code, "python")]
        if printed.getvalue():
            found.append(_code(printed.getvalue().rstrip(), "text"))
        return found


def _made(name: str) -> Path | None:
    """Return what was made beforehand, in the folder that ``CORRIDOR_EXAMPLES`` names."""
    folder = os.environ.get("CORRIDOR_EXAMPLES")
    file = Path(folder) / name if folder else None
    return file if file is not None and file.is_file() else None


def _printed(file: Path) -> str:
    made = _made(f"{file.stem}.txt")
    if made is not None:
        return made.read_text(encoding="utf-8").rstrip()
    done = subprocess.run(  # noqa: S603 (an example of the checkout)
        [sys.executable, str(file), "--short"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.rstrip()


class Notebook(SphinxDirective):
    """Show a notebook with its outputs."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the cells in order: texts, code and what it showed."""
        import nbformat

        file = EXAMPLES / self.arguments[0]
        self.env.note_dependency(str(file))
        made = _made(file.name)
        book = nbformat.read(made or file, as_version=4)
        if made is None:
            from nbclient import NotebookClient

            NotebookClient(book, timeout=300, resources={"metadata": {"path": str(ROOT)}}).execute()
        lines: list[str] = []
        for cell in book.cells:
            if cell.cell_type == "markdown":
                # The page has the title itself.
                lines += [re.sub(r"\A# .*\n", "", cell.source), ""]
            else:
                lines += ["```python", cell.source, "```", ""]
                lines += [line for output in cell.outputs for line in _shown(output)]
        text = "\n".join(lines)
        # What stands before the first heading belongs to the page, not to a section.
        before, sign, after = text.partition("\n## ")
        found = self.parse_text_to_nodes(before)
        return found + self.parse_text_to_nodes(sign + after, allow_section_headings=True)


def _code(text: str, language: str) -> nodes.literal_block:
    block = nodes.literal_block(text, text)
    block["language"] = language
    return block


def _shown(output: object) -> list[str]:
    """Return what a cell showed as Markdown, the richest form of it that a page can hold."""
    data = output.get("data", {})
    if "image/png" in data:
        source = f"data:image/png;base64,{data['image/png'].strip()}"
        return [f'<div><img alt="" style="max-width:100%" src="{source}"></div>', ""]
    if "text/html" in data:
        # A block of HTML ends at the first empty line.
        markup = "".join(line.strip() for line in data["text/html"].splitlines() if line.strip())
        return [f'<div style="overflow-x:auto">{markup}</div>', ""]
    text = str(output.get("text") or data.get("text/plain", "")).rstrip()
    return ["```text", text, "```", ""]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines] + [""]
