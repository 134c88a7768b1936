"""Problems on boxes with smooth coefficients, as weak forms on products of polynomials."""
