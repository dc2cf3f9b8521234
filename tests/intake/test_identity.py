"""One person, one pseudonym; no key, no link; and nothing private where others could read it."""

import csv
import hashlib
import hmac
import os
import pickle
import subprocess

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from htresearch import language
from htresearch.errors import ArgumentError
from htresearch.identifiers import find
from htresearch.intake import Key, Linkage, match_roster
from htresearch.intake.identity import normalised, private
from htresearch.intake.identity.spelling import is_known

posix = pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")

CARD = "11010519491231002X"  # the example of GB 11643-1999
SECRET = bytes(range(32))
KEYS = [Key("a.key", SECRET), Key("b.key", bytes(32))]


@pytest.fixture
def key(tmp_path):
    return Key.create(tmp_path / "keys" / "a.key")


# --- Pseudonyms ------------------------------------------------------------------------------


def full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


SPELLINGS = (
    str.upper,
    str.lower,
    full_width,
    lambda text: "　".join(text),
    lambda text: f" {text}\n",
    lambda text: "\u200b".join(text),
    lambda text: text.replace("·", "•"),
    lambda text: text.replace("·", " . "),
    lambda text: text.replace("·", ""),
)
names = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=2, max_size=4).filter(is_known)
people = st.one_of(
    names, st.tuples(names, names).map("·".join), st.sampled_from(["Mary Li", "l.lan@qq.com", "七(3)班"])
)


@settings(deadline=None, max_examples=200)
@given(people, st.sampled_from(SPELLINGS), st.sampled_from(SPELLINGS), st.sampled_from(["三小", "第三小学"]))
def test_the_same_person_has_the_same_pseudonym_however_written(person, one, other, school):
    made = KEYS[0].pseudonym("teacher", person, school)
    assert KEYS[0].pseudonym("teacher", one(other(person)), one(school)) == made


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=12))
def test_one_spelling_is_its_own_spelling(text):
    assert normalised(normalised(text)) == normalised(text)


@pytest.mark.parametrize(
    "written",
    [
        CARD,
        CARD.lower(),
        f"G{CARD}",
        f"g {CARD[:6]} {CARD[6:14]} {CARD[14:]}",
        "110105-19491231-002x",
        "110105491231002",
        full_width(CARD),
        CARD.replace("X", "×"),
    ],
)
def test_card_and_g_number_are_one_person(written):
    assert KEYS[0].pseudonym("pupil", written) == KEYS[0].pseudonym("pupil", CARD)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("13800138000", "+86 138-0013-8000"),
        ("13800138000", 13800138000.0),
        ("13800138000", "（86）１３８００１３８０００"),
        ("0012", "12"),
        ("0012", 12),
        ("李 雷。", "李雷"),
        ("⽅⼀", "方一"),
    ],
)
def test_spreadsheets_and_people_spell_one_thing_in_two_ways(one, other):
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("王兰", "三小"), ("王兰", "四小")),
        (("王兰", "三小"), ("王兰三", "小")),
        (("王兰", "三小"), ("王兰三小",)),
        (("三小", "王兰"), ("王兰", "三小")),
        (("J" + CARD,), (CARD,)),
    ],
)
def test_others_have_others(one, other):
    assert KEYS[0].pseudonym("teacher", *one) != KEYS[0].pseudonym("teacher", *other)


def test_kinds_have_their_own(key):
    made = {kind: key.pseudonym(kind, "王兰", "三小") for kind in ("teacher", "pupil", "parent")}
    assert [name[:2] for name in made.values()] == ["t_", "s_", "p_"]
    assert len({name[2:] for name in made.values()}) == 3


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 10**9))
def test_a_pseudonym_says_nothing(number):
    made = KEYS[0].pseudonym("pupil", f"王{number}", "三小")
    assert len(made) == 22 and set(made[2:]) <= set("0123456789abcdef")
    assert find(made) == find(f"记录{made}。") == []


@settings(deadline=None, max_examples=100)
@given(names, names)
def test_no_key_no_link(name, school):
    made = KEYS[0].pseudonym("teacher", name, school)[2:]
    assert KEYS[1].pseudonym("teacher", name, school)[2:] != made
    # Whoever knows the person and the method, but not the key, does not come to it.
    sep = [p.encode() for p in (name, school)]
    framed = b"".join(len(p).to_bytes(4, "big") + p for p in (b"htresearch key 1", b"teacher", *sep))
    for message in (*(glue.join(sep) for glue in (b"", b" ", b"|", b"\x1f")), framed):
        assert made not in {hashlib.new(way, message).hexdigest()[:20] for way in ("sha256", "sha1", "md5")}
        assert hmac.digest(b"htresearch", message, "sha256").hex()[:20] != made
    # Whoever has the key does: this is HMAC-SHA-256 and nothing else.
    assert hmac.new(SECRET, framed, "sha256").hexdigest()[:20] == made


@pytest.mark.parametrize(
    "part", ["", "  ", None, float("nan"), pd.NA, "\u200b", "无", "匿名", "/", "——", "张*", "138****8000"]
)
def test_who_is_not_named_gets_no_pseudonym(part):
    with pytest.raises(ArgumentError, match="占位"):
        KEYS[0].pseudonym("teacher", part, "三小")
    assert KEYS[0].pseudonyms("teacher", pd.Series([part], dtype=object), pd.Series(["三小"])).isna().all()


def test_all_faults_of_a_call_are_said_and_no_value():
    with pytest.raises(ArgumentError) as error:
        KEYS[0].pseudonym("headmaster", "王兰", "")
    assert len(error.value.faults) == 2 and "王兰" not in str(error.value)


def test_a_column_of_pseudonyms(key):
    people = pd.DataFrame({"name": ["王兰", "王 兰", None], "school": ["三小"] * 3}, index=[7, 8, 9])
    made = key.pseudonyms("teacher", people["name"], people["school"])
    assert made.index.tolist() == [7, 8, 9]
    assert made[7] == made[8] == key.pseudonym("teacher", "王兰", "三小")
    assert made.isna().tolist() == [False, False, True]


# --- The key ---------------------------------------------------------------------------------


def test_a_key_is_the_same_when_opened_again(key):
    again = Key.open(key.path)
    assert again.pseudonym("pupil", CARD) == key.pseudonym("pupil", CARD)
    assert again.fingerprint == key.fingerprint


def test_two_keys_differ(tmp_path, key):
    other = Key.create(tmp_path / "b.key")
    assert other.fingerprint != key.fingerprint
    assert other.pseudonym("pupil", CARD) != key.pseudonym("pupil", CARD)


@posix
def test_a_key_is_for_its_owner_alone(tmp_path):
    old = os.umask(0)
    try:
        key = Key.create(tmp_path / "new" / "a.key")
    finally:
        os.umask(old)
    assert key.path.stat().st_mode & 0o777 == 0o600
    assert key.path.parent.stat().st_mode & 0o777 == 0o700


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_a_key_that_others_may_read_is_refused(key, mode):
    key.path.chmod(mode)
    with pytest.raises(ArgumentError, match="chmod 600") as error:
        Key.open(key.path)
    with language.speaking("en"):
        assert "others may read" in str(error.value)


@posix
def test_a_drive_without_permissions_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(private, "OWNER_ONLY", 0o644)  # what such a drive makes of 0o600
    with pytest.raises(ArgumentError, match="权限"):
        Key.create(tmp_path / "a.key")
    assert not (tmp_path / "a.key").exists()


def test_where_permissions_cannot_be_checked_that_is_said(tmp_path, monkeypatch):
    asked = []

    def refuse(command, **_):
        asked.append(command)
        return subprocess.CompletedProcess(command, returncode=5)

    monkeypatch.setattr(private, "POSIX", False)
    monkeypatch.setattr(private.subprocess, "run", refuse)
    key = Key.create(tmp_path / "a.key")
    opened = Key.open(tmp_path / "a.key")
    monkeypatch.undo()
    assert asked[0][0] == "icacls"
    assert "Windows" in str(key.note[0]) and "Windows" in str(opened.note[0])


def test_a_key_is_never_overwritten(key):
    before = key.path.read_bytes()
    with pytest.raises(ArgumentError, match="不会覆盖"):
        Key.create(key.path)
    assert key.path.read_bytes() == before


def in_repository(folder):
    (folder / ".git").mkdir()


def in_worktree(folder):
    (folder / ".git").write_text("gitdir: elsewhere")


def in_bare_repository(folder):
    (folder / "HEAD").write_text("ref: refs/heads/main")
    (folder / "objects").mkdir()
    (folder / "refs").mkdir()


def in_study(folder):
    (folder / "datapackage.json").write_text("{}")


def in_study_without_package(folder):
    (folder / "schools.csv").write_text("school_id")
    (folder / "teachers.parquet").write_text("")


@pytest.mark.parametrize(
    "there",
    [in_repository, in_worktree, in_bare_repository, in_study, in_study_without_package],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize("below", ["", "a/b"])
def test_a_key_lies_in_no_study_and_no_repository(tmp_path, there, below):
    folder = tmp_path / "place" / below
    folder.mkdir(parents=True)
    made = Key.create(folder / "a.key")
    Linkage().save(folder / "linkage.csv")
    there(tmp_path / "place")
    for act in (
        lambda: Key.create(folder / "b.key"),
        lambda: Key.open(made.path),
        lambda: Linkage().save(folder / "linkage.csv"),
        lambda: Linkage.load(folder / "linkage.csv"),
    ):
        with pytest.raises(ArgumentError, match=r"研究文件夹|git 仓库"):
            act()
    assert not (folder / "b.key").exists()


def test_nor_in_a_study_that_is_still_to_be_made(tmp_path):
    with pytest.raises(ArgumentError, match="研究文件夹"):
        Key.create(tmp_path / "study" / "a.key", study=tmp_path / "study")
    assert Key.create(tmp_path / "a.key", study=tmp_path / "study").path.exists()


@posix
def test_a_link_does_not_lead_into_a_repository(tmp_path):
    in_repository(tmp_path)
    outside = tmp_path.parent / f"{tmp_path.name}-link"
    (tmp_path / "keys").mkdir()
    outside.symlink_to(tmp_path / "keys")
    with pytest.raises(ArgumentError, match="git 仓库"):
        Key.create(outside / "a.key")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text[:-30],
        lambda text: text.replace("htresearch key 1", "htresearch key 2"),
        lambda text: text.replace("\nkey ", "\nkey 0"),
        lambda text: "\n".join([text.split("\n")[0], "key " + "0" * 64, text.split("\n")[2]]),
        lambda text: "\ud7ff密钥",
    ],
)
def test_a_damaged_key_is_refused(key, change):
    key.path.write_text(change(key.path.read_text()), encoding="utf-8")
    with pytest.raises(ArgumentError, match="损坏"):
        Key.open(key.path)


def test_a_key_that_is_not_there(tmp_path):
    with pytest.raises(ArgumentError, match=r"Key\.create"):
        Key.open(tmp_path / "a.key")


def test_a_key_does_not_show_itself(key):
    secret = key.path.read_text().split()[4]
    assert len(secret) == 64
    for shown in (repr(key), str(key), f"{key}", key.fingerprint):
        assert secret not in shown and repr(bytes.fromhex(secret)) not in shown
    with pytest.raises(TypeError):
        pickle.dumps(key)


# --- The linkage table -----------------------------------------------------------------------


def test_what_was_known_is_there_again(tmp_path, key):
    linkage = Linkage(key)
    linkage.add("t_1", "teacher", name="王　兰", school="三小", phone="13800138000", email=None, wechat=" ")
    linkage.add("s_1", "pupil", id_card=CARD)
    linkage.save(tmp_path / "linkage.csv")
    again = Linkage.load(tmp_path / "linkage.csv")
    assert len(again) == 2 and again.fingerprint == key.fingerprint
    assert again.of("t_1") == {"name": ("王 兰",), "phone": ("13800138000",), "school": ("三小",)}
    assert again.who(name="王兰", school="三小") == ["t_1"]
    assert again.who(id_card=f"G{CARD}") == ["s_1"]
    assert again.who(name="王兰", school="四小") == []
    assert "王" not in repr(again)


def test_saving_merges_and_saving_again_adds_nothing(tmp_path):
    path = tmp_path / "linkage.csv"
    one, two = Linkage(), Linkage()
    one.add("t_1", "teacher", name="王兰", phone="13800138000")
    two.add("t_1", "teacher", name="王兰", phone="13900139000")
    two.add("t_2", "teacher", name="李强")
    one.save(path)
    two.save(path)
    once = path.read_bytes()
    two.save(path)
    one.save(path)
    assert path.read_bytes() == once
    assert Linkage.load(path).of("t_1")["phone"] == ("13800138000", "13900139000")
    assert [file.name for file in tmp_path.iterdir()] == ["linkage.csv"]


@posix
def test_the_table_is_for_its_owner_alone(tmp_path):
    Linkage().save(tmp_path / "linkage.csv")
    assert (tmp_path / "linkage.csv").stat().st_mode & 0o777 == 0o600
    (tmp_path / "linkage.csv").chmod(0o644)
    for act in (Linkage.load, Linkage().save):
        with pytest.raises(ArgumentError, match="chmod 600"):
            act(tmp_path / "linkage.csv")


def test_pseudonyms_of_two_keys_are_not_mixed(tmp_path):
    for number, key in enumerate(KEYS):
        linkage = Linkage(key)
        linkage.add(key.pseudonym("teacher", "王兰", "三小"), "teacher", name="王兰")
        if not number:
            linkage.save(tmp_path / "linkage.csv")
    before = (tmp_path / "linkage.csv").read_bytes()
    with pytest.raises(ArgumentError, match="另一把密钥"):
        linkage.save(tmp_path / "linkage.csv")
    assert (tmp_path / "linkage.csv").read_bytes() == before


def test_who_is_forgotten_is_gone_from_the_file(tmp_path):
    linkage = Linkage()
    linkage.add("t_1", "teacher", name="王兰")
    linkage.add("t_2", "teacher", name="李强")
    linkage.save(tmp_path / "linkage.csv")
    later = Linkage()
    later.forget("t_1")
    later.save(tmp_path / "linkage.csv")
    assert Linkage.load(tmp_path / "linkage.csv").of("t_1") == {}
    assert "王兰" not in (tmp_path / "linkage.csv").read_text(encoding="utf-8-sig")


dangerous = st.text(st.sampled_from("=+-@'\"09,;，王\u200b aA(\t\n"), min_size=1, max_size=15)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(dangerous, max_size=6))
def test_a_spreadsheet_runs_nothing_and_loses_no_digit(tmp_path, values):
    path = tmp_path / "linkage.csv"
    path.unlink(missing_ok=True)
    linkage = Linkage()
    for number, value in enumerate(values):
        linkage.add(f"t_{number}", "teacher", name=value)
    linkage.save(path)
    assert Linkage.load(path).frame.equals(linkage.frame)
    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    for cell in cells:
        plain_number = cell[:1] == "-" and cell[1:].replace(".", "", 1).isdigit()
        assert cell[:1] not in ("=", "+", "-", "@") or plain_number
        assert not (cell.isdigit() and (len(cell) > 11 or (cell.startswith("0") and len(cell) > 1)))


@pytest.mark.parametrize(
    "content",
    [b"", b"name,phone\r\n", "姓名".encode("gb18030"), b"key,pseudonym,kind,what,value\r\na,b\r\n", b'"\x00'],
)
def test_what_is_no_linkage_table_is_refused_and_kept(tmp_path, content):
    path = tmp_path / "linkage.csv"
    path.write_bytes(content)
    path.chmod(0o600)
    for act in (Linkage.load, Linkage().save):
        with pytest.raises(ArgumentError, match="不是对照表"):
            act(path)
    assert path.read_bytes() == content


# --- The roster ------------------------------------------------------------------------------

ROSTER = pd.DataFrame(
    {
        "teacher_id": ["t1", "t2", "t3", "t4", "t4", "t5", "t6"],
        "name": ["王兰", "王兰", "王兰", "李建国", "李建国", "阿卜杜拉·买买提", None],
        "school": ["三小", "三小", "四小", "三小", "三小", "五小", "三小"],
    }
)


def matched(name, school, roster=ROSTER):
    asked = pd.DataFrame({"name": [name], "school": [school]}, index=["row 9"])
    row = match_roster(asked, roster).loc["row 9"]
    return (None if pd.isna(row["match"]) else row["match"], row["ties"], row["candidates"])


@pytest.mark.parametrize(
    ("name", "school", "expected"),
    [
        ("王兰", "四小", ("t3", (), ())),
        ("王　兰", " 四小", ("t3", (), ())),
        ("王兰", "三小", (None, ("t1", "t2"), ())),
        ("李建国", "三小", ("t4", (), ())),  # twice on the list, once in life
        ("阿卜杜拉买买提", "五小", ("t5", (), ())),
        ("李建国", "四小", (None, (), ("t4",))),  # another school: asked about, not guessed
        ("李建围", "三小", (None, (), ("t4",))),
        ("王兰", None, (None, (), ("t1", "t2", "t3"))),
        ("赵六", "三小", (None, (), ())),
        (None, "三小", (None, (), ())),
        ("无", "三小", (None, (), ())),
        ("王兰", "六小", (None, (), ("t1", "t2", "t3"))),
    ],
)
def test_a_roster_matches_by_name_and_school(name, school, expected):
    assert matched(name, school) == expected


def test_a_roster_without_ids_gives_its_rows():
    assert matched("王兰", "四小", ROSTER.drop(columns="teacher_id")) == (2, (), ())


def test_the_order_of_the_roster_does_not_decide():
    asked = pd.DataFrame({"name": ["王兰", "李建国"], "school": ["三小", "三小"]})
    one, other = match_roster(asked, ROSTER), match_roster(asked, ROSTER.iloc[::-1])
    assert one["match"].equals(other["match"])
    assert [set(ties) for ties in one["ties"]] == [set(ties) for ties in other["ties"]]


def test_an_empty_list_is_matched_too():
    empty = pd.DataFrame({"name": [], "school": []}, dtype="str")
    assert list(match_roster(empty, ROSTER)) == ["match", "ties", "candidates"]
    assert len(match_roster(empty, ROSTER)) == 0
    assert match_roster(pd.DataFrame({"name": ["王兰"], "school": ["三小"]}), empty)["match"].isna().all()


def test_missing_columns_are_all_named():
    with pytest.raises(ArgumentError) as error:
        match_roster(pd.DataFrame({"姓名": []}), pd.DataFrame({"name": []}))
    assert len(error.value.faults) == 3
