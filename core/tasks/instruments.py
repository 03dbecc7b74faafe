"""Which instruments play in a clip."""

from core.tasks.many_of_many import ManyOfMany
from core.tasks.task import TASKS

TASKS.register("instruments")(ManyOfMany("instruments", noun="instrument", when="Who plays when"))
