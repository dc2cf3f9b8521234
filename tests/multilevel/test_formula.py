import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from htresearch.errors import ArgumentError, FormulaError
from htresearch.multilevel import ModelFormula, RandomTerm, parse_formula


@pytest.mark.parametrize(
    ("written", "random"),
    [
        ("(1 | g)", [RandomTerm(("1",), ("g",))]),
        ("(1|g)", [RandomTerm(("1",), ("g",))]),
        ("(1 + x | g)", [RandomTerm(("1", "x"), ("g",))]),
        ("(x | g)", [RandomTerm(("1", "x"), ("g",))]),
        ("(0 + x | g)", [RandomTerm(("x",), ("g",))]),
        ("(x - 1 | g)", [RandomTerm(("x",), ("g",))]),
        ("(x || g)", [RandomTerm(("1", "x"), ("g",), correlated=False)]),
        ("(1 | a/b)", [RandomTerm(("1",), ("a",)), RandomTerm(("1",), ("a", "b"))]),
        (
            "(1 | a/b/c)",
            [RandomTerm(("1",), ("a",)), RandomTerm(("1",), ("a", "b")), RandomTerm(("1",), ("a", "b", "c"))],
        ),
        ("(1 | a/b:c)", [RandomTerm(("1",), ("a",)), RandomTerm(("1",), ("a", "b", "c"))]),
        ("(1 | a:b)", [RandomTerm(("1",), ("a", "b"))]),
        ("(1 | a) + (1 | b)", [RandomTerm(("1",), ("a",)), RandomTerm(("1",), ("b",))]),
        ("(1 | `学校 编号`/班级)", [RandomTerm(("1",), ("学校 编号",)), RandomTerm(("1",), ("学校 编号", "班级"))]),
        ("(poly(x, 2) | g)", [RandomTerm(("1", "poly(x, 2)"), ("g",))]),
    ],
)
def test_random_terms_are_read_as_lme4_reads_them(written, random):
    assert parse_formula(f"y ~ x + {written}") == ModelFormula("y", "x", tuple(random))


@pytest.mark.parametrize(
    ("written", "fixed"),
    [
        ("y ~ (1 | g)", "1"),
        ("y ~ (1 | g) + x", "x"),
        ("y ~ x*z - 1 + (1 | g)", "x*z - 1"),
        ("y ~ -1 + x + (1 | g)", "1 - 1 + x"),
        ("y ~ (x + z)**2 + (1 | g) + log(w + 1)", "(x + z)**2 + log(w + 1)"),
        ("y ~ `a|b ~ (c` + (1 | g)", "`a|b ~ (c`"),
        ("y ~ C(x, contr.treatment('a|b')) + (1 | g)", "C(x, contr.treatment('a|b'))"),
        ("y ~ training.hours + (1 | g)", "`training.hours`"),
        ("y ~ 培训 + `专业 年限` + (1 | 学校)", "培训 + `专业 年限`"),
    ],
)
def test_the_fixed_part_is_handed_on(written, fixed):
    assert parse_formula(written).fixed == fixed


def test_columns_are_named_once_and_without_functions():
    formula = parse_formula("log(y) ~ C(tier, levels=['a', 'b']) + poly(x, 2):`z z` + x + (w | school/class)")
    assert formula.columns == ("y", "tier", "x", "z z", "w", "school", "class")
    assert formula.fixed_columns == ("tier", "x", "z z")


@pytest.mark.parametrize(
    ("written", "zh", "en"),
    [
        ("y ~ x + (1 | g", "括号不成对", "parentheses do not match"),
        ("y ~ x) + (1 | g)", "括号不成对", "parentheses do not match"),
        ("y ~ I[x) + (1 | g)", "括号不成对", "parentheses do not match"),
        ("y + (1 | g)", "没有“~”", "there is no ~"),
        ("y ~ x ~ (1 | g)", "有 2 个“~”", "there are 2 signs ~"),
        ("y ~ x", "没有随机项", "there is no random term"),
        ("y ~ x | g", "竖线不在随机项的括号里", "a bar stands outside a random term's own parentheses"),
        ("y ~ x * (1 | g)", "“x * (1 | g)”", "'x * (1 | g)'"),
        ("y ~ (1 | )", "没有分组", "no group stands right"),
        ("y ~ (1 | a + b)", "只能是列名", "only column names"),
        ("y ~ (1 | log(a))", "只能是列名", "only column names"),
        ("y ~ (1 | a b)", "只能是列名", "only column names"),
        ("y ~ (1 | a | b)", "竖线多于一条", "more than one bar"),
        ("y ~ ( | g)", "没有写完整", "is incomplete"),
        ("y ~ (0 | g)", "没有随机效应", "nothing is random"),
        ("y ~ x - (1 | g)", "不能用减号", "cannot be subtracted"),
        ("~ x + (1 | g)", "没有因变量", "no outcome"),
        ("y ~ x + + (1 | g)", "后面没有内容", "nothing follows"),
        ("y ~ x + (1 | g) +", "后面没有内容", "nothing follows"),
        ("y ~ (1 | a/b) + (1 | a)", "出现了两次", "stands there twice"),
        ("y ~ x + （1 ｜ g）", "全角符号 （｜）", "full-width signs （｜）"),
        ("y ~ `x + (1 | g)", "没有成对出现", "opened and not closed"),
    ],
)
def test_each_fault_is_named_with_its_rule_and_fix(written, zh, en, in_both_languages):
    with pytest.raises(FormulaError) as caught:
        parse_formula(written)
    chinese, english = in_both_languages(caught.value)
    assert zh in chinese
    assert en in english
    assert all(str(fault.fix) for fault in caught.value.faults)


def test_all_faults_come_at_once(in_both_languages):
    with pytest.raises(FormulaError) as caught:
        parse_formula("~ x + + (1 | ) - (1 | g) + z | h")
    assert len(caught.value.faults) == 5
    english = in_both_languages(caught.value)[1]
    for said in ("no outcome", "nothing follows", "no group", "cannot be subtracted", "a bar stands outside"):
        assert said in english


def test_an_open_bracket_and_a_missing_tilde_come_together():
    with pytest.raises(FormulaError) as caught:
        parse_formula("y (1 | g")
    assert len(caught.value.faults) == 2


def test_a_formula_is_text(in_both_languages):
    with pytest.raises(ArgumentError) as caught:
        parse_formula(["y ~ x"])
    chinese, english = in_both_languages(caught.value)
    assert "须为文字" in chinese and "must be text" in english and "list" in english


plain = st.from_regex(r"[a-z_一-龥][a-z0-9_一-龥]{0,6}", fullmatch=True).filter(lambda n: n.isidentifier())
quoted = st.text(st.sampled_from("ab 校~|()+-/:，（'\""), min_size=1, max_size=6).filter(str.strip)
names = st.one_of(plain, quoted)


def write(name):
    return name if name.isidentifier() else f"`{name}`"


@settings(deadline=None, derandomize=True)
@given(names, st.lists(names, max_size=3, unique=True), st.lists(names, min_size=1, max_size=4, unique=True))
def test_any_nest_is_read_back(response, fixed, groups):
    written = f"{write(response)} ~ {' + '.join(map(write, fixed)) or '1'} + (1 | {'/'.join(map(write, groups))})"
    formula = parse_formula(written)
    assert formula.response == write(response)
    assert [term.groups for term in formula.random] == [tuple(groups[: i + 1]) for i in range(len(groups))]
    assert set(formula.columns) == {response, *fixed, *groups}
    assert parse_formula(str(formula)) == formula


@settings(deadline=None, derandomize=True)
@given(st.text(st.sampled_from("yxg1 ~|()+-/:*`'[]{},.（｜校"), max_size=30))
def test_any_text_is_a_formula_or_a_formula_error(text):
    try:
        formula = parse_formula(text)
    except FormulaError as error:
        assert error.faults
    else:
        assert formula.random
        assert parse_formula(str(formula)) == formula
