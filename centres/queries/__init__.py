"""Reads of people and places. Staff reach an object only through a query that takes the actor."""
