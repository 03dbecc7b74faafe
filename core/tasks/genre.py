"""Which genre a piece of music is of."""

from core.tasks.one_of_many import OneOfMany
from core.tasks.task import TASKS

TASKS.register("genre")(OneOfMany("genre", noun="genre", when="Which genre when"))
