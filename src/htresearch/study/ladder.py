"""Appraisal, tiers, honours and studios of a simulated district, decided once a year in July."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np

from htresearch.study.roster import Roster
from htresearch.study.school_year import STAGES, Piece, days, ids, repeat

#: Years of appraisal and tier decisions before the first term, so that the ladder has settled when it is first seen.
YEARS_BEFORE = 4
#: Ranks of the tiers that the district awards.
ORDINARY, BACKBONE, CHIEF = 0, 1, 3


class Ladder(Roster):
    """The district's people and what is decided about them."""

    def _cutoffs(self) -> Piece:
        stages = [s for s in STAGES if s in set(self.school_stage)]
        quota = [self._quota(stage) for stage in stages]
        since = date(self.calendar.first_year - YEARS_BEFORE, 7, 1)
        n = len(stages)
        return "cutoffs", {
            "tier": np.array(["backbone", *["chief"] * n], object),
            "school_type": np.array([None, *stages], object),
            "stage": np.array([None, *stages], object),
            "valid_from": days([since] * (n + 1)),
            "cutoff_score": np.array([self.truth.backbone_cutoff, *[self.truth.chief_cutoff] * n]),
            "quota": np.array([None, *quota], object),
        }

    def _quota(self, stage: str) -> int:
        return max(round(self.truth.chief_share * (self.school_stage[self.slot_school] == stage).sum()), 1)

    def _appraise(self, year: int) -> Iterator[Piece]:
        """Appraise the head teachers of the school year that ends in `year`, then decide on the ladder."""
        rng, truth, teacher = self.rng, self.truth, self.slot_teacher
        n, s = len(teacher), truth.selection
        ethics = rng.normal(0, 1, n)
        lucky = self.shock_year / truth.class_term_sd
        # Unfair in two ways: the class one was given counts, and so does a lucky year.
        results = 0.45 * s * self.quality[teacher] + 0.8 * s * self.class_mean + truth.luck * lucky
        rest = np.sqrt(max(1 - results.var() - 0.2**2, 0.1))
        total = results + 0.2 * ethics + rest * rng.normal(0, 1, n)
        score = np.clip((truth.appraisal_mean + truth.appraisal_sd * total).round(), 40, 100)
        self.appraisal[teacher] = score
        unethical = rng.random(n) < 0.002
        incident = rng.random(n) < 0.006
        yield from self._appraisal_rows(year, teacher, score, results, unethical, incident)
        self.barred[teacher[unethical]] = True
        yield from self._honours(year, teacher, score)
        yield from self._decide(year, teacher, score)

    def _appraisal_rows(self, year, teacher, score, results, unethical, incident) -> Iterator[Piece]:
        n = len(teacher)
        top = np.argsort(np.argsort(-score, kind="stable"), kind="stable") < 0.15 * n
        annual = np.where(
            unethical,
            "unqualified",
            np.where(top, "excellent", np.where(score < 62, "basically_qualified", "qualified")),
        ).astype(object)
        own = np.select(
            [score < 60, score < 68, score < 85], ["unqualified", "basically_qualified", "qualified"], "excellent"
        ).astype(object)
        nothing = np.full(n, np.nan)
        july = date(year, 7, 6)
        kinds = (
            ("head_teacher", date(year - 1, 9, 1), date(year, 7, 5), july, own, score, (50 + 6 * results).round(1)),
            (
                "ethics",
                date(year - 1, 1, 1),
                date(year - 1, 12, 31),
                date(year, 1, 8),
                np.where(unethical, "unqualified", "qualified").astype(object),
                nothing,
                nothing,
            ),
            ("annual", date(year - 1, 1, 1), date(year - 1, 12, 31), date(year, 1, 10), annual, nothing, nothing),
        )
        for kind, since, until, decided, result, total, results_score in kinds:
            involved = incident if kind == "head_teacher" else np.zeros(n, bool)
            followed = np.where(involved, np.datetime64(date(year, 7, 20)), np.datetime64("NaT"))
            yield (
                "appraisals",
                {
                    "teacher_id": self._teacher(teacher),
                    "kind": repeat(kind, n),
                    "period_from": days([since] * n),
                    "period_to": days([until] * n),
                    "decided_on": days([decided] * n),
                    "total_score": total,
                    "results_score": results_score,
                    "result": result,
                    "incident": involved,
                    "followed_up_on": days(followed),
                },
            )

    def _honours(self, year: int, teacher: np.ndarray, score: np.ndarray) -> Iterator[Piece]:
        rng = self.rng
        for kind, level, line, chance, day in (
            ("honour", "school", 82, 0.5, 10),
            ("honour", "district", 87, 0.4, 12),
            ("title_review", "district", 84, 0.15, 14),
            ("promotion", "district", 88, 0.06, 16),
        ):
            who = teacher[(score >= line) & (rng.random(len(score)) < chance)]
            yield (
                "incentives",
                {
                    "teacher_id": self._teacher(who),
                    "kind": repeat(kind, len(who)),
                    "level": repeat(level, len(who)),
                    "granted_on": days([date(year, 7, day)] * len(who)),
                    "amount_yuan": np.full(len(who), np.nan),
                },
            )

    def _decide(self, year: int, teacher: np.ndarray, score: np.ndarray) -> Iterator[Piece]:
        """Review who is due, select chiefs within the quota, accredit backbones at the cut-off."""
        rng, truth = self.rng, self.truth
        tier, due = self.tier[teacher], year - self.tier_year[teacher] >= 2
        stage = self.school_stage[self.teacher_school[teacher]]
        # Who left the role keeps the tier until it runs out.
        gone = np.setdiff1d(np.flatnonzero((self.tier > 0) & (year - self.tier_year >= 2)), teacher)
        yield self._decisions(year, gone, self.tier[gone], "expired", np.full(len(gone), np.nan))
        self.tier[gone] = ORDINARY

        loses = (tier > 0) & due & (score < truth.backbone_review) & (rng.random(len(tier)) < truth.backbone_loss)
        rises = np.zeros(len(tier), bool)
        for name in np.unique(stage):
            held = ((self.tier == CHIEF) & (self.school_stage[self.teacher_school] == name)).sum()
            able = np.flatnonzero((stage == name) & (tier == BACKBONE) & due & (score >= truth.chief_cutoff))
            best = able[np.argsort(-score[able], kind="stable")]
            rises[best[: max(self._quota(name) - int(held), 0)]] = True
        renewed = (tier > 0) & due & ~loses & ~rises
        for rows, decision in ((loses, "revoked"), (renewed, "renewed")):
            yield self._decisions(year, teacher[rows], tier[rows], decision, score[rows])
        self.tier[teacher[loses]] = ORDINARY
        self.lost_year[teacher[loses]] = year
        yield self._decisions(year, teacher[rises], np.full(rises.sum(), CHIEF), "accredited", score[rises])
        self.tier[teacher[rises]] = CHIEF

        applies = (tier == ORDINARY) & (score >= 74) & (rng.random(len(tier)) < 0.4)
        accepted = applies & (score >= truth.backbone_cutoff) & (rng.random(len(tier)) < truth.backbone_compliance)
        refused = applies & ~accepted
        one = np.full(len(tier), BACKBONE)
        yield self._decisions(year, teacher[refused], one[refused], "not_accredited", score[refused])
        yield self._decisions(year, teacher[accepted], one[accepted], "accredited", score[accepted])
        self.tier[teacher[accepted]] = BACKBONE
        self.tier_year[teacher[rises | renewed | accepted]] = year
        yield from self._run_studios(year, teacher)

    def _decisions(self, year: int, teacher: np.ndarray, tier: np.ndarray, decision: str, score) -> Piece:
        n = len(teacher)
        names = np.array(["ordinary", "backbone", "renowned", "chief"], object)
        lasts = decision in ("accredited", "renewed")
        end = np.datetime64(date(year + 2, 8, 14)) if lasts else np.datetime64("NaT")
        return "tiers", {
            "teacher_id": self._teacher(teacher),
            "tier": names[tier],
            "awarded_by": np.where(tier == CHIEF, "district", "zone").astype(object),
            "effective_on": days([date(year, 8, 15)] * n),
            "ends_on": days([end] * n),
            "basis_score": np.asarray(score, float),
            "decision": repeat(decision, n),
        }

    def _run_studios(self, year: int, teacher: np.ndarray) -> Iterator[Piece]:
        """A new chief opens a studio with six to ten members; a lost chief's studio ends."""
        rng = self.rng
        for chief in [c for c in self.studios if self.tier[c] != CHIEF]:
            yield self._members(self.studios.pop(chief), date(year, 8, 20))
        for chief in np.flatnonzero(self.tier == CHIEF):
            if chief in self.studios:
                continue
            school = self.teacher_school
            near = (
                (self.school_stage[school[teacher]] == self.school_stage[school[chief]])
                & (self.studio[teacher] < 0)
                & (teacher != chief)
            )
            members = rng.permutation(teacher[near])[: rng.integers(6, 11)]
            self.studio[members] = chief
            number = self.n_studios
            self.n_studios += 1
            self.studios[int(chief)] = {"number": number, "members": members, "since": date(year, 8, 20)}
            yield (
                "studios",
                {
                    "studio_id": ids("W", np.array([number]), 4),
                    "lead_teacher_id": self._teacher(np.array([chief])),
                    "opened_on": days([date(year, 8, 18)]),
                },
            )

    def _members(self, studio: dict, until: date | None) -> Piece:
        members = studio["members"]
        self.studio[members] = -1
        n = len(members)
        return "studio_members", {
            "studio_id": ids("W", np.full(n, studio["number"]), 4),
            "teacher_id": self._teacher(members),
            "joined_on": days([studio["since"]] * n),
            "left_on": days([np.datetime64("NaT") if until is None else np.datetime64(until)] * n),
        }
