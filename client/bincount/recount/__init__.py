"""The recount of a whole site in the cloud: the Lambda behind the state machine `bincount-S-recount`.

plan (list the images, read the manifest) -> batch transform -> join (answers to rows, in parallel) ->
summarize (CSV, page, figures).
"""
