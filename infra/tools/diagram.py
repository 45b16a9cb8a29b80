"""The architecture as a graph, drawn from the synthesized templates so that it cannot go stale.

`python -m infra.tools.diagram cdk.out` prints it in Graphviz's language; `make diagram` turns that into
`docs/architecture.svg`. Every box is a resource of a template or a job that one of its state machines starts;
every arrow is a reference in a template, or the path by which an API's method calls an endpoint.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.shared.state_language import Json

# What a person would name when asked what the system is made of. Roles, policies, log groups are hidden.
SHOWN = {
    "AWS::ApiGateway::RestApi": ("HTTPS API", "#ede7f6"),
    "AWS::Budgets::Budget": ("budget", "#fff3e0"),
    "AWS::CloudWatch::Dashboard": ("dashboard", "#fff3e0"),
    "AWS::CodeBuild::Project": ("image build", "#e3f2fd"),
    "AWS::EC2::VPC": ("VPC, no NAT", "#e8f5e9"),
    "AWS::ECR::Repository": ("image repository", "#e3f2fd"),
    "AWS::Events::Rule": ("event rule", "#fce4ec"),
    "AWS::KMS::Key": ("key", "#e8f5e9"),
    "AWS::Lambda::Function": ("Lambda", "#fff8e1"),
    "AWS::S3::Bucket": ("bucket", "#e8f5e9"),
    "AWS::SNS::Topic": ("notifications", "#fff3e0"),
    "AWS::SSM::Parameter": ("parameter", "#f3e5f5"),
    "AWS::SageMaker::Endpoint": ("endpoint", "#e0f7fa"),
    "AWS::SageMaker::ModelPackageGroup": ("model registry", "#e0f7fa"),
    "AWS::Scheduler::Schedule": ("schedule", "#fce4ec"),
    "AWS::StepFunctions::StateMachine": ("state machine", "#fce4ec"),
    "Custom::ParameterSeed": ("parameter", "#f3e5f5"),
}
# Names that a template gives a resource, best first; its logical id names the rest.
NAMES = ("StateMachineName", "EndpointName", "ModelPackageGroupName", "Name", "TopicName", "DashboardName")
# What a state machine starts and no template declares.
JOBS = {
    "createHyperParameterTuningJob": "tuning job (GPU, spot)",
    "createTrainingJob": "training job",
    "createProcessingJob": "processing job",
    "createTransformJob": "batch transform job",
}
# Behind these, references go on: an endpoint's config names the model, that its parameter and image.
TRANSPARENT = {"AWS::SageMaker::EndpointConfig", "AWS::SageMaker::Model", "Custom::CDKContainerImageBuild"}
# The code of CDK's own custom resources is plumbing.
PLUMBING = re.compile(
    r"Custom|Provider|Framework|LogRetention|AutoDelete|ParametersFunction|RegistryFunction"
)


@dataclass(frozen=True)
class Box:
    """One node. `key` is its place in the templates, `title` holds none of their hashes."""

    key: str
    stack: str
    name: str
    kind: str
    colour: str

    @property
    def title(self) -> str:
        """What the drawing calls the node."""
        return f"{self.stack}/{self.kind}/{self.name}"


@dataclass
class Diagram:
    """Boxes by key and arrows between keys."""

    boxes: dict[str, Box] = field(default_factory=dict[str, Box])
    arrows: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])


def read(assembly: Path) -> dict[str, dict[str, Any]]:
    """The templates of a cloud assembly by stack name. Raises SystemExit where there are none."""
    templates = {
        path.name.removesuffix(".template.json"): json.loads(path.read_text())
        for path in sorted(assembly.glob("*.template.json"))
    }
    if not templates:
        sys.exit(f"error: no templates in {assembly}: run `make synth` first")
    return templates


def draw(templates: dict[str, dict[str, Any]]) -> Diagram:
    """The diagram of all stacks together."""
    diagram = Diagram()
    for stack, template in templates.items():
        for logical_id, resource in template["Resources"].items():
            _add_box(diagram, stack, logical_id, resource)
    exports = _exports(templates)
    parameters = _parameter_names(templates, diagram)
    for stack, template in templates.items():
        for logical_id in template["Resources"]:
            if f"{stack}/{logical_id}" in diagram.boxes:
                _add_arrows(diagram, templates, stack, logical_id, exports, parameters)
        diagram.arrows |= set(_calls(diagram, stack, template))
    return diagram


def dot(diagram: Diagram) -> str:
    """The diagram in Graphviz's language; the same diagram always gives the same text."""
    lines = [
        'digraph bincount { rankdir=LR; fontname="Helvetica"; compound=true; nodesep=0.25; ranksep=0.7;',
        'node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11, margin="0.2,0.06"];',
        'node [color="#78909c"];',
        'edge [color="#607d8b", arrowsize=0.7];',
    ]
    boxes = sorted(diagram.boxes.values(), key=lambda box: box.title)
    for number, stack in enumerate(sorted({box.stack for box in boxes})):
        lines.append(f'subgraph cluster_{number} {{ label="{stack}"; color="#b0bec5"; style=rounded;')
        lines += [
            f'"{box.title}" [label="{box.name}\\n{box.kind}", fillcolor="{box.colour}"];'
            for box in boxes
            if box.stack == stack
        ]
        lines.append("}")
    titles = {key: box.title for key, box in diagram.boxes.items()}
    lines += sorted({f'"{titles[source]}" -> "{titles[target]}";' for source, target in diagram.arrows})
    return "\n".join([*lines, "}"]) + "\n"


def _add_box(diagram: Diagram, stack: str, logical_id: str, resource: dict[str, Any]) -> None:
    kind = resource["Type"]
    if kind not in SHOWN or (kind == "AWS::Lambda::Function" and PLUMBING.search(logical_id)):
        return
    what, colour = SHOWN[kind]
    key = f"{stack}/{logical_id}"
    diagram.boxes[key] = Box(key, stack, _name(logical_id, resource), what, colour)


def _name(logical_id: str, resource: dict[str, Any]) -> str:
    if resource["Type"] == "AWS::CodeBuild::Project":
        return "serving image"  # its own name holds a hash of the code
    given = [resource.get("Properties", {}).get(name) for name in NAMES]
    name = next((name for name in given if isinstance(name, str)), None)
    return name or re.sub(r"[0-9A-F]{8}$", "", logical_id)


def _exports(templates: dict[str, dict[str, Any]]) -> dict[str, tuple[str, str]]:
    """{export name: (stack, logical id)}."""
    found: dict[str, tuple[str, str]] = {}
    for stack, template in templates.items():
        for output in template.get("Outputs", {}).values():
            if "Export" in output:
                for target in _local_references(output["Value"]):
                    found[output["Export"]["Name"]] = (stack, target)
    return found


def _parameter_names(templates: dict[str, dict[str, Any]], diagram: Diagram) -> dict[str, str]:
    """{name of an SSM parameter: key of its box}."""
    return {
        properties["Name"]: f"{stack}/{logical_id}"
        for stack, template in templates.items()
        for logical_id, resource in template["Resources"].items()
        if f"{stack}/{logical_id}" in diagram.boxes
        and str((properties := resource.get("Properties", {})).get("Name", "")).startswith("/")
    }


def _local_references(value: Json) -> Iterator[str]:
    """Logical ids (and parameters) that a value names in its own template."""
    if isinstance(value, dict):
        if isinstance(name := value.get("Ref"), str):
            yield name
        if isinstance(attribute := value.get("Fn::GetAtt"), list):
            yield str(attribute[0])
        for inner in value.values():
            yield from _local_references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _local_references(inner)


def _add_arrows(
    diagram: Diagram,
    templates: dict[str, dict[str, Any]],
    stack: str,
    logical_id: str,
    exports: dict[str, tuple[str, str]],
    parameters: dict[str, str],
) -> None:
    source = f"{stack}/{logical_id}"
    properties = templates[stack]["Resources"][logical_id].get("Properties", {})
    text = json.dumps(properties)
    for job, name in JOBS.items():
        if re.search(rf":{job}\b", text):
            key = f"{stack}/{job}"
            diagram.boxes.setdefault(key, Box(key, stack, name, "SageMaker", "#e0f7fa"))
            diagram.arrows.add((source, key))
    targets = set(_targets(templates, stack, properties, exports, parameters))
    diagram.arrows |= {(source, target) for target in targets if target in diagram.boxes and target != source}


def _targets(
    templates: dict[str, dict[str, Any]],
    stack: str,
    properties: dict[str, Any],
    exports: dict[str, tuple[str, str]],
    parameters: dict[str, str],
) -> Iterator[str]:
    """Keys of the boxes that `properties` refer to, in their own template, in others', or by a parameter's
    name.
    """
    template = templates[stack]
    for name in _local_references(properties):
        resource = template["Resources"].get(name)
        if resource is not None and resource["Type"] in TRANSPARENT:
            yield from _targets(templates, stack, resource["Properties"], exports, parameters)
        elif resource is not None:
            yield f"{stack}/{name}"
        else:
            default = template.get("Parameters", {}).get(name, {}).get("Default")
            yield from (parameters[default] for _ in [0] if default in parameters)
    listened_to: dict[str, Any] = properties.get("EventPattern", {})
    for group in listened_to.get("detail", {}).get("ModelPackageGroupName", []):
        yield from _registries(templates, group)
    text = json.dumps(properties)
    for export in re.findall(r'"Fn::ImportValue": "([^"]+)"', text):
        yield "/".join(exports[export])
    yield from (key for name, key in parameters.items() if re.search(rf"{re.escape(name)}\b", text))


def _calls(diagram: Diagram, stack: str, template: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(API, endpoint) where a method's integration has an endpoint in its path: the API refers to none."""
    endpoints = {box.name: box.key for box in diagram.boxes.values() if box.kind == "endpoint"}
    for resource in template["Resources"].values():
        if resource["Type"] != "AWS::ApiGateway::Method":
            continue
        path = re.search(r"endpoints/([^/\"]+)/invocations", json.dumps(resource["Properties"]))
        if path and path[1] in endpoints:
            yield f"{stack}/{resource['Properties']['RestApiId']['Ref']}", endpoints[path[1]]


def _registries(templates: dict[str, dict[str, Any]], group: str) -> Iterator[str]:
    for stack, template in templates.items():
        for logical_id, resource in template["Resources"].items():
            if resource.get("Properties", {}).get("ModelPackageGroupName") == group:
                yield f"{stack}/{logical_id}"


if __name__ == "__main__":
    print(dot(draw(read(Path(sys.argv[1] if len(sys.argv) > 1 else "cdk.out")))), end="")
