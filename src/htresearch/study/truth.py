"""What is true in a simulated district: every effect, and which design can find it.

All effects are in standard deviations of a pupil's score.
"""

from dataclasses import asdict, dataclass

THEMES = ("ideas", "methods", "moral_education", "research")

#: How much of an hour's worth each theme carries in each domain, before scaling (methods and moral education carry
#: it, the latter on moral and habits; research ability half; ideas nothing).
_CARRIES = {
    "academic": {"ideas": 0.0, "methods": 1.0, "moral_education": 0.0, "research": 0.5},
    "physical": {"ideas": 0.0, "methods": 0.0, "moral_education": 0.0, "research": 0.0},
    "habits": {"ideas": 0.0, "methods": 1.0, "moral_education": 1.0, "research": 0.5},
    "moral": {"ideas": 0.0, "methods": 1.0, "moral_education": 1.0, "research": 0.5},
}


@dataclass(frozen=True)
class Truth:
    """The parameters of a simulated district."""

    # what pupils bring
    school_sd: float = 0.25
    zone_sd: float = 0.08
    ability_sd: float = 0.70
    ability_ses_correlation: float = 0.30
    class_sd: float = 0.08
    class_term_sd: float = 0.08
    # what head teachers bring
    quality: float = 0.10
    experience_per_year: float = 0.01
    experience_years: float = 10.0
    # what the notice sets in motion
    training_per_10_hours: float = 0.04
    training_hours_cap: float = 60.0
    training_low_prior_slope: float = -0.30
    mediated_share: float = 0.5
    backbone: float = 0.06
    chief: float = 0.10
    studio: float = 0.02
    lost_tier: float = -0.04
    pay_per_1000_yuan: float = 0.01
    # how the district works
    selection: float = 1.0
    luck: float = 0.1
    sorting: float = 0.18
    attendance_by_quality: float = 0.20
    attendance_sd: float = 0.55
    appraisal_mean: float = 78.0
    appraisal_sd: float = 6.0
    backbone_cutoff: float = 85.0
    backbone_compliance: float = 0.85
    backbone_review: float = 78.0
    backbone_loss: float = 0.80
    chief_cutoff: float = 91.0
    chief_share: float = 0.03
    leaves_role: float = 0.05
    changes_class: float = 0.03
    changes_mid_term: float = 0.02

    def theme_weights(self, domain: str) -> dict[str, float]:
        """Return how much an hour of each theme is worth in a domain, relative to an hour of the offered mix.

        Every level offers the themes in equal hours, so the weights average 1 (or 0 where training does nothing):
        an hour of training as delivered is worth ``training_per_10_hours / 10``.
        """
        carries = _CARRIES[domain]
        mean = sum(carries.values()) / len(carries)
        return {theme: (value / mean if mean else 0.0) for theme, value in carries.items()}

    @property
    def noise_sd(self) -> float:
        """What is left so that a pupil's score has variance 1."""
        known = (self.school_sd, self.zone_sd, self.ability_sd, self.class_sd, self.class_term_sd, 0.05)
        # Sorting follows quality, so the two add up before they are squared; .02 is for tiers, training, experience.
        led = (self.quality + self.sorting * self.selection) ** 2 + 0.02
        return max(1 - sum(sd**2 for sd in known) - led, 0.05) ** 0.5

    def as_record(self) -> dict:
        """Return everything as plain data, for ``truth.json``."""
        return {
            "unit": "standard deviations of a pupil's score",
            "parameters": asdict(self),
            "training_by_theme_per_10_hours": {
                domain: {t: round(w * self.training_per_10_hours, 6) for t, w in self.theme_weights(domain).items()}
                for domain in _CARRIES
            },
            "effects": {
                "training_hours": {
                    "value_per_hour": self.training_per_10_hours / 10,
                    "domains": ["academic", "moral", "habits"],
                    "up_to_hours": self.training_hours_cap,
                    "column": "training_hours",
                    "found_by": "comparison within teachers, with term effects: who is invited is partly drawn by "
                    "lot, teacher by teacher and term by term",
                    "not_found_by": "comparison between teachers: better head teachers go to more training",
                },
                "backbone": {
                    "value": self.backbone,
                    "found_by": "the accreditation cut-off (compliance above it is "
                    f"{self.backbone_compliance}), given enough districts",
                    "not_found_by": "comparison between tiers: better head teachers are promoted",
                },
                "chief": {
                    "value": self.chief,
                    "found_by": "none within one district: the quota makes chiefs too few",
                },
                "studio": {"value": self.studio, "found_by": "none within one district: too small for its size"},
                "lost_tier": {
                    "value": self.lost_tier,
                    "found_by": "the review line, given enough districts",
                },
                "mediation": {
                    "value": self.mediated_share,
                    "found_by": "none but by assumption: the mediators are not drawn by lot",
                },
                "pay_per_1000_yuan": {
                    "value": self.pay_per_1000_yuan,
                    "value_per_1000_yuan_last_year": self.pay_per_1000_yuan / 2,
                    "column": "performance_pay_yuan_last_year",
                    "found_by": "none: pay follows tier and appraisal",
                },
            },
        }
