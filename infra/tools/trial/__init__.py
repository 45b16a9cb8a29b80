"""`make account-trial`: the whole path small in a real account, which leaves evidence of what AWS does."""
