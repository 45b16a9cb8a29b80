"""`make doctor STAGE=dev`: what an account still needs for a stage, before and after its deploy."""
