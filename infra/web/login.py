"""Who may sign in to the page: a user pool, the page as its client, groups with rights."""

from collections.abc import Iterable

from aws_cdk import CfnOutput, Duration, Fn, RemovalPolicy, Stack
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.names import Names
from infra.runtime.sign_in_rights import RIGHTS
from infra.settings import Settings
from infra.shared.functions import PlainFunction, lambda_python
from infra.shared.logs import StageLogs
from infra.shared.nag import acknowledge

_DESCRIPTIONS = {
    "counting": "May count images on the page",
    "labelling": "May say the right number on the page",
    "reading": "May open the page",
}
# Also how long a person who was removed, or who signed out, can still call: API Gateway asks nobody back.
_TOKEN_MINUTES = 15


class Login(Construct):
    """Only an administrator makes users; each gets rights by groups (infra/runtime/sign_in_rights.py).

    `pages` are the addresses to which a person comes back after signing in or out.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        pages: Iterable[str],
        settings: Settings,
        key: kms.Key | None,
    ) -> None:
        super().__init__(scope, id)
        names = Names(settings.stage)
        self.pool = self._pool(names, settings)
        self._give_rights(names, settings, key)
        self._client = self._page_as_client(list(pages), settings)
        self._domain = self.pool.add_domain(
            "Domain",
            cognito_domain=cognito.CognitoDomainOptions(domain_prefix=_domain_prefix(self, names.prefix)),
            managed_login_version=cognito.ManagedLoginVersion.NEWER_MANAGED_LOGIN,
        )
        # Without a branding of its own the client's managed login says "Login pages unavailable".
        cognito.CfnManagedLoginBranding(
            self,
            "Branding",
            user_pool_id=self.pool.user_pool_id,
            client_id=self.client_id,
            use_cognito_provided_values=True,
        )
        CfnOutput(scope, "UserPoolId", value=self.pool.user_pool_id)

    @property
    def client_id(self) -> str:
        """The page's id, with which it asks for tokens."""
        return self._client.user_pool_client_id

    @property
    def url(self) -> str:
        """Where people sign in, without a slash at the end."""
        return self._domain.base_url()

    def scopes(self, *rights: str) -> list[str]:
        """What a token must have one of; it is not there in tokens of other clients."""
        return [f"{self.client_id}/{right}" for right in rights]

    def _pool(self, names: Names, settings: Settings) -> cognito.UserPool:
        required = settings.web.mfa == "required"
        pool = cognito.UserPool(
            self,
            "Users",
            user_pool_name=names.prefix,
            feature_plan=cognito.FeaturePlan.ESSENTIALS,  # scopes by trigger and managed login need it
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(email=True),
            sign_in_case_sensitive=False,
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            password_policy=cognito.PasswordPolicy(
                min_length=12,
                require_lowercase=True,
                require_uppercase=True,
                require_digits=True,
                require_symbols=True,
                temp_password_validity=Duration.days(7),
            ),
            mfa=cognito.Mfa.REQUIRED if required else cognito.Mfa.OFF,
            mfa_second_factor=cognito.MfaSecondFactor(sms=False, otp=True) if required else None,
            removal_policy=RemovalPolicy.DESTROY,
        )
        acknowledge(pool, rule="AwsSolutions-COG3", reason="threat protection is the Plus plan's")
        acknowledge(pool, rule="AwsSolutions-COG8", reason="the Plus plan is the account's to choose")
        if not required:
            acknowledge(pool, rule="AwsSolutions-COG2", reason="web.mfa is off, by the settings")
        return pool

    def _give_rights(self, names: Names, settings: Settings, key: kms.Key | None) -> None:
        runtime, _ = lambda_python()
        function = PlainFunction(
            self,
            "Rights",
            module="sign_in_rights",
            runtime=runtime,
            log_group=StageLogs(self, "RightsLogs", days=settings.log_retention_days, key=key),
            timeout=Duration.seconds(5),  # Cognito waits no longer
            name=names.sign_in,  # an alarm watches it
        )
        self.pool.add_trigger(
            cognito.UserPoolOperation.PRE_TOKEN_GENERATION_CONFIG,
            function,  # pyright: ignore[reportArgumentType]
            cognito.LambdaVersion.V2_0,
        )
        for group in RIGHTS:
            cognito.CfnUserPoolGroup(
                self,
                group.capitalize(),
                user_pool_id=self.pool.user_pool_id,
                group_name=group,
                description=_DESCRIPTIONS[group],
            )

    def _page_as_client(self, pages: list[str], settings: Settings) -> cognito.UserPoolClient:
        client = self.pool.add_client(
            "Page",
            generate_secret=False,  # a page keeps none: PKCE takes its place
            o_auth=cognito.OAuthSettings(
                flows=cognito.OAuthFlows(authorization_code_grant=True),
                scopes=[cognito.OAuthScope.OPENID],
                callback_urls=pages,
                logout_urls=pages,
            ),
            supported_identity_providers=[cognito.UserPoolClientIdentityProvider.COGNITO],
            prevent_user_existence_errors=True,
            access_token_validity=Duration.minutes(_TOKEN_MINUTES),
            id_token_validity=Duration.minutes(_TOKEN_MINUTES),
            refresh_token_validity=Duration.hours(settings.web.session_hours),
        )
        # Where it names no flow, Cognito lets the client send passwords itself.
        resource = client.node.default_child
        assert isinstance(resource, cognito.CfnUserPoolClient)
        resource.explicit_auth_flows = ["ALLOW_REFRESH_TOKEN_AUTH"]
        return client


def _domain_prefix(scope: Construct, prefix: str) -> str:
    """One that is free in the region, where all accounts share them: part of the stack's id is its end."""
    stack_id = Fn.select(2, Fn.split("/", Stack.of(scope).stack_id))
    return Fn.join("-", [prefix, Fn.select(0, Fn.split("-", stack_id))])
