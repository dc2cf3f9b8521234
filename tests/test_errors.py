"""Errors carry all their faults and say them in the language now spoken."""

import pickle

import pandas as pd
import pytest

from htresearch import errors, language
from htresearch.errors import ArgumentError, ColumnError, Fault, HTResearchError, StudyError, sentence
from htresearch.language import Text

ONE = Fault(Text("参数 n", "Argument n"), Text("须为整数", "must be whole"), Text("请改", "Mend it"), 2.5)
TWO = Fault("schools.csv", Text("是空的", "is empty"), Text("想写什么？", "Did you mean it?"))


def test_a_fault_says_where_what_the_rule_and_the_fix():
    assert str(ONE) == "参数 n（现为 2.5）：须为整数。请改。"
    with language.speaking("en"):
        assert str(ONE) == "Argument n (found 2.5): must be whole. Mend it."
        assert str(TWO) == "schools.csv: is empty. Did you mean it?"


def test_one_fault_stands_alone_and_several_are_numbered():
    assert str(ArgumentError(ONE)) == str(ONE)
    assert str(ArgumentError(ONE, TWO)) == f"1. {ONE}\n2. {TWO}"
    assert ArgumentError(ONE, TWO).faults == (ONE, TWO)


def test_a_column_error_is_a_key_error_without_its_quotes():
    assert issubclass(ColumnError, KeyError)
    assert str(ColumnError(ONE)) == str(ONE)


def test_a_study_error_shows_its_text_and_keeps_its_table():
    table = pd.DataFrame({"table": ["schools"]})
    error = StudyError(ONE, table=table, text="all of it")
    assert str(error) == "all of it"
    assert error.table is table
    assert error.faults == (ONE,)


@pytest.mark.parametrize("text", ["好？", "好。", "Good!", "Good?"])
def test_a_sentence_keeps_its_own_mark(text):
    assert sentence(text) == text


def test_a_sentence_gets_the_stop_of_its_language():
    assert sentence("好") == "好。"
    assert sentence("good", "en") == "good."
    assert sentence(Text("好", "good"), "en") == "good."


def test_every_error_is_one_of_the_packages():
    kinds = [v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, Exception)]
    assert all(issubclass(kind, HTResearchError) for kind in kinds)


def test_errors_can_be_sent_between_processes():
    assert pickle.loads(pickle.dumps(ArgumentError(ONE, TWO))).faults == (ONE, TWO)
