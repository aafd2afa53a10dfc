"""What Carillon says."""


def birthday_message(first_name: str, last_name: str) -> str:
    """Congratulate by full name."""
    return f"Hey, {first_name} {last_name} it's your birthday"
