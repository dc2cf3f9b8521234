"""glmm: mixed models in Rust and Python."""


def fit(frame, task):
    """Fit a mixed model."""
    import glmm

    glmm.fit(frame, task["given"]["formula"], reml=task["given"]["method"] == "reml")
    yield None
