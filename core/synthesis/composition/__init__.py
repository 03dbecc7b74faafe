"""How the style ``musical`` composes: plan the harmony, give each instrument a role, write the parts, perform them.

In this package times are in beats (quarter notes) from the start of the clip.
"""
