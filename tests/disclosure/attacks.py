"""Tables that give somebody away: each a function that returns what `check` is asked."""

from . import attacks_persons, attacks_plain, attacks_values

ATTACKS = {**attacks_persons.ATTACKS, **attacks_values.ATTACKS, **attacks_plain.ATTACKS}
