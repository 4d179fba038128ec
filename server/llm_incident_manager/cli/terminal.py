"""What may reach a terminal: nothing that it would obey."""


def safe(text: str) -> str:
    """The text with line breaks as blanks and without control codes, which others may have written into it."""
    return "".join(
        sign if sign.isprintable() else " " if sign.isspace() else "\N{REPLACEMENT CHARACTER}" for sign in text
    )
