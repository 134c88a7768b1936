"""The errors and warnings a user meets: every message names the value, the rule and the way out."""


class DeclarationError(ValueError):
    """A declaration is invalid: raised where it is declared, before any work starts."""


class DeclarationWarning(UserWarning):
    """A declaration is valid, but probably not what was meant."""


class StorageWarning(UserWarning):
    """Something could not be written to disk: the work continues without it."""


class StorageError(DeclarationError):
    """A file cannot be read as requested: it is of another program, damaged, newer, too large, or incomplete."""
