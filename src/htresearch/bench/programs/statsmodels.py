"""statsmodels: MixedLM, classes as a variance component within schools."""


def fit(frame, task):
    """Fit the nested model."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    fixed = task["given"]["formula"].split(" + (")[0]
    classes = {"class": "0 + C(Q('class'))"}
    model = MixedLM.from_formula(fixed, frame, groups="school", re_formula="1", vc_formula=classes)
    yield -2 * model.fit(reml=task["given"]["method"] == "reml").llf
