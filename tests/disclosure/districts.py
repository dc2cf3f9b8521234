"""Pupils and teachers to make tables of: simulated, and of the demo district."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

DEMO = Path(__file__).parents[2] / "data" / "demo"


@cache
def pupils(seed: int = 1) -> pd.DataFrame:
    """24 schools of 4 types in 6 zones, 6 classes of 30 each with its own teacher."""
    rng = np.random.default_rng(seed)
    number = np.arange(24 * 6 * 30)
    classes, schools = number // 30, number // 180
    n = len(number)
    return pd.DataFrame(
        {
            "student_id": [f"P{i:08d}" for i in number],
            "class_id": [f"C{i:06d}" for i in classes],
            "teacher_id": [f"T{i:06d}" for i in classes],
            "school_id": [f"S{i:04d}" for i in schools],
            "zone_id": [f"Z{i % 6:03d}" for i in schools],
            "school_type": np.array(["primary", "junior", "nine_year", "senior"])[schools // 6],
            "grade": classes % 6 + 1,
            "sex": np.where(number % 2 == 0, "female", "male"),
            "boarding": rng.random(n) < 0.3,
            "only_child": rng.integers(0, 2, n),
            "tier": np.array(["ordinary", "backbone", "chief"])[np.minimum(classes % 6, 2)],
            "score": rng.normal(75, 10, n).round(),
            "wellbeing": rng.normal(0, 1, n),
            "visits": rng.poisson(2, n),
            "answer": rng.integers(1, 6, n),
            "weight": rng.uniform(0.5, 2, n),
        }
    )


@cache
def teachers(seed: int = 1) -> pd.DataFrame:
    """24 schools with 20 teachers each; a chief's allowance is larger."""
    rng = np.random.default_rng(seed)
    number = np.arange(24 * 20)
    schools, n = number // 20, len(number)
    tier = np.array(["ordinary", "backbone", "chief"])[rng.choice(3, n, p=[0.6, 0.3, 0.1])]
    amount = np.select([tier == "ordinary", tier == "backbone"], [400.0, 600.0], 900.0) + rng.integers(0, 9, n) * 10
    return pd.DataFrame(
        {
            "teacher_id": [f"T{i:06d}" for i in number],
            "school_id": [f"S{i:04d}" for i in schools],
            "zone_id": [f"Z{i % 6:03d}" for i in schools],
            "school_type": np.array(["primary", "junior", "nine_year", "senior"])[schools // 6],
            "sex": np.where(rng.random(n) < 0.6, "female", "male"),
            "tier": tier,
            "amount_yuan": amount,
            "burnout": rng.normal(3, 0.7, n),
            "years": rng.integers(0, 30, n),
            "excellent": (rng.random(n) < 0.3).astype(int),
        }
    )


@cache
def demo_pupils() -> pd.DataFrame:
    """The demo district's pupils in their class of the last day, with that class's head teacher and school."""
    tables = {name: pd.read_parquet(DEMO / f"{name}.parquet") for name in ("students", "enrolments", "appointments")}
    now = tables["enrolments"].sort_values("starts_on").drop_duplicates("student_id", keep="last")
    heads = (
        tables["appointments"]
        .query("role == 'head'")
        .sort_values("starts_on")
        .drop_duplicates("class_id", keep="last")
    )
    places = pd.read_parquet(DEMO / "classes.parquet").merge(
        pd.read_parquet(DEMO / "schools.parquet"), on="school_id"
    )
    return (
        now.merge(tables["students"], on="student_id")
        .merge(heads[["class_id", "teacher_id"]], on="class_id")
        .merge(places, on="class_id")
    )


@cache
def demo_teachers() -> pd.DataFrame:
    """The demo district's head teachers with their school."""
    heads = pd.read_parquet(DEMO / "appointments.parquet").sort_values("starts_on")
    heads = heads.drop_duplicates("teacher_id", keep="last")[["teacher_id", "class_id"]]
    places = pd.read_parquet(DEMO / "classes.parquet").merge(
        pd.read_parquet(DEMO / "schools.parquet"), on="school_id"
    )
    return pd.read_parquet(DEMO / "teachers.parquet").merge(heads, on="teacher_id").merge(places, on="class_id")


@cache
def demo_money() -> pd.DataFrame:
    """What the demo district granted, with the school of who got it."""
    money = pd.read_parquet(DEMO / "incentives.parquet")
    where = demo_teachers()[["teacher_id", "school_id", "zone_id", "school_type", "sex"]]
    return money[money["amount_yuan"].notna()].merge(where, on="teacher_id")
