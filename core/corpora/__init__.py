"""Corpora to train and measure on: composed data sets in shards, and folders of labelled recordings."""
