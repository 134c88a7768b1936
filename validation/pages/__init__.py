"""The page of a report: its template, its parts, and formulas as MathML."""
