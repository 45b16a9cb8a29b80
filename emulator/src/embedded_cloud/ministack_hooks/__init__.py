"""What is private in ministack and is used, replaced or added to."""
