"""Single cases: one class watched over weeks, before a change and after it."""

from htresearch.singlecase.effect_sizes import INDICES, effect_sizes
from htresearch.singlecase.gradual import gradual_effects
from htresearch.singlecase.graph import plot_case, plot_cases
from htresearch.singlecase.observers import ObserverAgreement, observer_agreement
from htresearch.singlecase.overlap import nap, pem, pnd
from htresearch.singlecase.parametric import pogo, smd
from htresearch.singlecase.ratios import lor, lrm, lrr
from htresearch.singlecase.removal import ird, pand
from htresearch.singlecase.series import IMPROVEMENT
from htresearch.singlecase.tau import tau, tau_bc, tau_u
from htresearch.singlecase.trend import cdc, pet
from htresearch.singlecase.visual import VisualAnalysis, visual_analysis

__all__ = [
    "IMPROVEMENT",
    "INDICES",
    "ObserverAgreement",
    "VisualAnalysis",
    "cdc",
    "effect_sizes",
    "gradual_effects",
    "ird",
    "lor",
    "lrm",
    "lrr",
    "nap",
    "observer_agreement",
    "pand",
    "pem",
    "pet",
    "plot_case",
    "plot_cases",
    "pnd",
    "pogo",
    "smd",
    "tau",
    "tau_bc",
    "tau_u",
    "visual_analysis",
]
