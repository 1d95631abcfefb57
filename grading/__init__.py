"""From closed sheets to marks: scorers, item statistics, adjudication, jury. Sees no person and no centre."""
