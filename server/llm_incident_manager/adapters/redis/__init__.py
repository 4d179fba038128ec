"""What Redis is used for. `connection` is the one door; without Redis everything works, only slower."""
