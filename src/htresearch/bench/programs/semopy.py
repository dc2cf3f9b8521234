"""semopy: structural equation models in Python."""


def polychoric(frame, task):
    """Polychoric correlations."""
    from semopy.polycorr import hetcor

    items = task["given"]["items"]
    yield hetcor(frame[items].astype(float), ords=items).iloc[0, 1]


def cfa(frame, task):
    """A measurement model, with its fit."""
    from semopy import Model, calc_stats

    model = Model(task["given"]["model"])
    model.fit(frame.astype(float))
    yield calc_stats(model)["chi2"].iloc[0]
