"""The questions that models answer: one file each, which registers itself in :data:`core.tasks.task.TASKS`."""
