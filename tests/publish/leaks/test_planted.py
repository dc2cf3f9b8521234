"""Every kind of secret in every place: found, and never repeated."""

import base64
import re

import nbformat
import planted
import pytest

from htresearch import language
from htresearch.errors import NotebookError
from htresearch.publish.leaks import Secrets, pieces, refuse, scan, scan_content, scan_notebook

KNOWN = Secrets(planted.NAMES, planted.IDS)
SECRETS = pytest.mark.parametrize("kind", planted.SECRETS)


def check(leaks, kind, where=""):
    """The kind is found, and no message in any language holds the secret or a good part of it."""
    secret = planted.SECRETS[kind]
    assert kind.partition(",")[0] in {leak.kind for leak in leaks}
    for spoken in language.LANGUAGES:
        with language.speaking(spoken), pytest.raises(NotebookError) as error:
            refuse(leaks)
        told = str(error.value) + repr(error.value) + repr(leaks)
        assert where in told
        for part in {secret, secret[:6], secret[-6:], *planted.NAMES, "guxl"} - {""}:
            assert part not in told or part in ("/" + "home/", "C:" + "\\User"), told


@SECRETS
@pytest.mark.parametrize("place", planted.CELLS)
def test_in_a_cell(place, kind):
    cell = planted.CELLS[place](planted.SECRETS[kind])
    check(scan_notebook(planted.notebook(cell), "20_dose.ipynb", KNOWN), kind, "20_dose.ipynb")


@SECRETS
def test_in_the_metadata_of_a_notebook(kind):
    check(scan_notebook(planted.notebook(authors=[{"name": planted.SECRETS[kind]}]), "x.ipynb", KNOWN), kind)


@SECRETS
@pytest.mark.parametrize("place", planted.FILES)
def test_in_a_file(place, kind):
    check(tuple(scan_content(place, planted.FILES[place](planted.SECRETS[kind]), KNOWN)), kind, place)


@pytest.mark.parametrize("place", ["text", "title"])
def test_in_a_pdf(place):
    leaks = scan_content("x.pdf", planted.pdf(**{place: " ； ".join(planted.SECRETS.values())}), KNOWN)
    assert {leak.kind for leak in leaks} == {kind.partition(",")[0] for kind in planted.SECRETS}


@pytest.mark.parametrize("kind", [kind for kind in planted.SECRETS if not kind.startswith("path")])
@pytest.mark.parametrize("ending", ["ipynb", "html", "csv", "png"])
def test_in_a_name(kind, ending, tmp_path):
    folder = tmp_path / "site"
    (folder / "zh").mkdir(parents=True)
    secret = planted.SECRETS[kind]
    content = {
        "ipynb": nbformat.writes(planted.notebook()).encode(),
        "png": planted.png(),
    }.get(ending, b"x")
    (folder / "zh" / f"report_{secret}_x.{ending}").write_bytes(content)
    check(scan(folder, KNOWN), kind, f".{ending}")


def test_in_the_name_of_a_folder(tmp_path):
    (tmp_path / "site" / "顾晓岚").mkdir(parents=True)
    (tmp_path / "site" / "顾晓岚" / "a.csv").write_text("x\n1.5\n", encoding="utf-8")
    check(scan(tmp_path / "site", KNOWN), "name", "‹姓名›/a.csv")


def test_it_says_which_cell_and_output():
    cells = planted.code(), planted.code(
        planted.new_output("stream", name="stdout", text="fine"),
        planted.new_output("display_data", data={"text/plain": "13912345678"}),
    )  # fmt: skip
    (leak,) = scan_notebook(planted.notebook(*cells), "20_dose.ipynb")
    with language.speaking("zh"):
        assert str(leak.fault).startswith(
            "20_dose.ipynb，第 3 个单元格（代码 [2]），第 2 个输出，text/plain：含有电话。"
        )
    with language.speaking("en"):
        assert str(leak.fault).startswith(
            "20_dose.ipynb, cell 3 (code [2]), output 2, text/plain: holds what may not get out: Phone number."
        )


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7 broken",
        b"PK\x03\x04 broken",
        b"\x00\x01\x02\x03\xff\xfe\xfd" * 50,
        b"{not a notebook",
    ],
)
def test_what_cannot_be_read_is_not_let_out(content):
    name = "x.ipynb" if content.startswith(b"{") else "x.bin"
    assert [leak.kind for leak in scan_content(name, content)] == ["unreadable"]


def test_a_locked_pdf_is_not_let_out():
    import io

    from pypdf import PdfWriter

    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret")
    buffer = io.BytesIO()
    writer.write(buffer)
    assert "unreadable" in [leak.kind for leak in scan_content("x.pdf", buffer.getvalue())]


def test_alt_text_and_attachments_of_a_pdf_are_searched():
    import io

    from pypdf import PdfReader, PdfWriter
    from pypdf.generic import NameObject, TextStringObject

    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.pages[0][NameObject("/Alt")] = TextStringObject("顾晓岚")
    buffer = io.BytesIO()
    writer.write(buffer)
    assert [leak.kind for leak in scan_content("x.pdf", buffer.getvalue(), KNOWN)] == ["name"]
    writer = PdfWriter(PdfReader(io.BytesIO(planted.pdf())))
    writer.add_attachment("data.csv", b"phone\n13912345678\n")
    buffer = io.BytesIO()
    writer.write(buffer)
    assert {leak.kind for leak in scan_content("x.pdf", buffer.getvalue(), KNOWN)} == {"phone"}


@pytest.mark.parametrize("more", range(4))
@pytest.mark.parametrize("word", ["", "left", "c", "center"])
def test_an_image_is_told_from_the_attribute_behind_it(more, word):
    """Attributes are read one after another, and a word behind an image could be its last letters."""
    image = b"\x89PNG\r\n\x1a\n" + bytes(range(60)) * 3 + b"x" * more
    page = f'<p><img src="data:image/png;base64,{base64.b64encode(image).decode()}" class="{word}"></p>'
    assert not any(
        re.search("[A-Za-z0-9+/]{64}", piece.text or "") for piece in pieces.of_file("a.html", page.encode())
    )
