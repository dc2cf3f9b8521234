"""What begins a formula is escaped, numbers are not, and what was written is read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htresearch.intake.escaping import escaped, unescaped


@pytest.mark.parametrize(
    "text", ["=1+1", "+SUM(A1)", "-2+3", "@A1", "\t=1", "\r=1", "＝1+1", "-", "+86 138", "-3.5x", "'=1", "-1-1"]
)
def test_text_that_begins_a_formula_is_escaped(text):
    assert escaped(text) == "'" + text
    assert unescaped(escaped(text)) == text


@pytest.mark.parametrize(
    "value", [-3, -3.5, "-3", "-3.5", "+2", "-1e-5", "-12%", "-1,030.50", "语文", "", None, True, "'a"]
)
def test_numbers_and_other_text_are_left_alone(value):
    assert escaped(value) is value
    assert unescaped(value) == value


@given(st.text(alphabet="=+-@'1a\t.", max_size=8))
def test_whatever_is_written_is_read_back(text):
    assert unescaped(escaped(text)) == text
    assert escaped(text)[:1] not in set("=@\t")
