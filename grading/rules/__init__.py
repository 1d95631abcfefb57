"""The rules of marking, pure and exact: no Django, no input or output, no floats but in `statistics`."""
