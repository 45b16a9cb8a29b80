"""What production says: labels of people, to be joined to the answers that were captured."""
