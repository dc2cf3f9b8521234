"""factor_analyzer: exploratory and confirmatory factors in Python."""


def efa(frame, task):
    """Exploratory factors: minimum residuals, oblimin."""
    from factor_analyzer import FactorAnalyzer

    factors = FactorAnalyzer(task["given"]["factors"], rotation="oblimin", method="minres")
    factors.fit(frame[task["given"]["items"]])
    yield abs(factors.loadings_).max()


def cfa(frame, task):
    """A measurement model."""
    from factor_analyzer import ConfirmatoryFactorAnalyzer, ModelSpecificationParser

    lines = [line.split(" =~ ") for line in task["given"]["model"].splitlines()]
    factors = {name: items.split(" + ") for name, items in lines}
    items = [item for own in factors.values() for item in own]
    model = ConfirmatoryFactorAnalyzer(
        ModelSpecificationParser.parse_model_specification_from_dict(frame[items], factors), disp=False
    )
    model.fit(frame[items].to_numpy(float).copy())
    yield None
