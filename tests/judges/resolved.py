"""Templates whose composed texts (Fn::Join, Fn::Sub) are text, so that rules see what AWS will see.

A rule that reads `DefinitionString` or a description finds nothing while it is a Fn::Join. What only a deploy
knows (names and ARNs of resources) becomes a value of the right form there. A plain Ref or Fn::GetAtt
stays: the rules know what it may be.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

ACCOUNT = "111122223333"  # AWS's own example account
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"

# What `Ref` gives, by resource type, where it is not a plain name (AWS's CloudFormation reference).
_GROUP = "arn:{partition}:sagemaker:{region}:{account}:model-package-group/{name}"
_REFS = {
    "AWS::SNS::Topic": "arn:{partition}:sns:{region}:{account}:{name}",
    "AWS::SQS::Queue": "https://sqs.{region}.amazonaws.com/{account}/{name}",
    "AWS::StepFunctions::StateMachine": "arn:{partition}:states:{region}:{account}:stateMachine:{name}",
    "AWS::KMS::Key": KEY_ID,
    "AWS::EC2::Subnet": "subnet-0123456789abcdef0",
    "AWS::EC2::SecurityGroup": "sg-0123456789abcdef0",
    "AWS::EC2::VPC": "vpc-0123456789abcdef0",
    "AWS::EC2::RouteTable": "rtb-0123456789abcdef0",
    "AWS::SageMaker::Model": "arn:{partition}:sagemaker:{region}:{account}:model/{name}",
    "AWS::SageMaker::EndpointConfig": "arn:{partition}:sagemaker:{region}:{account}:endpoint-config/{name}",
    "AWS::SageMaker::Endpoint": "arn:{partition}:sagemaker:{region}:{account}:endpoint/{name}",
    "AWS::SageMaker::ModelPackageGroup": _GROUP,
    "AWS::ApiGateway::RestApi": "a1b2c3d4e5",
    "AWS::ApiGateway::Resource": "x1y2z3",
    "AWS::ApiGateway::Deployment": "d1e2f3",
}
_ARNS = {
    "AWS::IAM::Role": "arn:{partition}:iam::{account}:role/{name}",
    "AWS::S3::Bucket": "arn:{partition}:s3:::{name}",
    "AWS::Lambda::Function": "arn:{partition}:lambda:{region}:{account}:function:{name}",
    "AWS::Logs::LogGroup": "arn:{partition}:logs:{region}:{account}:log-group:{name}:*",
    "AWS::KMS::Key": "arn:{partition}:kms:{region}:{account}:key/" + KEY_ID,
    "AWS::SQS::Queue": "arn:{partition}:sqs:{region}:{account}:{name}",
    "AWS::SNS::Topic": "arn:{partition}:sns:{region}:{account}:{name}",
    "AWS::DynamoDB::Table": "arn:{partition}:dynamodb:{region}:{account}:table/{name}",
    "AWS::ECR::Repository": "arn:{partition}:ecr:{region}:{account}:repository/{name}",
    "AWS::Events::Rule": "arn:{partition}:events:{region}:{account}:rule/{name}",
    "AWS::StepFunctions::StateMachine": "arn:{partition}:states:{region}:{account}:stateMachine:{name}",
    "AWS::CodeBuild::Project": "arn:{partition}:codebuild:{region}:{account}:project/{name}",
}
# Properties that name a resource in this project's templates.
_NAMES = (
    "BucketName", "RoleName", "FunctionName", "TopicName", "QueueName", "StateMachineName", "TableName",
    "LogGroupName", "AlarmName", "EndpointName", "ModelPackageGroupName", "Name",
)  # fmt: skip


Exports = dict[str, str]


class Resolver:
    """Replaces the intrinsic functions of one template, as a deploy to `region` would.

    `exports` are those of the stacks that are deployed before; `exported` gives this one's.
    """

    def __init__(self, template: dict[str, Any], *, region: str, partition: str, exports: Exports) -> None:
        self._template = template
        self._exports = exports
        self._values = {
            "AWS::Region": region,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": partition,
            "AWS::StackName": "bincount-stack",
            "AWS::StackId": f"arn:{partition}:cloudformation:{region}:{ACCOUNT}:stack/bincount/{KEY_ID}",
            "AWS::URLSuffix": "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com",
        }

    def resolved(self) -> dict[str, Any]:
        """The template with every string that a deploy would know as text; Conditions and `Fn::If` stay."""
        resources = {name: self._value(resource) for name, resource in self._template["Resources"].items()}
        return {**self._template, "Resources": resources}

    def exported(self) -> Exports:
        """What the template exports to others."""
        outputs = [output for output in self._template.get("Outputs", {}).values() if "Export" in output]
        return {output["Export"]["Name"]: self._text(output["Value"]) or "exported" for output in outputs}

    def _value(self, value: Any) -> Any:
        return _replaced(value, by=self._whole_text)

    def _whole_text(self, given: dict[str, Any]) -> Any:
        if _is_policy(given):
            return _replaced(given, by=self._any_text)
        if list(given) in (["Fn::Join"], ["Fn::Sub"]):
            return self._text(given)
        return self._exports[given["Fn::ImportValue"]] if list(given) == ["Fn::ImportValue"] else None

    def _any_text(self, given: dict[str, Any]) -> Any:
        """In a policy references are text too; what no deploy knows as text stays as it is."""
        if len(given) == 1 and (next(iter(given)) == "Ref" or next(iter(given)).startswith("Fn::")):
            text = self._text(given)
            return {**given} if text is None else text
        return None

    def _text(self, value: Any) -> str | None:
        """The text of a part of a composed text; None where no text stands for it."""
        if not isinstance(value, dict):
            return value if isinstance(value, str) else None
        ((function, argument),) = cast("dict[str, Any]", value).items()
        match function:
            case "Ref":
                return self._ref(argument)
            case "Fn::GetAtt":
                logical, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
                return self._attribute(logical, attribute)
            case "Fn::Join":
                parts = [self._text(part) for part in argument[1]]
                return None if None in parts else argument[0].join(parts)
            case "Fn::Sub" if isinstance(argument, str):
                return re.sub(r"\$\{([^!}]+)\}", lambda found: str(self._ref(found[1])), argument)
            case "Fn::ImportValue":
                return self._exports[argument]
            case "Fn::Select":
                return self._chosen(int(argument[0]), argument[1])
            case _:
                return None

    def _chosen(self, index: int, options: dict[str, Any] | list[Any]) -> str | None:
        """An element of a list, or of a split text."""
        if isinstance(options, list):
            return self._text(options[index])
        if "Fn::Split" not in options:
            return None
        separator, given = options["Fn::Split"]
        text = self._text(given)
        return None if text is None else text.split(separator)[index]

    def _ref(self, name: str) -> str:
        if "." in name:
            return self._attribute(*name.split(".", 1))
        if name in self._values:
            return self._values[name]
        if name in self._template.get("Parameters", {}):
            return str(self._template["Parameters"][name].get("Default", "value"))
        return self._form(_REFS.get(self._type(name), "{name}"), name)

    def _attribute(self, logical: str, attribute: str) -> str:
        if attribute == "Arn":
            return self._form(
                _ARNS.get(self._type(logical), "arn:{partition}:{service}:{region}:{account}:{name}"), logical
            )
        if attribute == "GroupId":
            return self._form(_REFS["AWS::EC2::SecurityGroup"], logical)
        return f"{logical}-{attribute}".lower()

    def _form(self, form: str, logical: str) -> str:
        resource = self._template["Resources"][logical]
        properties = resource.get("Properties", {})
        names = [properties[key] for key in _NAMES if isinstance(properties.get(key), str)]
        return form.format(
            partition=self._values["AWS::Partition"],
            region=self._values["AWS::Region"],
            account=ACCOUNT,
            service=resource["Type"].split("::")[1].lower(),
            name=names[0] if names else logical,
        )

    def _type(self, logical: str) -> str:
        return self._template["Resources"].get(logical, {}).get("Type", "")


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A template as a deploy resolves it, its state machines by their names, and its policies.

    In policies every text is known, ARNs and names of other resources too.
    """

    template: dict[str, Any]
    partition: str

    @property
    def policies(self) -> dict[str, dict[str, Any]]:
        """{logical id and path: document}."""
        return dict(_documents(self.template["Resources"], ""))

    @property
    def machines(self) -> dict[str, dict[str, Any]]:
        """{name: definition}."""
        return {
            resource["Properties"]["StateMachineName"]: json.loads(resource["Properties"]["DefinitionString"])
            for resource in self.template["Resources"].values()
            if resource["Type"] == "AWS::StepFunctions::StateMachine"
        }


def resolve_stacks(templates: dict[str, dict[str, Any]], *, region: str, partition: str) -> dict[str, Stack]:
    """The stacks of an assembly, in an order in which they can be deployed, each resolved."""
    exports: Exports = {}
    resolvers = {
        name: Resolver(template, region=region, partition=partition, exports=exports)
        for name, template in templates.items()
    }
    for resolver in resolvers.values():
        exports |= resolver.exported()
    return {
        name: Stack(template=resolver.resolved(), partition=partition) for name, resolver in resolvers.items()
    }


def _documents(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each policy document in a value, by its path."""
    if isinstance(value, dict):
        given = cast("dict[str, Any]", value)
        if _is_policy(given):
            yield path.removeprefix("."), given
        for name, item in given.items():
            yield from _documents(item, f"{path}.{name}")
    elif isinstance(value, list):
        for number, item in enumerate(cast("list[Any]", value)):
            yield from _documents(item, f"{path}.{number}")


def _replaced(value: Any, *, by: Callable[[dict[str, Any]], Any]) -> Any:
    """The value with what `by` gives in place of each object in it; where that is None, its own members."""
    if isinstance(value, list):
        return [_replaced(item, by=by) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    given = cast("dict[str, Any]", value)
    found = by(given)
    return {key: _replaced(item, by=by) for key, item in given.items()} if found is None else found


def _is_policy(value: dict[str, Any]) -> bool:
    return isinstance(value.get("Statement"), list)
