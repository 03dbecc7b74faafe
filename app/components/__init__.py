"""Parts of a page with HTML and JavaScript of their own, and other building blocks."""
