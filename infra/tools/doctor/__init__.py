"""`make doctor STAGE=dev`: what an account lacks for a stage, before and after its deploy."""
