"""Which API call CloudFormation makes of each resource type, and what AWS limits in prose alone.

`CALLS` is data for aws_texts.py. A type or a property that is missing there is a fault, so that no text of a
template goes unlooked at: add it here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Call:
    """The call that creates a resource of one type.

    `moved` maps properties (or paths such as `Integration.IntegrationResponses`) that go elsewhere to
    `Operation` (of the same service) or `Operation.Member.Member`; "" means that CloudFormation alone knows
    the property, or that it is a policy document, whose length is held.
    """

    service: str
    operation: str
    moved: Mapping[str, str] = field(default_factory=dict[str, str])


def _call(service: str, operation: str, below: Mapping[str, str] | None = None, **moved: str) -> Call:
    return Call(service=service, operation=operation, moved={**moved, **(below or {})})


_RULES = "IpPermissions.IpRanges"
_PEERS = "IpPermissions.UserIdGroupPairs"
CALLS = {
    "AWS::ApiGateway::Account": _call("apigateway", "UpdateAccount"),
    "AWS::ApiGateway::ApiKey": _call("apigateway", "CreateApiKey"),
    "AWS::ApiGateway::Authorizer": _call("apigateway", "CreateAuthorizer"),
    "AWS::ApiGateway::Deployment": _call("apigateway", "CreateDeployment"),
    "AWS::ApiGateway::GatewayResponse": _call("apigateway", "PutGatewayResponse"),
    "AWS::ApiGateway::Method": _call(
        "apigateway",
        "PutMethod",
        {"Integration.IntegrationResponses": "PutIntegrationResponse"},
        Integration="PutIntegration",
        MethodResponses="PutMethodResponse",
    ),
    "AWS::ApiGateway::RequestValidator": _call("apigateway", "CreateRequestValidator"),
    "AWS::ApiGateway::Resource": _call("apigateway", "CreateResource"),
    "AWS::ApiGateway::RestApi": _call("apigateway", "CreateRestApi"),
    "AWS::ApiGateway::Stage": _call("apigateway", "CreateStage", AccessLogSetting="", MethodSettings=""),
    "AWS::ApiGateway::UsagePlan": _call(
        "apigateway", "CreateUsagePlan", UsagePlanName="CreateUsagePlan.name"
    ),
    "AWS::ApiGateway::UsagePlanKey": _call("apigateway", "CreateUsagePlanKey"),
    "AWS::ApplicationAutoScaling::ScalableTarget": _call("application-autoscaling", "RegisterScalableTarget"),
    "AWS::ApplicationAutoScaling::ScalingPolicy": _call("application-autoscaling", "PutScalingPolicy"),
    "AWS::Budgets::Budget": _call("budgets", "CreateBudget"),
    "AWS::CloudWatch::Alarm": _call("cloudwatch", "PutMetricAlarm"),
    "AWS::CloudWatch::CompositeAlarm": _call("cloudwatch", "PutCompositeAlarm"),
    "AWS::CloudWatch::Dashboard": _call("cloudwatch", "PutDashboard"),
    "AWS::CodeBuild::Project": _call("codebuild", "CreateProject"),
    "AWS::Cognito::ManagedLoginBranding": _call("cognito-idp", "CreateManagedLoginBranding"),
    "AWS::Cognito::UserPool": _call(
        "cognito-idp", "CreateUserPool", UserPoolName="CreateUserPool.PoolName", EnabledMfas=""
    ),
    "AWS::Cognito::UserPoolClient": _call("cognito-idp", "CreateUserPoolClient"),
    "AWS::Cognito::UserPoolDomain": _call("cognito-idp", "CreateUserPoolDomain"),
    "AWS::Cognito::UserPoolGroup": _call("cognito-idp", "CreateGroup"),
    "AWS::DynamoDB::Table": _call("dynamodb", "CreateTable"),
    "AWS::EC2::FlowLog": _call("ec2", "CreateFlowLogs"),
    "AWS::EC2::RouteTable": _call("ec2", "CreateRouteTable"),
    "AWS::EC2::SecurityGroup": _call(
        "ec2",
        "CreateSecurityGroup",
        {
            "SecurityGroupEgress.Description": f"AuthorizeSecurityGroupEgress.{_RULES}.Description",
            "SecurityGroupIngress.Description": f"AuthorizeSecurityGroupIngress.{_RULES}.Description",
        },
        GroupDescription="CreateSecurityGroup.Description",
        SecurityGroupEgress="AuthorizeSecurityGroupEgress",
        SecurityGroupIngress="AuthorizeSecurityGroupIngress",
    ),
    "AWS::EC2::SecurityGroupEgress": _call(
        "ec2",
        "AuthorizeSecurityGroupEgress",
        Description=f"AuthorizeSecurityGroupEgress.{_PEERS}.Description",
    ),
    "AWS::EC2::SecurityGroupIngress": _call(
        "ec2",
        "AuthorizeSecurityGroupIngress",
        Description=f"AuthorizeSecurityGroupIngress.{_PEERS}.Description",
    ),
    "AWS::EC2::Subnet": _call("ec2", "CreateSubnet", MapPublicIpOnLaunch=""),
    "AWS::EC2::SubnetRouteTableAssociation": _call("ec2", "AssociateRouteTable"),
    "AWS::EC2::VPC": _call("ec2", "CreateVpc", EnableDnsHostnames="", EnableDnsSupport=""),
    "AWS::EC2::VPCEndpoint": _call("ec2", "CreateVpcEndpoint"),
    "AWS::ECR::Repository": _call("ecr", "CreateRepository", EmptyOnDelete=""),
    "AWS::Events::Rule": _call("events", "PutRule", Targets="PutTargets.Targets"),
    "AWS::IAM::ManagedPolicy": _call("iam", "CreatePolicy", PolicyDocument="", Groups="", Roles="", Users=""),
    "AWS::IAM::Policy": _call("iam", "PutRolePolicy"),
    "AWS::IAM::Role": _call("iam", "CreateRole", ManagedPolicyArns="", Policies=""),
    "AWS::KMS::Alias": _call("kms", "CreateAlias"),
    "AWS::KMS::Key": _call(
        "kms", "CreateKey", KeyPolicy="CreateKey.Policy", EnableKeyRotation="", PendingWindowInDays=""
    ),
    "AWS::Lambda::EventInvokeConfig": _call("lambda", "PutFunctionEventInvokeConfig"),
    "AWS::Lambda::Function": _call("lambda", "CreateFunction"),
    "AWS::Lambda::Permission": _call("lambda", "AddPermission"),
    "AWS::Logs::LogGroup": _call(
        "logs", "CreateLogGroup", RetentionInDays="PutRetentionPolicy.retentionInDays"
    ),
    "AWS::S3::Bucket": _call(
        "s3",
        "CreateBucket",
        BucketName="CreateBucket.Bucket",
        BucketEncryption="",
        LifecycleConfiguration="PutBucketLifecycleConfiguration.LifecycleConfiguration",
        LoggingConfiguration="",
        NotificationConfiguration="PutBucketNotificationConfiguration.NotificationConfiguration",
        OwnershipControls="PutBucketOwnershipControls.OwnershipControls",
        PublicAccessBlockConfiguration="PutPublicAccessBlock.PublicAccessBlockConfiguration",
        VersioningConfiguration="PutBucketVersioning.VersioningConfiguration",
    ),
    "AWS::S3::BucketPolicy": _call("s3", "PutBucketPolicy", PolicyDocument="PutBucketPolicy.Policy"),
    "AWS::SNS::Subscription": _call("sns", "Subscribe"),
    "AWS::SNS::Topic": _call("sns", "CreateTopic", TopicName="CreateTopic.Name", KmsMasterKeyId=""),
    "AWS::SNS::TopicPolicy": _call("sns", "SetTopicAttributes", PolicyDocument="", Topics=""),
    "AWS::SQS::Queue": _call("sqs", "CreateQueue", MessageRetentionPeriod="", SqsManagedSseEnabled=""),
    "AWS::SQS::QueuePolicy": _call("sqs", "SetQueueAttributes", PolicyDocument="", Queues=""),
    "AWS::SSM::Parameter": _call("ssm", "PutParameter"),
    "AWS::SageMaker::Endpoint": _call("sagemaker", "CreateEndpoint", RetainAllVariantProperties=""),
    "AWS::SageMaker::EndpointConfig": _call("sagemaker", "CreateEndpointConfig"),
    "AWS::SageMaker::Model": _call("sagemaker", "CreateModel"),
    "AWS::SageMaker::ModelPackageGroup": _call("sagemaker", "CreateModelPackageGroup"),
    "AWS::Scheduler::Schedule": _call("scheduler", "CreateSchedule"),
    "AWS::WAFv2::WebACL": _call("wafv2", "CreateWebACL"),
    "AWS::WAFv2::WebACLAssociation": _call("wafv2", "AssociateWebACL"),
    "AWS::StepFunctions::StateMachine": _call(
        "stepfunctions",
        "CreateStateMachine",
        StateMachineName="CreateStateMachine.name",
        DefinitionString="",
    ),
}

_EC2 = r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}"
_EC2_SOURCE = "docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html"
PROSE: Mapping[str, tuple[str, str]] = {
    "AWS::EC2::SecurityGroup.GroupDescription": (_EC2, _EC2_SOURCE),
    "AWS::EC2::SecurityGroup.SecurityGroupEgress.Description": (_EC2, _EC2_SOURCE),
    "AWS::EC2::SecurityGroup.SecurityGroupIngress.Description": (_EC2, _EC2_SOURCE),
    "AWS::EC2::SecurityGroupEgress.Description": (_EC2, _EC2_SOURCE),
    "AWS::EC2::SecurityGroupIngress.Description": (_EC2, _EC2_SOURCE),
    "AWS::SNS::Topic.TopicName": (
        r"[A-Za-z0-9_-]{1,256}",
        "docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html",
    ),
    "AWS::SQS::Queue.QueueName": (
        r"[A-Za-z0-9_-]{1,80}",
        "docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html",
    ),
    "AWS::SSM::Parameter.Name": (
        r"/?[a-zA-Z0-9_.-]+(/[a-zA-Z0-9_.-]+){0,14}",
        "docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html",
    ),
    "AWS::ApiGateway::Resource.PathPart": (
        r"[a-zA-Z0-9._\-:]+|\{[a-zA-Z0-9._-]+\+?\}",
        "docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html",
    ),
    "AWS::ApiGateway::Stage.StageName": (
        r"[A-Za-z0-9_-]{1,128}",
        "docs.aws.amazon.com/apigateway/latest/api/API_CreateStage.html",
    ),
    "AWS::ApiGateway::RestApi.Description": (
        r"(?s).{0,1024}",
        "docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-apigateway-restapi.html",
    ),
    "AWS::CloudWatch::Alarm.AlarmName": (
        r"[\x20-\x7e]{1,255}",
        "docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html",
    ),
}
"""Limits that botocore's models do not have: property path -> (pattern of the whole text, page)."""

# docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html: a standard
# parameter holds 4 KB. One of the intelligent tier becomes an advanced one where its value needs it.
PARAMETER_CHARACTERS = {"Standard": 4_096, "Advanced": 8_192, "Intelligent-Tiering": 8_192}

# docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: all inline policies of a role together,
# without white space.
INLINE_POLICY_CHARACTERS = 10_240
# docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html: the set that all services take.
TAG_KEY = r"(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}"
TAG_VALUE = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}"
