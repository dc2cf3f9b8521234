"""mixedlm: lme4's way in Python."""


def fit(frame, task):
    """Fit a mixed model."""
    import mixedlm

    mixedlm.lmer(task["given"]["formula"], frame, REML=task["given"]["method"] == "reml")
    yield None
