"""The web app, in folders by subject; `pages/` composes it."""
