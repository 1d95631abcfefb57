"""Writes of people and places, one noun a module."""
