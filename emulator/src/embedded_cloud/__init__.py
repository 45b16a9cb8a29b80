"""The embedded cloud: AWS on this machine, for demos and end-to-end tests.

`python -m embedded_cloud serve` starts it; `embedded_cloud.cloud.Cloud` starts and stops it from Python.
ministack supplies most services; what it does not have (SageMaker, Application Auto Scaling and the places
where other services reach them) is added by the
packages beside this file through `embedded_cloud.ministack_hooks.hooks`.
"""
