"""Marks an explanation against what really sounded."""
