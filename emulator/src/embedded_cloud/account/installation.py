"""Adds what AWS gives an account to ministack's services."""

from embedded_cloud.account.instance_offerings import with_offerings
from embedded_cloud.account.service_quotas import ServiceQuotas
from embedded_cloud.account.subscriptions import with_pending_mail
from embedded_cloud.account.training_images import with_training_images
from embedded_cloud.ministack_hooks.parts import app, router
from embedded_cloud.wire import json_handler


def install() -> None:
    """Service Quotas, and more answers of EC2, ECR and SNS; for the one account of the process."""
    handlers = app.SERVICE_HANDLERS
    handlers["ec2"] = with_offerings(handlers["ec2"])
    handlers["ecr"] = with_training_images(handlers["ecr"])
    handlers["sns"] = with_pending_mail(handlers["sns"])
    handlers["servicequotas"] = json_handler(ServiceQuotas().call)
    router.SERVICE_PATTERNS["servicequotas"] = {
        "target_prefixes": ["ServiceQuotasV20190624."],
        "credential_scope": "servicequotas",
    }
