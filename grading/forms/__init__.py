"""What the pages of marking take from a person: the acts of the jury, and how the analysis is sorted."""
