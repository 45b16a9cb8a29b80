"""A web ACL (AWS WAF) before the page's routes; what machines call is let through as before."""

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from infra.names import API_STAGE
from infra.settings import Web

Acl = wafv2.CfnWebACL
# A body is an image, or a label: bytes in which these rules find what is not there, and images are larger
# than they allow. The server decodes an image under limits of its own, the label's function checks a label.
_NOT_FOR_BODIES = (
    "SizeRestrictions_BODY",
    "EC2MetaDataSSRF_BODY",
    "GenericLFI_BODY",
    "GenericRFI_BODY",
    "CrossSiteScripting_BODY",
)


class PageFirewall(Construct):
    """Regional, on the API's stage: AWS's common rules, known bad addresses, and a limit for each one."""

    def __init__(
        self, scope: Construct, id: str, *, name: str, stage: apigateway.Stage, settings: Web
    ) -> None:
        super().__init__(scope, id)
        acl = Acl(
            self,
            "Acl",
            name=name,
            scope="REGIONAL",
            default_action=Acl.DefaultActionProperty(allow={}),
            visibility_config=_seen(name),
            rules=[
                _limit(settings.waf_requests),
                _managed("AWSManagedRulesAmazonIpReputationList", priority=1),
                _managed("AWSManagedRulesCommonRuleSet", priority=2, counted=_NOT_FOR_BODIES),
                _managed(
                    "AWSManagedRulesKnownBadInputsRuleSet",
                    priority=3,
                    counted=("JavaDeserializationRCE_BODY", "Log4JRCE_BODY"),
                ),
            ],
        )
        wafv2.CfnWebACLAssociation(self, "Stage", resource_arn=stage.stage_arn, web_acl_arn=acl.attr_arn)


def _on_the_page() -> Acl.StatementProperty:
    return Acl.StatementProperty(
        byte_match_statement=Acl.ByteMatchStatementProperty(
            field_to_match=Acl.FieldToMatchProperty(uri_path={}),
            positional_constraint="STARTS_WITH",
            search_string=f"/{API_STAGE}/page",
            text_transformations=[
                Acl.TextTransformationProperty(priority=0, type="URL_DECODE"),
                Acl.TextTransformationProperty(priority=1, type="NORMALIZE_PATH"),
            ],
        )
    )


def _limit(requests: int) -> Acl.RuleProperty:
    name = "RequestsOfOneAddress"
    return Acl.RuleProperty(
        name=name,
        priority=0,
        action=Acl.RuleActionProperty(block={}),
        statement=Acl.StatementProperty(
            rate_based_statement=Acl.RateBasedStatementProperty(
                aggregate_key_type="IP", limit=requests, scope_down_statement=_on_the_page()
            )
        ),
        visibility_config=_seen(name),
    )


def _managed(name: str, *, priority: int, counted: tuple[str, ...] = ()) -> Acl.RuleProperty:
    """One of AWS's groups of rules; those that are `counted` block nothing."""
    count = Acl.RuleActionProperty(count={})
    return Acl.RuleProperty(
        name=name,
        priority=priority,
        override_action=Acl.OverrideActionProperty(none={}),
        statement=Acl.StatementProperty(
            managed_rule_group_statement=Acl.ManagedRuleGroupStatementProperty(
                vendor_name="AWS",
                name=name,
                scope_down_statement=_on_the_page(),
                rule_action_overrides=[
                    Acl.RuleActionOverrideProperty(name=rule, action_to_use=count) for rule in counted
                ],
            )
        ),
        visibility_config=_seen(name),
    )


def _seen(name: str) -> Acl.VisibilityConfigProperty:
    return Acl.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )
