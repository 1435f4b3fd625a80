"""Scenarios that show a defect of the real system each: what happens with it and without."""
