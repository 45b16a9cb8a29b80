"""Commands about labels of answers and their images."""
