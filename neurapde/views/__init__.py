"""What every field on a domain offers to those who look at it: pictures, tables, a page in a notebook."""
