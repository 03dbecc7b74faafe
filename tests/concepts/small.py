"""Reference clips that take little time to compose."""

RECIPE = "general;count=2,3;duration=1.5;style=random;soundfont=timgm6mb"
CLIPS = 7
