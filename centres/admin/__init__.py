"""The administration of people and places: reference data is edited, deeds go through actions."""

from centres.admin import candidates, places

__all__ = ["candidates", "places"]
