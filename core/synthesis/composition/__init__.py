"""How the style ``musical`` composes: plan the harmony, cast the instruments, write their parts, perform them.

Inside this package time is counted in beats (quarter notes) from the start of the clip.
"""
