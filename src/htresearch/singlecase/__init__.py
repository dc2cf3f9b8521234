"""Single cases: one class watched over weeks, before a change and after it."""

from htresearch.singlecase.between_case import BetweenCaseEffect, between_case_smd
from htresearch.singlecase.drawing import (
    Drawing,
    draw_alternating,
    draw_multiple_baseline,
    draw_phases,
    draw_start,
    load_drawing,
)
from htresearch.singlecase.effect_sizes import INDICES, effect_sizes
from htresearch.singlecase.gradual import gradual_effects
from htresearch.singlecase.graph import plot_case, plot_cases
from htresearch.singlecase.medians import lrm
from htresearch.singlecase.observers import ObserverAgreement, observer_agreement
from htresearch.singlecase.lottery import BaselineLottery, PhaseLottery
from htresearch.singlecase.overlap import nap, pem, pnd
from htresearch.singlecase.parametric import pogo, smd
from htresearch.singlecase.piecewise import PiecewiseRegression, piecewise
from htresearch.singlecase.piecewise_multilevel import MultilevelPiecewise, piecewise_multilevel
from htresearch.singlecase.power import SimulatedPower, power
from htresearch.singlecase.randomisation import RandomisationTest, randomisation_test
from htresearch.singlecase.ratios import lor, lrr
from htresearch.singlecase.removal import ird, pand
from htresearch.singlecase.sequences import PairLottery, SequenceLottery
from htresearch.singlecase.series import IMPROVEMENT
from htresearch.singlecase.standards import Standards, standards
from htresearch.singlecase.synthesis import Synthesis, synthesis
from htresearch.singlecase.tau import tau, tau_bc, tau_u
from htresearch.singlecase.trend import cdc, pet
from htresearch.singlecase.two_groups import ClassComparison, compare_classes
from htresearch.singlecase.visual import VisualAnalysis, visual_analysis

__all__ = [
    "IMPROVEMENT",
    "INDICES",
    "BaselineLottery",
    "BetweenCaseEffect",
    "ClassComparison",
    "Drawing",
    "MultilevelPiecewise",
    "ObserverAgreement",
    "PairLottery",
    "PhaseLottery",
    "PiecewiseRegression",
    "RandomisationTest",
    "SequenceLottery",
    "SimulatedPower",
    "Standards",
    "Synthesis",
    "VisualAnalysis",
    "between_case_smd",
    "cdc",
    "compare_classes",
    "draw_alternating",
    "draw_multiple_baseline",
    "draw_phases",
    "draw_start",
    "effect_sizes",
    "gradual_effects",
    "ird",
    "load_drawing",
    "lor",
    "lrm",
    "lrr",
    "nap",
    "observer_agreement",
    "pand",
    "pem",
    "pet",
    "piecewise",
    "piecewise_multilevel",
    "plot_case",
    "plot_cases",
    "pnd",
    "pogo",
    "power",
    "randomisation_test",
    "smd",
    "standards",
    "synthesis",
    "tau",
    "tau_bc",
    "tau_u",
    "visual_analysis",
]
