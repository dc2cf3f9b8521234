"""pingouin: statistics in Python; alpha with Feldt's interval."""


def alpha(frame, task):
    """Alpha with its interval."""
    from pingouin import cronbach_alpha

    yield cronbach_alpha(frame[task["given"]["items"]])[0]
